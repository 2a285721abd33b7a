"""create configurations and pictures

Nothing is filled in: what code was served with before this is not known to the byte, and an archive must not guess. The
notice in force is archived when the server first loads it.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("pictures", "configurations")
TRIGGERS = Path(__file__).parents[1] / "triggers"


def upgrade() -> None:
    op.create_table(
        "configurations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("widget", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("main", sa.Text(), nullable=False),
        sa.Column("preferences", sa.Text(), nullable=False),
        sa.Column("served_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_configurations_notice_id"),
        sa.ForeignKeyConstraint(["widget"], ["widgets.hash"], name="fk_configurations_widget"),
        sa.PrimaryKeyConstraint("id", name="pk_configurations"),
        sa.UniqueConstraint(
            "notice_id", "widget", "language", "hash", name="uq_configurations_notice_id_widget_language_hash"
        ),
    )
    op.create_table(
        "pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("widget", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_pictures_notice_id"),
        sa.ForeignKeyConstraint(["widget"], ["widgets.hash"], name="fk_pictures_widget"),
        sa.PrimaryKeyConstraint("id", name="pk_pictures"),
        sa.UniqueConstraint(
            "notice_id", "widget", "language", "width", name="uq_pictures_notice_id_widget_language_width"
        ),
    )
    triggers = TRIGGERS / f"{revision}_{op.get_bind().dialect.name}.sql"
    for statement in triggers.read_text("utf-8").splitlines():
        op.execute(statement)


def downgrade() -> None:
    drop = {"sqlite": "DROP TRIGGER {}", "postgresql": "DROP FUNCTION {}() CASCADE"}[op.get_bind().dialect.name]
    for table in TABLES:
        for change in ("update", "delete"):
            op.execute(drop.format(f"{table}_keep_{change}"))
    for table in TABLES:
        op.drop_table(table)
