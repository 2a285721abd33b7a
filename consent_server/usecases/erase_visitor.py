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


def erase_visitor(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes],
    visitor: UUID,
) -> int:  # fmt: skip
    """Remove every record of a visitor; return how many there were.

    Sealed first, so that each record has a leaf that the removal can name; sealed again, so that the
    removal itself is in a checkpoint when this returns.
    """
    seal_ledger(database, keys.ring, now)
    remover = Remover(keys.ring, public_url, random)
    with database.transaction() as session:
        found = ledgers.leaves_of_visitor(session, visitor)
        erased = sum(
            remover.remove(
                session, site_id, Rule.ERASURE, "Request of the visitor", ranges(i for _, i in leaves), now()
            )
            for site_id, leaves in groupby(found, key=itemgetter(0))
        )
    database.forget()
    seal_ledger(database, keys.ring, now)
    return erased
