"""create timestamps"""

import sqlalchemy as sa
from alembic import op

from consent_server.core import append_only
from consent_server.core.columns import BigId, UtcMilliseconds

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "timestamps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("size", BigId, nullable=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.Column("stamped_at", UtcMilliseconds(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_timestamps_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_timestamps"),
        sa.UniqueConstraint("digest", name="uq_timestamps_digest"),
    )
    op.create_index("ix_timestamps_site_id_id", "timestamps", ["site_id", "id"])
    for statement in append_only.statements(op.get_bind().dialect.name, revision):
        op.execute(statement)


def downgrade() -> None:
    for statement in append_only.removals(op.get_bind().dialect.name, revision):
        op.execute(statement)
    op.drop_table("timestamps")
