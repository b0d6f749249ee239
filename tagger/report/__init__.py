"""A library at a glance: the facts of a report, and the page that shows them.

What the facts are is told by ``tagger.reporting``; nothing here looks at a catalogue or a file.
"""
