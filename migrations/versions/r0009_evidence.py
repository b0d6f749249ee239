"""What the owner's tags said of a track when it was decided on.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty in the rows that are there."""
    op.add_column("tracks", sa.Column("evidence", TEXT, nullable=True))


def downgrade() -> None:
    """Refuse: an older tagger would leave in it what holds no longer."""
    raise NotImplementedError
