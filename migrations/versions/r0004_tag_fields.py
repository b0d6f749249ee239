"""More of what tags say: year, disc, MusicBrainz ids; and by which table of fields they were read.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0004"
down_revision = "0003"
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
    tracks.year,
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


def upgrade() -> None:
    """Add columns, all of them empty in the rows that are there: the next run reads them."""
    op.execute("DROP VIEW library")
    for name, kind in (
        ("year", sa.Integer()),
        ("disc", sa.Integer()),
        ("mb_album", TEXT),
        ("mb_artists", TEXT),
        ("mb_album_artists", TEXT),
        ("tags_read_by", sa.String()),
    ):
        op.add_column("tracks", sa.Column(name, kind, nullable=True))
    op.execute(_LIBRARY)


def downgrade() -> None:
    """Refuse: an older tagger would let what it does not know go stale."""
    raise NotImplementedError
