"""create cosignatures"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "triggers"
# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cosignatures",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("size", BigId, nullable=False, autoincrement=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("key_id", sa.LargeBinary(4), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("cosigned_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id", "size"], ["checkpoints.site_id", "checkpoints.size"], name="fk_cosignatures_site_id_size"
        ),
        sa.PrimaryKeyConstraint("site_id", "size", "witness", "key_id", name="pk_cosignatures"),
    )
    triggers = TRIGGERS / f"{revision}_{op.get_bind().dialect.name}.sql"
    for statement in triggers.read_text("utf-8").splitlines():
        op.execute(statement)


def downgrade() -> None:
    drop = {"sqlite": "DROP TRIGGER {}", "postgresql": "DROP FUNCTION {}() CASCADE"}[op.get_bind().dialect.name]
    for change in ("update", "delete"):
        op.execute(drop.format(f"cosignatures_keep_{change}"))
    op.drop_table("cosignatures")
