"""mark site changes"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Its one row is made by the first change.
    op.create_table(
        "site_changes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mark", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_site_changes"),
    )


def downgrade() -> None:
    op.drop_table("site_changes")
