"""Have a ledger say something of itself: a signed entry that becomes a leaf and removes nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent_server.core.database import Session
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.decisions.rules_contents import SALT_BYTES
from consent_server.decisions.rules_receipt import Issuer, uuid7
from consent_server.ledger import store as ledgers
from consent_server.ledger import store_remarks
from consent_server.ledger.rules_remark import REMARK_TYPE, Gap, RemarkRule, read_remark, remark_claims
from consent_server.sites import store as sites
from consent_server.sites.rows import LedgerRow


@dataclass(frozen=True, slots=True)
class Remarker:
    """Signs remarks for any site of this server."""

    ring: KeyRing
    public_url: str
    random: Callable[[int], bytes]

    def claims(self, entry: str) -> dict[str, Any]:
        """What a remark says. Raises InvalidProof for one that no key of the ledger signed."""
        return verify_jws(entry, REMARK_TYPE, self.ring)

    def unnamed(self, session: Session, ledger: LedgerRow, rule: RemarkRule, leaves: Iterable[int]) -> Iterator[int]:
        """Those of these leaves that no remark of this rule names; in the ledger's turn.

        Remarks without a leaf count too: whoever wrote one before may not have sealed it yet.
        """
        said = (read_remark(self.claims(entry), ledger.size) for entry in store_remarks.every(session, ledger.site_id))
        named = [pair for remark in said if remark.rule is rule for pair in remark.leaves]
        return (index for index in leaves if not any(first <= index <= last for first, last in named))

    def remark(
        self, session: Session, site_id: int, rule: RemarkRule, reason: str, leaves: Sequence[tuple[int, int]],
        now: datetime, gap: Gap | None = None,
    ) -> int:  # fmt: skip
        """Write a remark about these leaves (closed ranges, ascending), in the ledger's turn; return its row id.

        The next seal gives it its leaf. Until then no check speaks of it.
        """
        site = sites.by_id(session, site_id).site
        issuer = Issuer(self.public_url, site.key, ledgers.get(session, site_id).origin)
        claims = remark_claims(issuer, uuid7(now, self.random(10)), rule, reason, list(leaves), now, gap)
        entry = self.ring.sign(claims, REMARK_TYPE)
        return store_remarks.keep(session, site_id, rule.value, entry, self.random(SALT_BYTES), now)
