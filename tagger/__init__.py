"""Fill blank genre tags of a music collection and catalogue what was heard."""

__version__ = "0.1.0"
