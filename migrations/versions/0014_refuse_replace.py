"""refuse REPLACE, and have tiles stay in their place

REPLACE puts a row over another, and on SQLite fires no DELETE trigger unless the connection asks for it, which is the
choice of whoever opened it. There a row that brings no number of its own has the number -1 in a trigger. Numbers that
are given begin at 1: a row that somebody puts in under a lower one is no obstacle to all others. Where the product
inserts what is not there yet (ON CONFLICT DO NOTHING) the row that is there stays, unsaid. The ledger puts a fuller
tile over the one that is there.
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "triggers"
GUARDED = (
    "notices", "publications", "widgets", "leaves", "checkpoints", "removals", "removed", "cosignatures", "timestamps",
    "configurations", "pictures", "decisions", "tiles",
)  # fmt: skip


def upgrade() -> None:
    triggers = TRIGGERS / f"{revision}_{op.get_bind().dialect.name}.sql"
    for statement in triggers.read_text("utf-8").splitlines():
        op.execute(statement)


def downgrade() -> None:
    # Tiles stay in their place: the older trigger lacked that by mistake.
    if op.get_bind().dialect.name == "sqlite":
        for table in GUARDED:
            op.execute(f"DROP TRIGGER {table}_keep_insert")
