"""tell of closed days: what was told at once goes back among the days that are to be closed, with noise"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Hours keep that something was shown, answered and recorded; of what was answered, what is told.
    op.execute(
        "INSERT INTO roll_ups SELECT site_id, 'pulse', period, value, notice_id, counter, count FROM roll_ups"
        " WHERE dimension = 'hour' AND counter IN ('shown', 'decisions')"
    )
    op.execute(
        "INSERT INTO roll_ups SELECT site_id, 'pulse', period, value, notice_id, 'records', SUM(count) FROM roll_ups"
        " WHERE dimension = 'hour' AND counter IN ('decisions', 'answered_again', 'changes', 'withdrawals')"
        " GROUP BY site_id, period, value, notice_id"
    )
    op.execute(
        "DELETE FROM roll_ups WHERE dimension = 'hour'"
        " AND counter NOT IN ('shown', 'decisions', 'accept_all', 'refuse_all', 'save')"
    )
    op.execute("UPDATE roll_ups SET dimension = 'selection' WHERE dimension = 'day' AND counter LIKE '% %'")
    op.execute("DELETE FROM roll_ups WHERE dimension LIKE '% months'")
    for told, counted in (("languages", "language"), ("countries", "country"), ("pages", "page")):
        _move(told, counted)


def downgrade() -> None:
    # Noise stays where it is: what was counted is known no more.
    op.execute(
        "DELETE FROM roll_ups WHERE dimension IN ('today', 'next', 'notices') OR counter = 'records'"
        " OR counter = 'draws' OR counter LIKE 'draws %' OR count <= 0"
    )
    op.execute("DELETE FROM roll_ups WHERE dimension IN ('hour', 'hours') AND counter IN ('shown', 'decisions')")
    for now, before in (
        ("pulse", "hour"), ("hours", "hour"), ("days", "day"), ("selection", "day"), ("selections", "day"),
        ("devices", "device"), ("page", "pages"),
    ):  # fmt: skip
        _move(now, before)


def _move(dimension: str, other: str) -> None:
    places = {"dimension": dimension, "other": other}
    op.execute(
        sa.text(
            "INSERT INTO roll_ups SELECT site_id, :other, period, value, notice_id, counter, count FROM roll_ups"
            " WHERE dimension = :dimension ON CONFLICT (site_id, dimension, period, value, notice_id, counter)"
            " DO UPDATE SET count = roll_ups.count + excluded.count"
        ).bindparams(**places)
    )
    op.execute(sa.text("DELETE FROM roll_ups WHERE dimension = :dimension").bindparams(dimension=dimension))
