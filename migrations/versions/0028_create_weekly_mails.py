"""create weekly mails"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# Milliseconds since 1970, as all times here.
Milliseconds = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "weekly_mails",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("week", sa.String(10), nullable=False),
        sa.Column("due_since", Milliseconds, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Milliseconds, nullable=True),
        sa.Column("delivered_at", Milliseconds, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_weekly_mails_site_id"),
        sa.PrimaryKeyConstraint("site_id", "week", name="pk_weekly_mails"),
    )
    op.create_index("ix_weekly_mails_next_try_at", "weekly_mails", ["next_try_at"])


def downgrade() -> None:
    op.drop_table("weekly_mails")
