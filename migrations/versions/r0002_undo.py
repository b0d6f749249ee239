"""What taking writes back needs: their bytes, what a run was asked for, which write undid which.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, all of them empty in the rows that are there, and a table."""
    op.add_column("runs", sa.Column("paths", TEXT, nullable=True))
    with op.batch_alter_table("journal") as journal:
        journal.add_column(sa.Column("kept", sa.LargeBinary(), nullable=True))
        journal.add_column(sa.Column("undoes", sa.Integer(), nullable=True))
        journal.create_foreign_key(
            "fk_journal_undoes_journal", "journal", ["undoes"], ["journal_id"], ondelete="SET NULL"
        )
        journal.create_index("ix_journal_undoes", ["undoes"])
    op.create_table(
        "rollbacks",
        sa.Column("journal_id", sa.Integer(), nullable=False),
        sa.Column("overwritten", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.journal_id"],
            name="fk_rollbacks_journal_id_journal",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("journal_id", name="pk_rollbacks"),
    )


def downgrade() -> None:
    """Refuse: an older tagger would not know which writes were taken back."""
    raise NotImplementedError
