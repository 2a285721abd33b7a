"""end requests"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# Milliseconds since 1970, as all times here.
Milliseconds = sa.BigInteger()
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("erasure_requests", sa.Column("refused_at", Milliseconds, nullable=True))
    op.add_column("erasure_requests", sa.Column("reason", sa.Text(), nullable=True))
    op.create_table(
        "ended_requests",
        sa.Column("id", BigId, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", Milliseconds, nullable=False),
        sa.Column("ended_at", Milliseconds, nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.String(320), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_ended_requests_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ended_requests"),
    )
    op.create_index("ix_ended_requests_site_id_id", "ended_requests", ["site_id", "id"])


def downgrade() -> None:
    op.drop_table("ended_requests")
    op.drop_column("erasure_requests", "reason")
    op.drop_column("erasure_requests", "refused_at")
