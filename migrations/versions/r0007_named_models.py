"""One memory of the model: what ``tagger tag --model`` named last.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, empty in the rows that are there."""
    op.add_column("models", sa.Column("named_as", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: an older tagger would decide by another model than the one named."""
    raise NotImplementedError
