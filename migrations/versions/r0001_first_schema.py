"""The first schema.

Revision ID: 0001

Columns are explained in ``tagger.catalog.tables``. The types here are plain ones, so that this
step stays what it was when the code moves on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0001"
down_revision = None
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
WHERE files.track_id IS NOT NULL OR failures.file_id IS NOT NULL
"""


def upgrade() -> None:
    """Make the tables and the view ``library``: one row a track, for people."""
    _create_models()
    _create_roots()
    _create_embedding_blocks()
    _create_runs()
    _create_tracks()
    _create_files()
    _create_predictions()
    _create_track_genres()
    _create_failures()
    _create_journal()
    op.execute(_LIBRARY)


def downgrade() -> None:
    """Refuse: below the first schema there is none."""
    raise NotImplementedError


def _create_models() -> None:
    op.create_table(
        "models",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("architecture", TEXT, nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("embedding_dim", sa.Integer(), nullable=False),
        sa.Column("first_used_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("model_id", name="pk_models"),
    )


def _create_roots() -> None:
    op.create_table(
        "roots",
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("root_id", name="pk_roots"),
        sa.UniqueConstraint("path", name="uq_roots_path"),
    )


def _create_embedding_blocks() -> None:
    op.create_table(
        "embedding_blocks",
        sa.Column("block_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("track_ids", sa.LargeBinary(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("n_rows > 0", name="ck_embedding_blocks_n_rows_positive"),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.model_id"], name="fk_embedding_blocks_model_id_models"
        ),
        sa.PrimaryKeyConstraint("block_id", name="pk_embedding_blocks"),
    )
    op.create_index("ix_embedding_blocks_model_id", "embedding_blocks", ["model_id"])


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("command", TEXT, nullable=False),
        sa.Column("model_id", sa.String(), nullable=True),
        sa.Column("started_at", TEXT, nullable=False),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.Column("elapsed_s", sa.Float(), nullable=True),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("by_status", TEXT, nullable=False),
        sa.Column("by_genre", TEXT, nullable=False),
        sa.Column("skipped", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_runs_model_id_models"),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )


def _create_tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("artist", TEXT, nullable=False),
        sa.Column("album", TEXT, nullable=False),
        sa.Column("album_artist", TEXT, nullable=False),
        sa.Column("title_key", TEXT, nullable=False),
        sa.Column("artist_key", TEXT, nullable=False),
        sa.Column("album_key", TEXT, nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=True),
        sa.Column("file_genres", TEXT, nullable=False),
        sa.Column("provenance", TEXT, nullable=True),
        sa.Column("genre", TEXT, nullable=False),
        sa.Column("heard_genres", TEXT, nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_tracks_run_id_runs"),
        sa.PrimaryKeyConstraint("track_id", name="pk_tracks"),
    )


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("relative", sa.LargeBinary(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["root_id"], ["roots.root_id"], name="fk_files_root_id_roots"),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name="fk_files_track_id_tracks"),
        sa.PrimaryKeyConstraint("file_id", name="pk_files"),
        sa.UniqueConstraint("root_id", "relative", name="uq_files_root_id_relative"),
        sa.UniqueConstraint("track_id", name="uq_files_track_id"),
    )


def _create_predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("probabilities", TEXT, nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("n_segments", sa.Integer(), nullable=False),
        sa.Column("unheard", TEXT, nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.Integer(), nullable=True),
        sa.Column("block_row", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["block_id"],
            ["embedding_blocks.block_id"],
            name="fk_predictions_block_id_embedding_blocks",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.model_id"], name="fk_predictions_model_id_models"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_predictions_run_id_runs"),
        sa.ForeignKeyConstraint(
            ["track_id"],
            ["tracks.track_id"],
            name="fk_predictions_track_id_tracks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("track_id", "model_id", name="pk_predictions"),
    )


def _create_track_genres() -> None:
    op.create_table(
        "track_genres",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("genre", TEXT, nullable=False),
        sa.Column("genre_key", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"],
            ["tracks.track_id"],
            name="fk_track_genres_track_id_tracks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("track_id", "position", name="pk_track_genres"),
    )
    op.create_index("ix_track_genres_genre_key", "track_genres", ["genre_key"])


def _create_failures() -> None:
    op.create_table(
        "failures",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", TEXT, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.file_id"], name="fk_failures_file_id_files", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_failures_run_id_runs"),
        sa.PrimaryKeyConstraint("file_id", name="pk_failures"),
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("journal_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("genres_before", TEXT, nullable=False),
        sa.Column("genres_after", TEXT, nullable=False),
        sa.Column("provenance_before", TEXT, nullable=True),
        sa.Column("provenance_after", TEXT, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("planned_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.file_id"], name="fk_journal_file_id_files", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_journal_run_id_runs"),
        sa.PrimaryKeyConstraint("journal_id", name="pk_journal"),
    )
    op.create_index("ix_journal_file_id", "journal", ["file_id"])
    op.create_index("ix_journal_run_id", "journal", ["run_id"])
    op.create_index("ix_journal_state", "journal", ["state"])
