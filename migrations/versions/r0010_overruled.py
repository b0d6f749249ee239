"""What named genres of ours that a person replaced, so that the same words are the person's.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty in the rows that are there: the next run fills it."""
    op.add_column("tracks", sa.Column("overruled", TEXT, nullable=True))


def downgrade() -> None:
    """Refuse: an older tagger would leave in it what holds no longer."""
    raise NotImplementedError
