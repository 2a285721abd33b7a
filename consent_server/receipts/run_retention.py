"""Let proofs go when a site's retention of them ends (GDPR 5(1)(e))."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from consent_server.access.log_lookup import forget_lookups
from consent_server.core.database import Database
from consent_server.core.durations import duration_days
from consent_server.core.errors import InvalidSiteFile
from consent_server.core.keys import KeySource
from consent_server.decisions.forget_keys import forget_keys
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules_removal import Rule
from consent_server.ledger.seal import refuse, seal_what_holds
from consent_server.ledger.store_sealing import take_turns
from consent_server.receipts.remove_records import Remover, batch_size, give_way
from consent_server.sites import store as sites
from consent_server.sites.rules_site import Site, StoredSite


def run_retention(
    database: Database, keys: KeySource, public_url: str, now: Callable[[], datetime], random: Callable[[int], bytes]
) -> Iterator[tuple[str, int]]:
    """Remove, batch by batch, and yield each batch's site and number of records, for progress.

    Raises StorageUnavailable when the records are gone and the files still hold copies of keys: run it again. A
    ledger that somebody changed keeps its records, and so does a site whose retention cannot be read: InvalidProof or
    InvalidSiteFile names them once all others are done.
    """
    with database.reading() as session:
        every = {stored.id: stored for stored in sites.every(session)}
    _, broken = seal_what_holds(database, keys.ring, now, every)
    remover, total = Remover(keys.ring, public_url, random), 0
    for stored in [stored for stored in every.values() if stored.id not in broken]:
        try:
            kept_for = proof_retention(stored.site)
        except InvalidSiteFile as unreadable:
            broken[stored.id] = unreadable
            continue
        begun = time.monotonic()
        while removed := _remove_batch(database, remover, stored, now() - kept_for, now()):
            total += removed
            give_way(database, begun)
            yield stored.site.key, removed
            begun = time.monotonic()
    broken |= seal_what_holds(database, keys.ring, now, every)[1]
    forget_lookups(database, now())
    if total:
        forget_keys(database)
    refuse(broken, f"{total} removed elsewhere.")


def proof_retention(site: Site) -> timedelta:
    """For how long a site's records are kept. Raises InvalidSiteFile."""
    days = duration_days(site.proof_retention)
    if days:
        return timedelta(days=days)
    # Nothing goes by a rule that cannot be read, and nothing is ever over at once.
    raise InvalidSiteFile(
        f'{site.key}: proof_retention "{site.proof_retention}" is not a duration such as P3Y; nothing was removed.'
        " Run: consent site apply FILE.toml"
    )


def _remove_batch(database: Database, remover: Remover, stored: StoredSite, before: datetime, now: datetime) -> int:
    with database.transaction() as session:
        # Before the leaves are chosen: another removal under way may be about to name the same ones.
        take_turns(session, [stored.id])
        leaves = ledgers.leaves_before(session, stored.id, before, batch_size(database))
        if not leaves:
            return 0
        reason = f"Proof retention of {stored.site.proof_retention}"
        return remover.remove(session, stored.id, Rule.RETENTION, reason, leaves, now)
