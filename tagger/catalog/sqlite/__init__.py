"""SQLite as the catalogue's place: one file, for one machine. See ``store``."""
