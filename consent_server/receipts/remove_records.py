"""Let records go, behind a signed entry that names their leaves."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.keys import KeyRing
from consent_server.decisions.rules_contents import SALT_BYTES
from consent_server.decisions.rules_receipt import Issuer, uuid7
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules_removal import REMOVAL_TYPE, Rule, ranges, removal_claims
from consent_server.sites import store as sites

# Records removed in one transaction, behind one signed entry. A visitor who decides waits that long at most on SQLite,
# and on PostgreSQL not at all.
ON_SQLITE, ON_POSTGRESQL = 100, 1000
# Seconds between two transactions, at least.
PAUSE = 0.02


def batch_size(database: Database) -> int:
    """How many records are removed in one transaction."""
    return ON_SQLITE if database.embedded else ON_POSTGRESQL


def give_way(database: Database, begun: float) -> None:
    """Let others write after a batch that was begun then (time.monotonic): on SQLite for as long as it took.

    Who waits for SQLite's turn is woken when it is given back, and comes too late for one that is taken again at once.
    """
    time.sleep(max(PAUSE, time.monotonic() - begun) if database.embedded else PAUSE)


@dataclass(frozen=True, slots=True)
class Remover:
    """Signs removals for any site of this server."""

    ring: KeyRing
    public_url: str
    random: Callable[[int], bytes]

    def remove(
        self, session: Session, site_id: int, rule: Rule, reason: str, indexes: Iterable[int], now: datetime
    ) -> int:
        """Remove the records of these leaves, chosen in the ledger's turn, ascending; return how many there were."""
        leaves = ranges(indexes)
        site = sites.by_id(session, site_id).site
        issuer = Issuer(self.public_url, site.key, ledgers.get(session, site_id).origin)
        claims = removal_claims(issuer, uuid7(now, self.random(10)), rule, reason, leaves, now)
        entry = self.ring.sign(claims, REMOVAL_TYPE)
        return ledgers.remove(session, site_id, entry, self.random(SALT_BYTES), leaves, now)
