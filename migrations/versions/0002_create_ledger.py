"""create ledger, and close what may not change

A record goes only when a removal names its leaf: the signed entry comes first, in the same transaction. Ranges of
removals never overlap, so only the last one that begins before a leaf can hold it. A tile grows at its end: every older
version stays its beginning. TRUNCATE fires no row trigger, and has one of its own.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "triggers"
# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CLOSED = (
    "notices", "publications", "widgets", "leaves", "checkpoints", "removals", "removed", "decisions", "tiles",
)  # fmt: skip
LEDGER_TABLES = ("removed", "leaves", "removals", "tiles", "checkpoints", "ledgers")


def upgrade() -> None:
    op.create_table(
        "ledgers",
        sa.Column("site_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", BigId, nullable=False),
        sa.Column("decisions_to", BigId, nullable=False),
        sa.Column("removals_to", BigId, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_ledgers_site_id"),
        sa.PrimaryKeyConstraint("site_id", name="pk_ledgers"),
    )
    op.create_table(
        "removals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_removals_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_removals"),
    )
    op.create_table(
        "leaves",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("leaf_index", BigId, nullable=False, autoincrement=False),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False),
        sa.Column("decision_row", BigId, nullable=True),
        sa.Column("removal_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_leaves_site_id"),
        sa.ForeignKeyConstraint(["removal_id"], ["removals.id"], name="fk_leaves_removal_id"),
        sa.PrimaryKeyConstraint("site_id", "leaf_index", name="pk_leaves"),
        sa.UniqueConstraint("decision_row", name="uq_leaves_decision_row"),
        sa.UniqueConstraint("removal_id", name="uq_leaves_removal_id"),
    )
    op.create_table(
        "tiles",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("index", BigId, nullable=False, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_tiles_site_id"),
        sa.PrimaryKeyConstraint("site_id", "level", "index", name="pk_tiles"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("size", BigId, nullable=False, autoincrement=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_checkpoints_site_id"),
        sa.PrimaryKeyConstraint("site_id", "size", name="pk_checkpoints"),
    )
    op.create_table(
        "removed",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("first", BigId, nullable=False, autoincrement=False),
        sa.Column("last", BigId, nullable=False),
        sa.Column("removal_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_removed_site_id"),
        sa.ForeignKeyConstraint(["removal_id"], ["removals.id"], name="fk_removed_removal_id"),
        sa.PrimaryKeyConstraint("site_id", "first", name="pk_removed"),
    )
    triggers = TRIGGERS / f"{revision}_{op.get_bind().dialect.name}.sql"
    for statement in triggers.read_text("utf-8").splitlines():
        op.execute(statement)


def downgrade() -> None:
    drop = {"sqlite": "DROP TRIGGER {}", "postgresql": "DROP FUNCTION {}() CASCADE"}[op.get_bind().dialect.name]
    for table in CLOSED:
        for change in ("update", "delete"):
            op.execute(drop.format(f"{table}_keep_{change}"))
    for table in LEDGER_TABLES:
        op.drop_table(table)
