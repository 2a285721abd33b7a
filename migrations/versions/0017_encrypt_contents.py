"""encrypt contents

Only columns that are NULL are added, so that this takes no longer with more records. What is there stays in the clear
until the server has encrypted it, which is the one change of a record that its trigger lets pass from now on: what
identifies goes, its encryption comes, nothing else changes, and the leaf still fits.

PostgreSQL's statistics keep values of a column beyond the erasure of their rows, so that none samples what is secret.
What is encrypted does not compress, and in the row it costs one look-up less than beside it.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "triggers"
# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNSAMPLED = {"decisions": ("content", "commitment"), "record_keys": ("secret",)}
COLUMNS = ("content", "key_chunk", "key_slot", "commitment")


def upgrade() -> None:
    op.create_table(
        "record_keys",
        sa.Column("site_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("chunk", BigId, nullable=False, autoincrement=False),
        sa.Column("node", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "chunk", "node", name="pk_record_keys"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "encryption",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("begun_to", BigId, nullable=False),
        sa.Column("encrypted_to", BigId, nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("rewritten", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_encryption"),
    )
    op.execute(
        "INSERT INTO encryption (id, begun_at, begun_to, encrypted_to, ended, rewritten) VALUES (1, NULL, 0, 0,"
        " NOT EXISTS (SELECT 1 FROM decisions), NOT EXISTS (SELECT 1 FROM decisions))"
    )
    op.add_column("decisions", sa.Column("content", sa.LargeBinary(), nullable=True))
    op.add_column("decisions", sa.Column("key_chunk", BigId, nullable=True))
    op.add_column("decisions", sa.Column("key_slot", sa.Integer(), nullable=True))
    op.add_column("decisions", sa.Column("commitment", sa.LargeBinary(32), nullable=True))
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        for table, columns in UNSAMPLED.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
        op.execute("ALTER TABLE decisions ALTER COLUMN content SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE decisions SET (toast_tuple_target = 8160)")
    triggers = TRIGGERS / f"{revision}_{dialect}.sql"
    for statement in triggers.read_text("utf-8").splitlines():
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT 1 FROM decisions WHERE content IS NOT NULL)")):
        raise RuntimeError("Records are encrypted: an earlier version could read none of them.")
    dialect = op.get_bind().dialect.name
    kind = "TRIGGER" if dialect == "sqlite" else "FUNCTION"
    earlier = (TRIGGERS / f"0002_{dialect}.sql").read_text("utf-8").splitlines()
    (keep,) = [line for line in earlier if line.startswith(f"CREATE {kind} decisions_keep_update")]
    if dialect == "sqlite":
        op.execute("DROP TRIGGER decisions_keep_update")
        op.execute(keep)
    else:
        op.execute(keep.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
        op.execute("ALTER TABLE decisions RESET (toast_tuple_target)")
    for column in COLUMNS:
        op.drop_column("decisions", column)
    op.drop_table("encryption")
    op.drop_table("record_keys")
