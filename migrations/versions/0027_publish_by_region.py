"""publish by region: a notice may be in force in one region of a site alone"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("publications", sa.Column("region", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("publications", "region")
