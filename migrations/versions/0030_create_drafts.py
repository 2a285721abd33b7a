"""create drafts"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("site_key", sa.String(63), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("based_on", sa.String(64), nullable=False),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_key", name="pk_drafts"),
    )
    op.create_table(
        "earlier_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("applied_by", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_earlier_files_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_earlier_files"),
    )
    op.create_index("ix_earlier_files_site_id_id", "earlier_files", ["site_id", "id"])
    # Of a file that is there it is not known, and a command had applied it.
    op.add_column("site_files", sa.Column("applied_by", sa.String(300), nullable=True))


def downgrade() -> None:
    op.drop_column("site_files", "applied_by")
    op.drop_index("ix_earlier_files_site_id_id", "earlier_files")
    op.drop_table("earlier_files")
    op.drop_table("drafts")
