"""What the catalogue said of a track before an answer was written, so that undo leaves no mark.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty in the rows that are there: their undo is told of as before."""
    op.add_column("answered_files", sa.Column("said_before", TEXT, nullable=True))


def downgrade() -> None:
    """Refuse: an older tagger would leave in it what holds no longer."""
    raise NotImplementedError
