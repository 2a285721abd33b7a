"""count refused posts"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "refused_posts",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("origin", sa.String(100), nullable=False),
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_refused_posts_site_id"),
        sa.PrimaryKeyConstraint("site_id", "day", "reason", "origin", name="pk_refused_posts"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("refused_posts")
