"""Tests, and the helpers that make sound files, tags, features and catalogues for them."""
