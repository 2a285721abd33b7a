"""Keys for new records, each used once, whatever fails meanwhile."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from consent_server.core.database import Session, connection_of
from consent_server.core.pooled_sessions import is_pooled
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.rules_record_keys import SECRET_BYTES, Unused

CHUNK_NUMBER_BYTES = 7


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A key, and where it is had from again."""

    chunk: int
    slot: int
    key: bytes


@dataclass(slots=True)
class _Chunk:
    number: int
    unused: Unused
    # The transaction that keeps it, until another one has seen it there.
    kept_by: object | None


class KeySupply:
    """Gives out the slots of chunks that are this process's own; for one thread at a time.

    A record under a key that is not kept is lost. So a chunk is used only in the transaction that keeps it, and after
    that over connections on which it was seen: not when the commit failed, nor when the database came back from a
    standby or a backup that does not have it. A slot that was given out is never given out again: a commit that is
    said to have failed may have been one.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random
        self._chunks: dict[int, _Chunk] = {}
        self._process = os.getpid()

    def take(self, session: Session, site_id: int, count: int) -> list[RecordKey]:
        """Keys for so many records of a site, which are inserted in this transaction."""
        taken: list[RecordKey] = []
        while len(taken) < count:
            chunk = self._usable(session, site_id) or self._new(session, site_id)
            while chunk.unused and len(taken) < count:
                taken.append(RecordKey(chunk.number, *chunk.unused.take()))
        return taken

    def _usable(self, session: Session, site_id: int) -> _Chunk | None:
        if self._process != os.getpid():
            # Another process goes on with these slots.
            self._chunks, self._process = {}, os.getpid()
        chunk = self._chunks.get(site_id)
        if chunk is None or not chunk.unused:
            return None
        connection = connection_of(session)
        if chunk.kept_by is not None and chunk.kept_by is connection.get_transaction():
            return chunk
        seen: dict[int, int] = connection.info.setdefault(KeySupply, {})
        # Behind a pooler the same connection may lead to another server than before.
        if seen.get(site_id) != chunk.number or chunk.kept_by is not None or is_pooled(connection):
            if not record_keys.chunk_is_there(session, site_id, chunk.number):
                return None
            seen[site_id], chunk.kept_by = chunk.number, None
        return chunk

    def _new(self, session: Session, site_id: int) -> _Chunk:
        self._chunks.pop(site_id, None)
        number, root = int.from_bytes(self._random(CHUNK_NUMBER_BYTES)), self._random(SECRET_BYTES)
        record_keys.add_chunk(session, site_id, number, root)
        chunk = self._chunks[site_id] = _Chunk(number, Unused(root), connection_of(session).get_transaction())
        return chunk
