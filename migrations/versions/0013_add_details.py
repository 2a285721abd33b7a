"""add details to configurations

Code from before this was called with two texts, and stays so: a row that is there has none, nor is it filled in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in batch mode, which on SQLite copies the table and drops its triggers.
    op.add_column("configurations", sa.Column("details", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("configurations", "details")
