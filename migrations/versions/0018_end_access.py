"""let tokens end, and take back one report"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "shared_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("shared_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_shared_reports_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shared_reports"),
    )


def downgrade() -> None:
    op.drop_table("shared_reports")
    op.drop_column("tokens", "expires_at")
