"""Let records go, behind a signed entry that names their leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from consent_server.domain.ledger import SALT_BYTES
from consent_server.domain.receipt import Issuer, uuid7
from consent_server.domain.removal import REMOVAL_TYPE, Rule, removal_claims
from consent_server.signing import KeyRing
from consent_server.storage import ledger as ledgers
from consent_server.storage import sites


@dataclass(frozen=True, slots=True)
class Remover:
    """Signs removals for any site of this server."""

    ring: KeyRing
    public_url: str
    random: Callable[[int], bytes]

    def remove(
        self, session: Session, site_id: int, rule: Rule, reason: str, leaves: list[tuple[int, int]], now: datetime
    ) -> int:
        """Remove the records of these leaf ranges, chosen in the ledger's turn; return how many there were."""
        site = sites.by_id(session, site_id).site
        issuer = Issuer(self.public_url, site.key, ledgers.get(session, site_id).origin)
        claims = removal_claims(issuer, uuid7(now, self.random(10)), rule, reason, leaves, now)
        entry = self.ring.sign(claims, REMOVAL_TYPE)
        return ledgers.remove(session, site_id, entry, self.random(SALT_BYTES), leaves, now)
