"""create experiment_arms"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "experiment_arms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("experiment", sa.String(64), nullable=False),
        sa.Column("arm", sa.String(64), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_experiment_arms_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_experiment_arms_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_experiment_arms"),
        sa.UniqueConstraint("site_id", "experiment", "arm", name="uq_experiment_arms_site_id_experiment_arm"),
    )


def downgrade() -> None:
    op.drop_table("experiment_arms")
