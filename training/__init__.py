"""Fit and judge the networks that the tagger uses; imports tagger, never the reverse."""
