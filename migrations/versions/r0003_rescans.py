"""What periodic scans need: which recording a file holds, what stat(2) said, what has vanished.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LIBRARY = """
CREATE VIEW library AS
SELECT
    files.file_id,
    files.track_id,
    roots.name || '/' || files.name AS path,
    tracks.title,
    tracks.artist,
    tracks.album,
    tracks.genre,
    CASE
        WHEN tracks.file_genres = '[]' OR tracks.file_genres = tracks.heard_genres
        THEN tracks.confidence
    END AS confidence,
    tracks.heard_genres,
    CASE WHEN failures.file_id IS NULL THEN tracks.status ELSE 'failed' END AS status,
    CASE WHEN failures.file_id IS NULL THEN tracks.reason ELSE failures.reason END AS reason,
    tracks.duration_s
FROM files
JOIN roots ON roots.root_id = files.root_id
LEFT JOIN tracks ON tracks.track_id = files.track_id
LEFT JOIN failures ON failures.file_id = files.file_id
WHERE (files.track_id IS NOT NULL OR failures.file_id IS NOT NULL) AND files.vanished_at IS NULL
"""

_VANISHED = """
CREATE VIEW vanished AS
SELECT
    files.file_id,
    files.track_id,
    roots.name || '/' || files.name AS path,
    tracks.title,
    tracks.artist,
    tracks.album,
    tracks.genre,
    files.vanished_at
FROM files
JOIN roots ON roots.root_id = files.root_id
LEFT JOIN tracks ON tracks.track_id = files.track_id
WHERE files.vanished_at IS NOT NULL
"""

_DUPLICATES = """
CREATE VIEW duplicates AS
SELECT
    files.audio,
    files.file_id,
    files.track_id,
    roots.name || '/' || files.name AS path,
    files.size_bytes
FROM files
JOIN roots ON roots.root_id = files.root_id
WHERE files.vanished_at IS NULL AND files.audio IN (
    SELECT audio FROM files WHERE vanished_at IS NULL GROUP BY audio HAVING count(*) > 1
)
"""


def upgrade() -> None:
    """Add columns, all of them empty in the rows that are there, and views."""
    op.execute("DROP VIEW library")
    op.add_column("models", sa.Column("file", sa.LargeBinary(), nullable=True))
    op.add_column("models", sa.Column("default_since", TEXT, nullable=True))
    op.add_column("predictions", sa.Column("is_novel", sa.Boolean(), nullable=True))
    op.add_column("roots", sa.Column("device", sa.BigInteger(), nullable=True))
    for name, kind in (
        ("ctime_ns", sa.BigInteger()),
        ("inode", sa.BigInteger()),
        ("audio", sa.String()),
        ("vanished_at", TEXT),
    ):
        op.add_column("files", sa.Column(name, kind, nullable=True))
    op.create_index("ix_files_audio", "files", ["audio"])
    op.create_index("ix_files_vanished_at", "files", ["vanished_at"])
    for name in ("mb_recording", "isrc"):
        op.add_column("tracks", sa.Column(name, TEXT, nullable=True))
    op.execute(_LIBRARY)
    op.execute(_VANISHED)
    op.execute(_DUPLICATES)


def downgrade() -> None:
    """Refuse: an older tagger would list what has vanished as if it were there."""
    raise NotImplementedError
