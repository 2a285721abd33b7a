"""create erasure requests"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "erasure_requests",
        sa.Column("decision_row", BigId, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_row"], ["decisions.id"], name="fk_erasure_requests_decision_row", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("decision_row", name="pk_erasure_requests"),
    )


def downgrade() -> None:
    op.drop_table("erasure_requests")
