"""The ages of the schema, for those as well who ask without SQLAlchemy."""

# All that this version knows, the oldest first; a test compares the files.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
HEAD = REVISIONS[-1]
