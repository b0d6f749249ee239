"""The catalogue's schema, step by step; installed as ``tagger.migrations``."""
