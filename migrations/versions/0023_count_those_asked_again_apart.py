"""count those asked again apart: from a day on, which each site with counts from before then keeps"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# As long may a browser go on with a script from before: a day and five minutes. From the next day on none has it.
CACHED = timedelta(days=2)


def upgrade() -> None:
    op.add_column("sites", sa.Column("counted_apart_from", sa.String(10), nullable=True))
    sites = sa.table("sites", sa.column("counted_apart_from"))
    first_day = (datetime.now(UTC) + CACHED).date().isoformat()
    op.execute(sites.update().values(counted_apart_from=first_day))


def downgrade() -> None:
    op.drop_column("sites", "counted_apart_from")
