"""count grants apart: how often each was granted is kept, which were granted together no longer"""

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column typed exactly INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CELL = ("slot", "site_id", "notice_id", "hour", "language", "device", "country")
PLACE = ("site_id", "dimension", "period", "value", "notice_id")
TALLIES = sa.table("tallies", *map(sa.column, (*CELL, "outcome", "outcome_hash", "count")))
# Of outcomes that are one counter; the others are taken apart.
ALONE = {
    "shown": "shown", "change": "changes", "withdrawal": "withdrawals", "gpc": "gpc", "robot": "robots",
    "prefetch": "prefetches",
}  # fmt: skip
BACK = {counter: outcome for outcome, counter in ALONE.items()} | {
    "changes": "change:save", "accept_all": "first:accept_all", "refuse_all": "first:refuse_all", "save": "first:save",
}  # fmt: skip
BATCH = 1000


def upgrade() -> None:
    waiting = _take_inbox()
    _create_tallies(sa.Column("outcome_hash", sa.LargeBinary(32), nullable=False))
    op.bulk_insert(TALLIES, [row | {"outcome_hash": sha256(row["outcome"].encode()).digest()} for row in waiting])
    _make_anew("outcome", sa.Column("counter", sa.String(96), nullable=False), sa.String(16), _counters)
    op.execute(
        "INSERT INTO roll_ups"
        " SELECT site_id, 'device months', substr(period, 1, 7), value, notice_id, counter, SUM(count) FROM roll_ups"
        " WHERE dimension = 'device' GROUP BY site_id, substr(period, 1, 7), value, notice_id, counter"
    )
    # PostgreSQL's statistics keep values of a column beyond their rows, and these are to be gone in seconds.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE tallies ALTER COLUMN outcome SET STATISTICS 0")


def downgrade() -> None:
    # Which purposes and vendors were granted together is known no more: choices go back without their grants.
    op.execute(
        "INSERT INTO roll_ups"
        " SELECT site_id, CASE dimension WHEN 'languages' THEN 'language' ELSE 'country' END, period, value, notice_id,"
        " counter, count FROM roll_ups WHERE dimension IN ('languages', 'countries')"
        " ON CONFLICT (site_id, dimension, period, value, notice_id, counter)"
        " DO UPDATE SET count = roll_ups.count + excluded.count"
    )
    op.execute("DELETE FROM roll_ups WHERE dimension IN ('languages', 'countries') OR dimension LIKE '% months'")
    waiting = _take_inbox()
    _create_tallies()
    op.bulk_insert(TALLIES, waiting)
    _make_anew("counter", sa.Column("outcome", sa.Text(), nullable=False), sa.String(8), _outcomes)


def _take_inbox() -> list[dict[str, Any]]:
    """Drop the inbox; return what waited in it, which is of seconds."""
    found = op.get_bind().execute(sa.select(*(TALLIES.c[name] for name in (*CELL, "outcome", "count"))))
    rows = [dict(row) for row in found.mappings()]
    op.drop_table("tallies")
    return rows


def _create_tallies(*hashed: sa.Column[bytes]) -> None:
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
        *hashed,
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_tallies_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_tallies_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tallies"),
        sa.UniqueConstraint(*CELL, hashed[0].name if hashed else "outcome", name="uq_tallies_cell"),
    )


def _make_anew(old: str, new: sa.Column[str], dimension: sa.String, parts: Callable[[str], Iterator[str]]) -> None:
    """Put the roll-ups into a new table, each count under the `parts` of what it was kept under.

    What is only deleted or changed would stay in the pages and statistics of the old one.
    """
    op.rename_table("roll_ups", "old_roll_ups")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_roll_ups RENAME TO pk_old_roll_ups")
    op.create_table(
        "roll_ups",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("dimension", dimension, nullable=False),
        sa.Column("period", sa.String(13), nullable=False),
        sa.Column("value", sa.String(16), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        new,
        sa.Column("count", BigId, nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_roll_ups_notice_id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_roll_ups_site_id"),
        sa.PrimaryKeyConstraint("site_id", "dimension", "period", "value", "notice_id", new.name, name="pk_roll_ups"),
        sqlite_with_rowid=False,
    )
    filled = sa.table("roll_ups", *map(sa.column, (*PLACE, new.name, "count")))
    batch: list[dict[str, Any]] = []
    for place, sums in _sums(old, parts):
        batch += [dict(zip(PLACE, place, strict=True)) | {new.name: name, "count": sums[name]} for name in sorted(sums)]
        if len(batch) >= BATCH:
            op.bulk_insert(filled, batch)
            batch = []
    op.bulk_insert(filled, batch)
    op.drop_table("old_roll_ups")


def _sums(old: str, parts: Callable[[str], Iterator[str]]) -> Iterator[tuple[tuple[Any, ...], Counter[str]]]:
    table = sa.table("old_roll_ups", *map(sa.column, (*PLACE, old, "count")))
    places = [table.c[name] for name in PLACE]
    query = sa.select(*places, table.c[old], table.c["count"]).order_by(*places)
    rows = op.get_bind().execute(query, execution_options={"yield_per": BATCH})
    for place, here in groupby(rows, key=lambda row: tuple(row[:-2])):
        sums: Counter[str] = Counter()
        for *_, kept_under, count in here:
            for part in parts(kept_under):
                sums[part] += count
        yield place, sums


def _counters(outcome: str) -> Iterator[str]:
    kind, action, purposes, vendors, signal = (*outcome.split(":"), "", "", "", "")[:5]
    if kind.startswith("conversion_"):
        yield f"{kind} {vendors}"
    elif kind != "first":
        yield ALONE[kind]
    else:
        yield from ("decisions", action)
        yield from ["granted"] if purposes or vendors else []
        yield from ["with_gpc"] if signal else []
        yield from ["with_gpc_accept_all"] if signal and action == "accept_all" else []
        yield from (f"purpose {key}" for key in purposes.split(",") if key)
        yield from (f"vendor {key}" for key in vendors.split(",") if key)


def _outcomes(counter: str) -> Iterator[str]:
    kind, _, vendor = counter.partition(" ")
    if kind.startswith("conversion_"):
        yield f"{kind}:::{vendor}"
    elif counter in BACK:
        yield BACK[counter]
