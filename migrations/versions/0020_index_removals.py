"""index removals by site

Sealing looks for what is new on each of many sites.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_removals_site_id_id", "removals", ["site_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_removals_site_id_id", "removals")
