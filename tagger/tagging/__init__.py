"""The main job: from what was heard to a decision, a tag and a row of the catalogue; and back.

A run goes through ``run``: it scans, recognises what it knows, has the rest heard, and settles
whole albums. ``undo`` takes a run back.
"""
