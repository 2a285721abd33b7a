"""mark remarks among the signed entries

An entry that removes nothing says in `rule` what it says; removals have none. Remarks are few among many removals, and
every check of a ledger reads all of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in batch mode, which on SQLite copies the table and drops its triggers.
    op.add_column("removals", sa.Column("rule", sa.String(24), nullable=True))
    remarks = sa.text("rule IS NOT NULL")
    op.create_index("ix_removals_remarks", "removals", ["site_id"], sqlite_where=remarks, postgresql_where=remarks)


def downgrade() -> None:
    op.drop_index("ix_removals_remarks", "removals")
    op.drop_column("removals", "rule")
