"""What a review keeps: a person's answers, and the files that each settles.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "answers",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("genres", TEXT, nullable=False),
        sa.Column("given_at", TEXT, nullable=False),
        sa.Column("withdrawn_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_answers_run_id_runs"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_answers"),
    )
    op.create_index("ix_answers_run_id", "answers", ["run_id"])
    op.create_table(
        "answered_files",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"],
            ["answers.answer_id"],
            name="fk_answered_files_answer_id_answers",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["files.file_id"],
            name="fk_answered_files_file_id_files",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("answer_id", "file_id", name="pk_answered_files"),
    )
    op.create_index("ix_answered_files_file_id", "answered_files", ["file_id"])


def downgrade() -> None:
    """Refuse: an older tagger would not know what a person is still owed."""
    raise NotImplementedError
