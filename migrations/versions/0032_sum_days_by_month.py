"""sum days by month: totals, what was granted, and notices apart"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

MONTHS = {"days": "months", "selections": "selection months", "notices": "notice months"}


def upgrade() -> None:
    for days, months in MONTHS.items():
        op.execute(
            sa.text(
                "INSERT INTO roll_ups"
                " SELECT site_id, :months, substr(period, 1, 7), value, notice_id, counter, SUM(count) FROM roll_ups"
                " WHERE dimension = :days GROUP BY site_id, substr(period, 1, 7), value, notice_id, counter"
            ).bindparams(days=days, months=months)
        )


def downgrade() -> None:
    op.execute("DELETE FROM roll_ups WHERE dimension IN ('months', 'selection months', 'notice months')")
