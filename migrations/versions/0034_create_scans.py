"""create scans"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# Milliseconds since 1970, as all times here.
Milliseconds = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("who", sa.String(300), nullable=True),
        sa.Column("asked_at", Milliseconds, nullable=False),
        sa.Column("started_at", Milliseconds, nullable=True),
        sa.Column("finished_at", Milliseconds, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=True),
        sa.Column("unseen", sa.Integer(), nullable=True),
        sa.Column("scan", sa.Text(), nullable=True),
        sa.Column("pictures", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_scans_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_scans"),
    )
    op.create_index("ix_scans_site_id_id", "scans", ["site_id", "id"])
    op.create_index("ix_scans_finished_at", "scans", ["finished_at"])


def downgrade() -> None:
    op.drop_table("scans")
