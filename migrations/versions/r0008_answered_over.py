"""What stood in a file when its owner was asked about it.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty in the rows that are there."""
    op.add_column("answered_files", sa.Column("stood", TEXT, nullable=True))


def downgrade() -> None:
    """Refuse: an older tagger would replace genres that were never shown."""
    raise NotImplementedError
