"""The door of ``tagger review``: a page on this machine that asks what nobody's ear is sure of.

``questions`` says what is asked, ``session`` keeps where its owner is, ``writing`` carries answers
out behind, ``app`` shows it all as pages, ``guard`` lets nobody else in, and ``serving`` opens the
door. Tags are written, genres learned and tracks looked up by the rooms that do this for others.
"""
