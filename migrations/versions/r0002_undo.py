"""What taking writes back needs: what a run was asked for, and which write another one undid.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, all of them empty in the rows that are there."""
    op.add_column("runs", sa.Column("paths", sa.Text(), nullable=True))
    with op.batch_alter_table("journal") as journal:
        journal.add_column(sa.Column("undoes", sa.Integer(), nullable=True))
        journal.create_foreign_key(
            "fk_journal_undoes_journal", "journal", ["undoes"], ["journal_id"], ondelete="SET NULL"
        )
        journal.create_index("ix_journal_undoes", ["undoes"])


def downgrade() -> None:
    """Refuse: an older tagger would not know which writes were taken back."""
    raise NotImplementedError
