"""create erasure requests"""

import sqlalchemy as sa
from alembic import op

from consent_server.core.columns import BigId

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


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
