"""Ledgers: leaves, tiles, checkpoints and removals. How they grow is in store_sealing.py."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES
from consent_server.decisions import store as decisions
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_contents import Record
from consent_server.ledger.rows import CheckpointRow, LeafRow, RemovalRow, RemovedRow, TileRow
from consent_server.ledger.rules import ReadTile, Tile
from consent_server.ledger.rules_removal import RemovedRange
from consent_server.sites.rows import LedgerRow, NoticeRow

DECISIONS: Table = DecisionRow.__table__  # type: ignore[assignment]
# Records named in one statement.
AT_ONCE = 500


def get(session: Session, site_id: int) -> LedgerRow:
    """A site's ledger as it stands."""
    return session.get_one(LedgerRow, site_id)


def tile_reader(session: Session, site_id: int) -> ReadTile:
    """Reads a ledger's tiles."""

    def read(tile: Tile) -> bytes:
        place = (TileRow.site_id == site_id, TileRow.level == tile.level, TileRow.index == tile.index)
        hashes = session.scalar(select(TileRow.hashes).where(*place))
        if hashes is None or len(hashes) < tile.width * HASH_BYTES:
            raise InvalidProof(f"The tile {tile.path} is missing.")
        return hashes

    return read


def newest_checkpoint(session: Session, site_id: int, below: int | None = None) -> CheckpointRow | None:
    """The newest checkpoint of a ledger, or the newest of fewer leaves than `below`."""
    newest = select(CheckpointRow).where(CheckpointRow.site_id == site_id).order_by(CheckpointRow.size.desc())
    return session.scalar((newest if below is None else newest.where(CheckpointRow.size < below)).limit(1))


def newest_checkpoints(session: Session) -> list[tuple[str, CheckpointRow | None]]:
    """The newest checkpoint of each ledger, with the name under which the ledger goes on."""
    newest = (
        select(CheckpointRow.size)
        .where(CheckpointRow.site_id == LedgerRow.site_id)
        .order_by(CheckpointRow.size.desc())
        .limit(1)
        .correlate(LedgerRow)
        .scalar_subquery()
    )
    same = (CheckpointRow.site_id == LedgerRow.site_id) & (CheckpointRow.size == newest)
    query = select(LedgerRow.origin, CheckpointRow).outerjoin(CheckpointRow, same).order_by(LedgerRow.site_id)
    return [(origin, row) for origin, row in session.execute(query)]


def note_of_size(session: Session, site_id: int, size: int) -> str | None:
    """The checkpoint of exactly this size, as it was signed."""
    row = session.get(CheckpointRow, (site_id, size))
    return None if row is None else row.note


def leaf_of_decision(session: Session, decision_row: int) -> LeafRow | None:
    """The leaf that commits to a record; None before it is sealed."""
    return session.scalar(select(LeafRow).where(LeafRow.decision_row == decision_row))


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A leaf with what it commits to: a record, beside it the hash of its notice if that is here, or a removal.

    Salt and token are None when the record was removed, and when its content cannot be opened.
    """

    leaf_index: int
    commitment: bytes
    removal_id: int | None
    salt: bytes | None
    token: str | None
    record: Record | None
    notice: str | None

    @property
    def kind(self) -> str:
        """`decision` or `removal`."""
        return "decision" if self.removal_id is None else "removal"


def entries(session: Session, site_id: int, first: int, end: int) -> list[SealedEntry]:
    """Leaves first (included) to end (excluded), in order, with their records or removals."""
    return _entries(session, site_id, LeafRow.leaf_index >= first, LeafRow.leaf_index < end)


def removals_at(session: Session, site_id: int, indexes: Collection[int]) -> list[SealedEntry]:
    """Those of these leaves that are removals, in order."""
    return _entries(session, site_id, LeafRow.leaf_index.in_(indexes), LeafRow.removal_id.is_not(None))


def _entries(session: Session, site_id: int, *conditions: ColumnElement[bool]) -> list[SealedEntry]:
    leaves = session.execute(
        select(
            LeafRow.leaf_index, LeafRow.commitment, LeafRow.removal_id, RemovalRow.salt, RemovalRow.entry,
            DecisionRow, NoticeRow.hash,
        )
        .outerjoin(DecisionRow, DecisionRow.id == LeafRow.decision_row)
        .outerjoin(NoticeRow, NoticeRow.id == DecisionRow.notice_id)
        .outerjoin(RemovalRow, RemovalRow.id == LeafRow.removal_id)
        .where(LeafRow.site_id == site_id, *conditions)
        .order_by(LeafRow.leaf_index)
    ).all()  # fmt: skip
    rows: list[DecisionRow] = [leaf.DecisionRow for leaf in leaves if leaf.DecisionRow is not None]
    records = iter(decisions.opened(session, rows))
    return [_entry(leaf, next(records) if leaf.DecisionRow is not None else None) for leaf in leaves]


def _entry(leaf: Row[*tuple[Any, ...]], record: Record | None) -> SealedEntry:
    salt, token = leaf.salt, leaf.entry
    if record is not None and record.fault is None:
        salt, token = record.salt, record.receipt
    return SealedEntry(leaf.leaf_index, leaf.commitment, leaf.removal_id, salt, token, record, leaf.hash)


def repeated(
    session: Session, site_id: int, column: InstrumentedAttribute[UUID], ids: Collection[UUID]
) -> dict[UUID, int]:
    """Those of these identifiers that several leaves have, each with the first leaf."""
    # The sums hide the sites from the planner, which takes them for few where there is one: what was asked for
    # is the index. That of decision ids begins with the site.
    site = DecisionRow.site_id if column is DecisionRow.decision_tag else DecisionRow.site_id + 0
    rows = session.execute(
        select(column, LeafRow.leaf_index)
        .join(LeafRow, LeafRow.decision_row == DecisionRow.id)
        .where(site == site_id, LeafRow.site_id + 0 == site_id, decisions.is_of(column, ids))
    )
    # One may be encrypted and the other not yet.
    known, leaves = decisions.tags_of(column, ids), defaultdict[UUID, list[int]](list)
    for value, index in rows:
        leaves[known.get(value, value)].append(index)
    return {identifier: min(indexes) for identifier, indexes in leaves.items() if len(indexes) > 1}


def passed_over(session: Session, site_id: int, limit: int) -> list[UUID]:
    """Receipt ids of records that have no leaf though the writer is past them: put in later, or torn off."""
    rows = session.scalars(
        select(DecisionRow)
        .join(LedgerRow, LedgerRow.site_id == DecisionRow.site_id)
        .outerjoin(LeafRow, LeafRow.decision_row == DecisionRow.id)
        .where(DecisionRow.site_id == site_id, DecisionRow.id <= LedgerRow.decisions_to)
        .where(LeafRow.leaf_index.is_(None))
        .limit(limit)
    )
    return [record.receipt_id for record in decisions.opened(session, rows.all())]


def leaves_from(session: Session, site_id: int, first: int) -> int:
    """How many leaves there are from `first` on."""
    return session.scalar(select(func.count()).where(LeafRow.site_id == site_id, LeafRow.leaf_index >= first)) or 0


def removed_between(session: Session, site_id: int, first: int, end: int) -> list[RemovedRange]:
    """The removed ranges that reach into leaves first (included) to end (excluded), in order.

    Ranges never overlap, so only the last one that begins before can reach in.
    """
    before = select(func.max(RemovedRow.first)).where(RemovedRow.site_id == site_id, RemovedRow.first <= first)
    begins = RemovedRow.first >= func.coalesce(before.scalar_subquery(), first)
    return _removed(session, site_id, begins, RemovedRow.first < end, RemovedRow.last >= first)


def removed_from(session: Session, site_id: int, firsts: Collection[int]) -> list[RemovedRange]:
    """The removed ranges that begin at one of these leaves, in order."""
    return _removed(session, site_id, RemovedRow.first.in_(firsts))


def _removed(session: Session, site_id: int, *conditions: ColumnElement[bool]) -> list[RemovedRange]:
    rows = session.execute(
        select(RemovedRow.first, RemovedRow.last, RemovalRow.id, RemovalRow.entry, LeafRow.leaf_index)
        .join(RemovalRow, RemovalRow.id == RemovedRow.removal_id)
        .outerjoin(LeafRow, LeafRow.removal_id == RemovalRow.id)
        .where(RemovedRow.site_id == site_id, *conditions)
        .order_by(RemovedRow.first)
    )
    return [RemovedRange(*row) for row in rows]


def remove(
    session: Session, site_id: int, entry: str, salt: bytes, ranges: Sequence[tuple[int, int]], at: datetime
) -> int:
    """Write the removal first, then let the records that it names go, with their keys; return how many went.

    In the ledger's turn, taken before the leaves were chosen: so no two removals name the same one.
    """
    removal = RemovalRow(site_id=site_id, entry=entry, salt=salt, removed_at=at)
    session.add(removal)
    session.flush()
    session.add_all(
        RemovedRow(site_id=site_id, first=first, last=last, removal_id=removal.id) for first, last in ranges
    )
    session.flush()
    rows: list[int] = []
    for first, last in ranges:
        inside = (LeafRow.site_id == site_id, LeafRow.leaf_index.between(first, last))
        rows += session.scalars(select(LeafRow.decision_row).where(*inside, LeafRow.decision_row.is_not(None)))
    return _delete(session, site_id, rows)


def _delete(session: Session, site_id: int, rows: Sequence[int]) -> int:
    """Delete these records of a site, and destroy their keys; return how many there were."""
    connection, gone, keys = session.connection(), 0, list[tuple[int, int]]()
    for start in range(0, len(rows), AT_ONCE):
        named = DECISIONS.c.id.in_(rows[start : start + AT_ONCE])
        # Held before they are read: a record that is being encrypted right now has its slot then.
        slots = connection.execute(select(DECISIONS.c.key_chunk, DECISIONS.c.key_slot).where(named).with_for_update())
        keys += [(chunk, slot) for chunk, slot in slots if chunk is not None]
        gone += connection.execute(delete(DECISIONS).where(named)).rowcount
    record_keys.destroy(session, site_id, keys)
    return gone


def sites_of(session: Session, visitors: Collection[UUID], records: Collection[int]) -> set[int]:
    """The sites on which these visitors have records, and those of these records by row id."""
    query = select(DecisionRow.site_id).where(
        decisions.is_of(DecisionRow.visitor_tag, visitors) | DecisionRow.id.in_(records)
    )
    return set(session.scalars(query.distinct()))


def leaves_of(
    session: Session, site_ids: Collection[int], visitors: Collection[UUID], records: Collection[int], limit: int
) -> list[tuple[int, int]]:
    """(site id, leaf index), in order, of sealed records that still stand: all of these visitors, and these by row id.

    On these sites only. The latter come last where there are more than `limit`.
    """
    rows = session.execute(
        select(LeafRow.site_id, LeafRow.leaf_index)
        .join(DecisionRow, DecisionRow.id == LeafRow.decision_row)
        .where(
            decisions.is_of(DecisionRow.visitor_tag, visitors) | DecisionRow.id.in_(records),
            # The sum hides the sites from the planner: few records are these visitors', and many a site's.
            (DecisionRow.site_id + 0).in_(site_ids),
        )
        .order_by(DecisionRow.id.in_(records), LeafRow.site_id, LeafRow.leaf_index)
        .limit(limit)
    )
    return sorted((site_id, index) for site_id, index in rows)


def leaves_before(session: Session, site_id: int, before: datetime, limit: int) -> list[int]:
    """Leaf indexes, ascending, of the oldest records that were made before a time and still stand."""
    # The start of one index an action, side by side: there is none of the time alone.
    oldest = [
        select(DecisionRow.id, DecisionRow.recorded_at)
        .where(DecisionRow.site_id == site_id, DecisionRow.action == action.value, DecisionRow.recorded_at < before)
        .order_by(DecisionRow.recorded_at, DecisionRow.id)
        .limit(limit)
        for action in Action
    ]
    ids = [row_id for _, row_id in sorted((at, row_id) for query in oldest for row_id, at in session.execute(query))]
    return list(
        session.scalars(
            select(LeafRow.leaf_index).where(LeafRow.decision_row.in_(ids[:limit])).order_by(LeafRow.leaf_index)
        )
    )


def sealed_size(session: Session, site_id: int) -> int:
    """Leaves that the newest checkpoint covers."""
    return session.scalar(select(func.max(CheckpointRow.size)).where(CheckpointRow.site_id == site_id)) or 0


def sealed_range(session: Session, site_id: int, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Leaves first (included) to end (excluded) that hold all that was sealed in a span, cut at checkpoints."""
    of_site = CheckpointRow.site_id == site_id
    first = end = None
    if since is not None:
        first = session.scalar(select(func.max(CheckpointRow.size)).where(of_site, CheckpointRow.sealed_at <= since))
    if until is not None:
        end = session.scalar(select(func.min(CheckpointRow.size)).where(of_site, CheckpointRow.sealed_at >= until))
    return first or 0, sealed_size(session, site_id) if end is None else end


def checkpoints_between(session: Session, site_id: int, size: int, end: int) -> list[CheckpointRow]:
    """The checkpoint that covers leaf `size`, and those after it up to the one that covers leaf `end` - 1."""
    first = select(CheckpointRow).where(CheckpointRow.site_id == site_id, CheckpointRow.size > size)
    inside = list(session.scalars(first.where(CheckpointRow.size < end).order_by(CheckpointRow.size)))
    last = session.scalar(first.where(CheckpointRow.size >= end).order_by(CheckpointRow.size).limit(1))
    return [*inside, *([last] if last else [])]
