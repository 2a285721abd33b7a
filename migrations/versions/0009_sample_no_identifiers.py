"""sample no identifiers"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# PostgreSQL's statistics keep values of a column, beyond the erasure of their rows. These are looked up by
# equality alone, through an index each, for which the planner needs no sample.
COLUMNS = ("decision_id", "receipt_id", "visitor", "request_hash", "salt", "receipt")


def upgrade() -> None:
    _sample(0)


def downgrade() -> None:
    _sample(-1)


def _sample(values: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for column in COLUMNS:
            op.execute(f"ALTER TABLE decisions ALTER COLUMN {column} SET STATISTICS {values}")
