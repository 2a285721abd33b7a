"""create cosignatures"""

import sqlalchemy as sa
from alembic import op

from consent_server.core import append_only
from consent_server.core.columns import BigId, UtcMilliseconds

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cosignatures",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("size", BigId, nullable=False, autoincrement=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("key_id", sa.LargeBinary(4), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("cosigned_at", UtcMilliseconds(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "size"], ["checkpoints.site_id", "checkpoints.size"], name="fk_cosignatures_site_id_size"
        ),
        sa.PrimaryKeyConstraint("site_id", "size", "witness", "key_id", name="pk_cosignatures"),
    )
    for statement in append_only.statements(op.get_bind().dialect.name, revision):
        op.execute(statement)


def downgrade() -> None:
    for statement in append_only.removals(op.get_bind().dialect.name, revision):
        op.execute(statement)
    op.drop_table("cosignatures")
