"""Decisions with their receipts: inserted once, then only read. The one place where their contents are opened."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from consent_server.core.database import connection_of
from consent_server.core.driver_insert import DriverInsert
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.encryption import decrypt, encrypt
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_contents import DECISION, RECEIPT, VISITOR, Content, Record, commitment, tag
from consent_server.decisions.rules_record_keys import SLOTS, Nodes, key_of
from consent_server.decisions.store_record_keys import Chunk
from consent_server.decisions.supply_keys import KeySupply, RecordKey

TABLE: Table = DecisionRow.__table__  # type: ignore[assignment]
_INSERT = DriverInsert(TABLE, lambda insert: insert.on_conflict_do_nothing())
# What a content has of a row in the clear.
IDENTIFYING = ("salt", "request_hash", "visitor", "decision_id", "receipt_id", "receipt")
# The claims of a receipt that say what a record is looked up by.
_CLAIMS = {"decision_id": "decision_id", "receipt_id": "jti", "visitor": "sub"}
_ENCRYPT = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in (*IDENTIFYING, "content", "key_chunk", "key_slot", "commitment")})
)
GONE = "its key is gone, and no removal names it"
ALTERED = "its content was altered"


def append(session: Session, rows: Sequence[dict[str, Any]], keys: KeySupply) -> set[UUID]:
    """Insert the decisions whose ids are new; return the receipt ids of those. A known one is left as it is.

    Given in the clear, they are encrypted here: no page of the database ever holds what identifies.
    """
    if not rows:
        return set()
    # In one order everywhere: two writers with the same ids then queue, and never wait for each other in a ring.
    rows = sorted(rows, key=lambda row: (row["site_id"], row["decision_id"].bytes))
    parts = encrypted_parts(session, [(row["site_id"], content_of(row)) for row in rows], keys)
    encrypted = [row | part for row, part in zip(rows, parts, strict=True)]
    ids = {row["receipt_id"]: known["receipt_id"] for row, known in zip(encrypted, rows, strict=True)}
    if _INSERT(connection_of(session), encrypted) == len(rows):
        return set(ids.values())
    new = session.scalars(select(DecisionRow.receipt_tag).where(DecisionRow.receipt_tag.in_(ids)))
    return {ids[receipt_tag] for receipt_tag in new}


def content_of(row: dict[str, Any]) -> Content:
    """What identifies in a row in the clear."""
    return Content(**{name: row[name] for name in IDENTIFYING})


def encrypted_parts(session: Session, contents: Sequence[tuple[int, Content]], keys: KeySupply) -> list[dict[str, Any]]:
    """For each site and content the columns of a row that say in cipher what identifies, by their names."""
    counts = Counter(site_id for site_id, _ in contents)
    taken = {site_id: iter(keys.take(session, site_id, count)) for site_id, count in sorted(counts.items())}
    return [_encrypted_part(site_id, content, next(taken[site_id])) for site_id, content in contents]


def _encrypted_part(site_id: int, content: Content, key: RecordKey) -> dict[str, Any]:
    return {
        **content.tags(),
        "salt": b"",
        "request_hash": b"",
        "receipt": "",
        "content": encrypt(content, key.key, site_id, key.chunk, key.slot),
        "key_chunk": key.chunk,
        "key_slot": key.slot,
        "commitment": commitment(content.salt, content.receipt),
    }


def _content_in_the_clear(row: DecisionRow) -> Content:
    return Content(
        salt=row.plain_salt,
        request_hash=row.plain_request_hash,
        visitor=row.visitor_tag,
        decision_id=row.decision_tag,
        receipt_id=row.receipt_tag,
        receipt=row.plain_receipt,
    )


def encrypt_in_place(session: Session, rows: Sequence[DecisionRow], keys: KeySupply) -> None:
    """Replace what rows have in the clear by its encryption: the one change of a row that the database lets pass."""
    parts = encrypted_parts(session, [(row.site_id, _content_in_the_clear(row)) for row in rows], keys)
    changes = [{"row_id": row.id, **part} for row, part in zip(rows, parts, strict=True)]
    if changes:
        connection_of(session).execute(_ENCRYPT, changes)


def known_in_the_clear(session: Session, rows: Sequence[dict[str, Any]]) -> set[tuple[int, UUID]]:
    """Site and decision id of those that are on record in the clear, where no tag meets them."""
    site_ids, ids = {row["site_id"] for row in rows}, {row["decision_id"] for row in rows}
    query = select(DecisionRow.site_id, DecisionRow.decision_tag).where(
        DecisionRow.site_id.in_(site_ids), DecisionRow.decision_tag.in_(ids), DecisionRow.content.is_(None)
    )
    return {(site_id, decision_id) for site_id, decision_id in session.execute(query)}


def opened(session: Session, rows: Sequence[DecisionRow]) -> list[Record]:
    """Records with what identifies, as far as their keys are there; in the order of the rows."""
    chunks = {(row.site_id, row.key_chunk) for row in rows if row.key_chunk is not None}
    nodes = record_keys.nodes_of(session, chunks)
    return [_opened(row, nodes) for row in rows]


def by_decision_id(session: Session, site_id: int, decision_id: UUID) -> Record | None:
    """The record of a decision id on a site."""
    own = (DecisionRow.site_id == site_id, is_of(DecisionRow.decision_tag, [decision_id]))
    return _first(session, select(DecisionRow).where(*own))


def by_receipt_id(session: Session, receipt_id: UUID) -> Record | None:
    """The record of a receipt."""
    return _first(session, select(DecisionRow).where(is_of(DecisionRow.receipt_tag, [receipt_id])))


def newest_of_visitor(session: Session, site_id: int, visitor: UUID) -> Record | None:
    """The last record of a visitor of a site: what stands of all that they decided."""
    return _first(session, select(DecisionRow).where(*_on_site(site_id, visitor)).order_by(DecisionRow.id.desc()))


def visitor_exists(session: Session, site_id: int, visitor: UUID) -> bool:
    """Whether this server gave this identifier to a visitor of this site."""
    return session.scalar(select(DecisionRow.id).where(*_on_site(site_id, visitor)).limit(1)) is not None


def is_of(
    column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], ids: Collection[UUID]
) -> ColumnElement[bool]:
    """That a record has one of these identifiers, whether or not it is encrypted."""
    tags = tags_of(column, ids)
    return and_(column.in_([*tags, *ids]), or_(DecisionRow.content.is_(None), column.in_(tags)))


def tags_of(
    column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], ids: Iterable[UUID]
) -> dict[UUID, UUID]:
    """The identifiers by what stands for them in a column of tags."""
    kind = {"decision_tag": DECISION, "receipt_tag": RECEIPT, "visitor_tag": VISITOR}[column.key]
    return {tag(kind, identifier): identifier for identifier in ids}


def _on_site(site_id: int, visitor: UUID) -> list[ColumnElement[bool]]:
    # One visitor has few records. The sum hides the other column from the planner: the visitor is the index.
    return [is_of(DecisionRow.visitor_tag, [visitor]), DecisionRow.site_id + 0 == site_id]


def _first(session: Session, query: Select[DecisionRow]) -> Record | None:
    rows = session.scalars(query.limit(1)).all()
    return opened(session, rows)[0] if rows else None


def _opened(row: DecisionRow, nodes: Mapping[Chunk, Nodes]) -> Record:
    record = _record(row)
    if row.content is None:
        return record
    if row.key_chunk is None or row.key_slot is None or not 0 <= row.key_slot < SLOTS:
        return replace(record, fault=ALTERED)
    key = key_of(nodes.get((row.site_id, row.key_chunk), {}), row.key_slot)
    if key is None:
        return replace(record, fault=GONE)
    content = decrypt(bytes(row.content), key, row.site_id, row.key_chunk, row.key_slot)
    if content is None:
        return replace(record, fault=ALTERED)
    return record.opened(content, _altered(row, content))


def _record(row: DecisionRow) -> Record:
    return Record(
        id=row.id,
        site_id=row.site_id,
        notice_id=row.notice_id,
        decision_id=row.decision_tag,
        receipt_id=row.receipt_tag,
        visitor=row.visitor_tag,
        action=row.action,
        method=row.method,
        change=row.change,
        gpc=row.gpc,
        stale=row.stale,
        language=row.language,
        granted=row.granted,
        recorded_at=row.recorded_at,
        request_hash=row.plain_request_hash,
        salt=row.plain_salt,
        receipt=row.plain_receipt,
    )


def _altered(row: DecisionRow, content: Content) -> tuple[str, ...]:
    columns = {"decision_id": row.decision_tag, "receipt_id": row.receipt_tag, "visitor": row.visitor_tag}
    altered = tuple(_CLAIMS[name] for name, value in content.tags().items() if columns[name] != value)
    fits = row.commitment == commitment(content.salt, content.receipt)
    return altered if fits else (*altered, "commitment")
