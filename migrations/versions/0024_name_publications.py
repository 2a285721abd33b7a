"""name publications: those that are there have no title, and are called by what they changed"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("publications", sa.Column("title", sa.String(80), nullable=True))


def downgrade() -> None:
    op.drop_column("publications", "title")
