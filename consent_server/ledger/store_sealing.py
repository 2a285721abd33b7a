"""What sealing reads and writes: of many ledgers at once, in as many statements as for a single one."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Integer,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    column,
    func,
    insert,
    null,
    select,
    update,
    values,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_contents import commitment
from consent_server.ledger.rows import CheckpointRow, LeafRow, RemovalRow, TileRow
from consent_server.ledger.rules import TILE_HEIGHT, Tile
from consent_server.sites.rows import LedgerRow

LEDGERS: Table = LedgerRow.__table__  # type: ignore[assignment]
LEAVES: Table = LeafRow.__table__  # type: ignore[assignment]
TILES: Table = TileRow.__table__  # type: ignore[assignment]
CHECKPOINTS: Table = CheckpointRow.__table__  # type: ignore[assignment]

# PostgreSQL shifts a number of 64 bits by at most 63: levels for 2^56 leaves.
LEVELS = values(column("level", Integer)).data([(level,) for level in range(7)]).cte("levels")


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes a leaf: a record or a removal, by row id."""

    row_id: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class State:
    """A ledger in its turn: its newest checkpoint, the tiles at its end, and what has no leaf yet, oldest first."""

    ledger: LedgerRow
    newest: CheckpointRow | None
    edge: dict[tuple[int, int], bytes]
    decisions: Sequence[Entry]
    removals: Sequence[Entry]

    @property
    def new(self) -> int:
        """How many leaves it is to gain."""
        return len(self.decisions) + len(self.removals)

    def read_tile(self, tile: Tile) -> bytes:
        """A tile at its end. Raises InvalidProof when it is missing."""
        hashes = self.edge.get((tile.level, tile.index), b"")
        if len(hashes) < tile.width * HASH_BYTES:
            raise InvalidProof(f"The tile {tile.path} is missing.")
        return hashes


@dataclass(frozen=True, slots=True)
class Growth:
    """What a ledger gains at once: a leaf for each entry, the tiles over them, the checkpoint that covers them."""

    state: State
    commitments: Sequence[bytes]
    tiles: Sequence[tuple[Tile, bytes]]
    note: str
    sealed_at: datetime

    @property
    def size(self) -> int:
        """How many leaves the ledger has then."""
        return self.state.ledger.size + len(self.commitments)

    def leaves(self) -> Iterator[dict[str, Any]]:
        """Records, and after them removals, numbered from the ledger's size on."""
        state, ledger = self.state, self.state.ledger
        owners: list[tuple[int | None, int | None]] = [(entry.row_id, None) for entry in state.decisions]
        owners += [(None, entry.row_id) for entry in state.removals]
        for index, (data, (row, removal)) in enumerate(zip(self.commitments, owners, strict=True), start=ledger.size):
            leaf = {"commitment": data, "decision_row": row, "removal_id": removal}
            yield {"site_id": ledger.site_id, "leaf_index": index, **leaf}

    def checkpoint(self) -> dict[str, Any]:
        """The checkpoint that covers all of it."""
        site_id = self.state.ledger.site_id
        return {"site_id": site_id, "size": self.size, "note": self.note, "sealed_at": self.sealed_at}

    def position(self) -> dict[str, int]:
        """How far the ledger is then."""
        state, ledger = self.state, self.state.ledger
        return {
            "of_site": ledger.site_id,
            "new_size": self.size,
            "new_decisions_to": state.decisions[-1].row_id if state.decisions else ledger.decisions_to,
            "new_removals_to": state.removals[-1].row_id if state.removals else ledger.removals_to,
        }


def newest_decision(session: Session) -> int:
    """The highest row id of all records."""
    return session.scalar(select(func.max(DecisionRow.id))) or 0


def behind(session: Session) -> list[int]:
    """Sites with records or removals that have no leaf yet: a look at the end of an index for each site."""
    decisions = select(func.max(DecisionRow.id)).where(DecisionRow.site_id == LedgerRow.site_id).scalar_subquery()
    removals = select(func.max(RemovalRow.id)).where(RemovalRow.site_id == LedgerRow.site_id).scalar_subquery()
    return list(
        session.scalars(
            select(LedgerRow.site_id).where((decisions > LedgerRow.decisions_to) | (removals > LedgerRow.removals_to))
        )
    )


def sites_between(session: Session, after: int, upto: int) -> list[int]:
    """The sites of the records with these row ids: costs what is new, however many sites there are."""
    new = (DecisionRow.id > after, DecisionRow.id <= upto)
    return list(session.scalars(select(DecisionRow.site_id).where(*new).distinct()))


def take_turns(session: Session, site_ids: Collection[int], skip_locked: bool = False) -> list[LedgerRow]:
    """Become the one writer of these ledgers until the transaction ends, however it ends.

    On SQLite the transaction itself is the only writer; on PostgreSQL the row locks are the lease. Either is given
    back by the database when its holder dies. They are taken in one order, so that two who want the same ones
    never wait in a ring. `skip_locked` leaves those out in which somebody else has the turn.
    """
    return list(
        session.scalars(
            select(LedgerRow)
            .where(LedgerRow.site_id.in_(site_ids))
            .order_by(LedgerRow.site_id)
            .with_for_update(skip_locked=skip_locked)
            .execution_options(populate_existing=True)
        )
    )


def read_states(session: Session, turns: Sequence[LedgerRow], upto: int, limit: int) -> list[State]:
    """Of ledgers in their turn, each with at most so many records up to a row id, and so many entries in all."""
    site_ids = [ledger.site_id for ledger in turns]
    decisions = new_decisions(session, site_ids, upto, limit)
    removals = new_removals(session, site_ids, limit)
    checkpoints, edges = _newest_checkpoints(session, site_ids), _edges(session, site_ids)
    states = []
    for ledger in turns:
        site_id = ledger.site_id
        new = decisions.get(site_id, [])
        room = removals.get(site_id, [])[: limit - len(new)]
        states.append(State(ledger, checkpoints.get(site_id), edges.get(site_id, {}), new, room))
    return states


def count_new(session: Session, site_ids: Collection[int], upto: int, limit: int) -> dict[int, int]:
    """By site, how many records up to a row id, and removals, have no leaf: counted from indexes, up to `limit`."""
    counts = (
        select(func.count()).select_from(new.limit(limit).subquery()).scalar_subquery()
        for new in (
            _without_leaf(_RECORDS, LedgerRow.decisions_to, upto),
            _without_leaf(_REMOVALS, LedgerRow.removals_to),
        )
    )
    rows = session.execute(select(LedgerRow.site_id, *counts).where(LedgerRow.site_id.in_(site_ids)))
    return {site_id: min(decisions + removals, limit) for site_id, decisions, removals in rows}


def new_decisions(session: Session, site_ids: Collection[int], upto: int, limit: int) -> dict[int, list[Entry]]:
    """By site, the oldest records up to a row id that have no leaf: at most `limit` of each."""
    last = _last(_without_leaf(_RECORDS, LedgerRow.decisions_to, upto), limit)
    query = (
        select(
            DecisionRow.site_id,
            DecisionRow.id,
            DecisionRow.plain_salt,
            DecisionRow.plain_receipt,
            DecisionRow.commitment,
        )
        .join(LedgerRow, LedgerRow.site_id == DecisionRow.site_id)
        .where(DecisionRow.id > LedgerRow.decisions_to, DecisionRow.id <= func.coalesce(last, upto))
    )
    return _entries(session, query.where(LedgerRow.site_id.in_(site_ids)))


def new_removals(session: Session, site_ids: Collection[int], limit: int) -> dict[int, list[Entry]]:
    """By site, the oldest removals that have no leaf: at most `limit` of each; call it in the ledgers' turn.

    They are written in it too, so no lower id can appear later, though ids are handed out before they are committed.
    """
    last = _last(_without_leaf(_REMOVALS, LedgerRow.removals_to), limit)
    query = (
        select(RemovalRow.site_id, RemovalRow.id, RemovalRow.salt, RemovalRow.entry, null())
        .join(LedgerRow, LedgerRow.site_id == RemovalRow.site_id)
        .where(RemovalRow.id > LedgerRow.removals_to, RemovalRow.id <= func.coalesce(last, RemovalRow.id))
    )
    return _entries(session, query.where(LedgerRow.site_id.in_(site_ids)))


_RECORDS, _REMOVALS = aliased(DecisionRow), aliased(RemovalRow)


def _without_leaf(
    entries: type[DecisionRow] | type[RemovalRow], position: InstrumentedAttribute[int], upto: int | None = None
) -> Select[int]:
    """Their row ids, of a ledger in the query around it."""
    new = select(entries.id).where(entries.site_id == LedgerRow.site_id, entries.id > position)
    return (new if upto is None else new.where(entries.id <= upto)).correlate(LedgerRow)


def _last(new: Select[int], limit: int) -> ScalarSelect[int]:
    return new.order_by(new.selected_columns.id).limit(1).offset(limit - 1).scalar_subquery()


def _entries(session: Session, query: Select[int, int, bytes, str, Any]) -> dict[int, list[Entry]]:
    entries: dict[int, list[Entry]] = {}
    for site_id, row_id, salt, token, kept in session.execute(query):
        entries.setdefault(site_id, []).append(Entry(row_id, kept or commitment(salt, token)))
    for new in entries.values():
        new.sort(key=attrgetter("row_id"))
    return entries


def _newest_checkpoints(session: Session, site_ids: Collection[int]) -> dict[int, CheckpointRow]:
    checkpoints = aliased(CheckpointRow)
    size = select(func.max(checkpoints.size)).where(checkpoints.site_id == LedgerRow.site_id)
    query = (
        select(CheckpointRow)
        .join(LedgerRow, LedgerRow.site_id == CheckpointRow.site_id)
        .where(LedgerRow.site_id.in_(site_ids))
        .where(CheckpointRow.size == size.correlate(LedgerRow).scalar_subquery())
    )
    return {newest.site_id: newest for newest in session.scalars(query)}


def _edges(session: Session, site_ids: Collection[int]) -> dict[int, dict[tuple[int, int], bytes]]:
    """The last tile of each level, unless it is full: a tree grows there, and its root is made of these alone."""
    index = LedgerRow.size.bitwise_rshift(TILE_HEIGHT * (LEVELS.c.level + 1))
    query = (
        select(TileRow.site_id, TileRow.level, TileRow.index, TileRow.hashes)
        .join(LedgerRow, LedgerRow.site_id == TileRow.site_id)
        .join(LEVELS, LEVELS.c.level == TileRow.level)
        .where(LedgerRow.site_id.in_(site_ids), TileRow.index == index)
    )
    edges: dict[int, dict[tuple[int, int], bytes]] = {}
    for site_id, level, place, hashes in session.execute(query):
        edges.setdefault(site_id, {})[level, place] = hashes
    return edges


def append_leaves(session: Session, growths: Sequence[Growth]) -> None:
    """Number the new entries of these ledgers."""
    session.execute(insert(LEAVES), [leaf for growth in growths for leaf in growth.leaves()])


def store_tiles(session: Session, growths: Sequence[Growth]) -> None:
    """Store tiles over their narrower versions."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(TILES)
    upsert = row.on_conflict_do_update(index_elements=list(TILES.primary_key), set_={"hashes": row.excluded.hashes})
    stored = [
        {"site_id": growth.state.ledger.site_id, "level": tile.level, "index": tile.index, "hashes": hashes}
        for growth in growths
        for tile, hashes in growth.tiles
    ]
    session.execute(upsert, stored)


def seal(session: Session, growths: Sequence[Growth]) -> None:
    """Put the checkpoints and the writer's new positions in place."""
    session.execute(insert(CHECKPOINTS), [growth.checkpoint() for growth in growths])
    moved = (
        update(LEDGERS)
        .where(LEDGERS.c.site_id == bindparam("of_site"))
        .values({name: bindparam(f"new_{name}") for name in ("size", "decisions_to", "removals_to")})
    )
    session.execute(moved, [growth.position() for growth in growths])


def write(session: Session, growths: Sequence[Growth]) -> None:
    """Leaves, tiles, checkpoints and new positions of these ledgers.

    Raises InvalidProof, and the transaction is lost, where somebody has put something in the place of one of them.
    """
    try:
        append_leaves(session, growths)
        store_tiles(session, growths)
        seal(session, growths)
    except IntegrityError as error:
        origins = ", ".join(growth.state.ledger.origin for growth in growths)
        raise InvalidProof(f"{origins} holds already what is to come next. Run: consent ledger check SITE") from error
