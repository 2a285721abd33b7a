"""create tag sightings"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Milliseconds since 1970, as all times here.
Milliseconds = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "tag_sightings",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("seen_at", Milliseconds, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_tag_sightings_site_id"),
        sa.PrimaryKeyConstraint("site_id", "origin", name="pk_tag_sightings"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("tag_sightings")
