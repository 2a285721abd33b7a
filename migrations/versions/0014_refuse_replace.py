"""refuse REPLACE, and have tiles stay in their place"""

from alembic import op

from consent_server.core import append_only

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in (*append_only.mended(dialect), *append_only.statements(dialect, revision)):
        op.execute(statement)


def downgrade() -> None:
    for statement in append_only.removals(op.get_bind().dialect.name, revision):
        op.execute(statement)
