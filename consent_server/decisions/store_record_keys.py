"""Keys of records: a row a chunk, and a few more where some were destroyed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from consent_server.core.database import connection_of
from consent_server.decisions.rows import RecordKeyRow
from consent_server.decisions.rules_record_keys import ROOT, punctured

TABLE: Table = RecordKeyRow.__table__  # type: ignore[assignment]
# Site and number of a chunk.
Chunk = tuple[int, int]


def add_chunk(session: Session, site_id: int, chunk: int, root: bytes) -> None:
    """Keep the root of a new chunk."""
    connection_of(session).execute(insert(TABLE), {"site_id": site_id, "chunk": chunk, "node": ROOT, "secret": root})


def chunk_is_there(session: Session, site_id: int, chunk: int) -> bool:
    """Whether anything is kept of a chunk."""
    query = select(TABLE.c.node).where(TABLE.c.site_id == site_id, TABLE.c.chunk == chunk).limit(1)
    return connection_of(session).execute(query).first() is not None


def nodes_of(session: Session, chunks: Collection[Chunk]) -> Mapping[Chunk, dict[int, bytes]]:
    """What is kept of these chunks."""
    nodes: dict[Chunk, dict[int, bytes]] = defaultdict(dict)
    for site_id, numbers in _by_site(chunks).items():
        query = select(TABLE.c.chunk, TABLE.c.node, TABLE.c.secret)
        of_chunks = query.where(TABLE.c.site_id == site_id, TABLE.c.chunk.in_(numbers))
        for chunk, node, secret in connection_of(session).execute(of_chunks):
            nodes[site_id, chunk][node] = bytes(secret)
    return nodes


def destroy(session: Session, site_id: int, slots: Iterable[tuple[int, int]]) -> None:
    """Destroy the keys of these slots (chunk, slot) of a site; in the ledger's turn, so that no two do at once."""
    by_chunk: dict[Chunk, set[int]] = defaultdict(set)
    for chunk, slot in slots:
        by_chunk[site_id, chunk].add(slot)
    for (_, chunk), nodes in nodes_of(session, by_chunk).items():
        kept = punctured(nodes, by_chunk[site_id, chunk])
        of_chunk = (TABLE.c.site_id == site_id, TABLE.c.chunk == chunk)
        gone, new = nodes.keys() - kept.keys(), kept.keys() - nodes.keys()
        if gone:
            connection_of(session).execute(delete(TABLE).where(*of_chunk, TABLE.c.node.in_(gone)))
        rows = [{"site_id": site_id, "chunk": chunk, "node": node, "secret": kept[node]} for node in sorted(new)]
        if rows:
            connection_of(session).execute(insert(TABLE), rows)


def _by_site(chunks: Collection[Chunk]) -> Mapping[int, list[int]]:
    by_site: dict[int, list[int]] = defaultdict(list)
    for site_id, number in chunks:
        by_site[site_id].append(number)
    return by_site
