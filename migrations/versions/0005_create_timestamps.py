"""create timestamps"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "triggers"
# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "timestamps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("size", BigId, nullable=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.Column("stamped_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_timestamps_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_timestamps"),
        sa.UniqueConstraint("digest", name="uq_timestamps_digest"),
    )
    op.create_index("ix_timestamps_site_id_id", "timestamps", ["site_id", "id"])
    triggers = TRIGGERS / f"{revision}_{op.get_bind().dialect.name}.sql"
    for statement in triggers.read_text("utf-8").splitlines():
        op.execute(statement)


def downgrade() -> None:
    drop = {"sqlite": "DROP TRIGGER {}", "postgresql": "DROP FUNCTION {}() CASCADE"}[op.get_bind().dialect.name]
    for change in ("update", "delete"):
        op.execute(drop.format(f"timestamps_keep_{change}"))
    op.drop_table("timestamps")
