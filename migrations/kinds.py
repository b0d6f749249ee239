"""Types that the same step needs to be different in each database; never changed either."""

from __future__ import annotations

import sqlalchemy as sa

# Text that sorts by its code points everywhere, as it does in SQLite: PostgreSQL would follow the
# language of its server.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
