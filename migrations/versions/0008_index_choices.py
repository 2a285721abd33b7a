"""index what choices in between granted"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAME = "ix_decisions_choices"
CHOICES = sa.text("granted <> '' AND action <> 'accept_all'")


def upgrade() -> None:
    start = sa.text("substr(granted, 1, 200)")
    columns = ["notice_id", "action", start, "recorded_at", "id"]
    op.create_index(NAME, "decisions", columns, sqlite_where=CHOICES, postgresql_where=CHOICES)


def downgrade() -> None:
    op.drop_index(NAME, "decisions")
