"""keep site files"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of a site that is there its file is kept when it is applied the next time.
    op.create_table(
        "site_files",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_site_files_site_id"),
        sa.PrimaryKeyConstraint("site_id", name="pk_site_files"),
    )


def downgrade() -> None:
    op.drop_table("site_files")
