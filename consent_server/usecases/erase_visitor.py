"""Erase what identifies a visitor, and leave a signed entry that says so (GDPR 17)."""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from consent_server.domain.removal import Rule, ranges
from consent_server.signing import KeySource
from consent_server.storage import ledger as ledgers
from consent_server.storage.session import Database
from consent_server.usecases.remove_records import Remover
from consent_server.usecases.seal_ledger import seal_ledger

# Records removed in one transaction, each site's behind one signed entry.
BATCH = 1000


def erase_visitor(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    visitor: UUID,
) -> int:  # fmt: skip
    """Remove every record of a visitor; return how many there were.

    Sealed before each removal, so that each record has a leaf that it can name; the last run seals the last
    removal and finds nothing left. Raises StorageUnavailable when the records are gone and the files still
    hold copies: run it again.
    """
    remover = Remover(keys.ring, public_url, random)
    erased = 0
    while True:
        seal_ledger(database, keys.ring, now)
        batch = _erase_batch(database, remover, visitor, now())
        erased += batch
        if not batch:
            break
    database.forget()
    return erased


def _erase_batch(database: Database, remover: Remover, visitor: UUID, now: datetime) -> int:
    with database.transaction() as session:
        found = ledgers.leaves_of_visitor(session, visitor, BATCH)
        return sum(
            remover.remove(session, site_id, Rule.ERASURE, "Request of the visitor", ranges(i for _, i in leaves), now)
            for site_id, leaves in groupby(found, key=itemgetter(0))
        )
