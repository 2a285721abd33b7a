"""create tallies"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SHOWN = sa.table("shown", *map(sa.column, ("site_id", "notice_id", "day", "language", "device", "count")))
ROLL_UPS = sa.table(
    "roll_ups", *map(sa.column, ("site_id", "dimension", "period", "value", "notice_id", "outcome", "count"))
)


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", BigId, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.String(13), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("device", sa.String(8), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_tallies_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_tallies_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tallies"),
        sa.UniqueConstraint(
            "slot", "site_id", "notice_id", "hour", "language", "device", "country", "outcome", name="uq_tallies_cell"
        ),
    )
    op.create_table(
        "roll_ups",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.String(8), nullable=False),
        sa.Column("period", sa.String(13), nullable=False),
        sa.Column("value", sa.String(16), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_roll_ups_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_roll_ups_site_id"),
        sa.PrimaryKeyConstraint("site_id", "dimension", "period", "value", "notice_id", "outcome", name="pk_roll_ups"),
        sqlite_with_rowid=False,
    )
    # What was counted by day in UTC goes on as days; the hours were never known.
    day = sa.cast(SHOWN.c.day, sa.String(10))
    for dimension, values in (("day", []), ("language", [SHOWN.c.language]), ("device", [SHOWN.c.device])):
        columns = (SHOWN.c.site_id, sa.literal(dimension), day, *(values or [sa.literal("")]), SHOWN.c.notice_id)
        counted = sa.select(*columns, sa.literal("shown"), sa.func.sum(SHOWN.c.count))
        counted = counted.group_by(SHOWN.c.site_id, day, *values, SHOWN.c.notice_id)
        op.execute(ROLL_UPS.insert().from_select(list(ROLL_UPS.c), counted))
    op.drop_table("shown")


def downgrade() -> None:
    op.create_table(
        "shown",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("device", sa.String(8), nullable=False),
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_shown_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_shown_site_id"),
        sa.PrimaryKeyConstraint("site_id", "notice_id", "day", "language", "device", name="pk_shown"),
    )
    # Languages and devices are kept apart now: of a day's views, only how many there were goes back.
    op.execute(
        "INSERT INTO shown (site_id, notice_id, day, language, device, count)"
        " SELECT site_id, notice_id, CAST(period AS DATE), '', '', SUM(count) FROM roll_ups"
        " WHERE dimension = 'day' AND outcome = 'shown' GROUP BY site_id, notice_id, period"
    )
    op.drop_table("roll_ups")
    op.drop_table("tallies")
