"""create ledger"""

import sqlalchemy as sa
from alembic import op

from consent_server.core import append_only
from consent_server.core.columns import BigId, UtcMilliseconds

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

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
        sa.Column("removed_at", UtcMilliseconds(), nullable=False),
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
        sa.Column("sealed_at", UtcMilliseconds(), nullable=False),
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
    for statement in append_only.statements(op.get_bind().dialect.name, revision):
        op.execute(statement)


def downgrade() -> None:
    for statement in append_only.removals(op.get_bind().dialect.name, revision):
        op.execute(statement)
    for table in LEDGER_TABLES:
        op.drop_table(table)
