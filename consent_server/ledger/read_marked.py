"""Which records of a site are marked as not genuine: what counters, which know no records, cannot leave out."""

from dataclasses import dataclass
from datetime import UTC, datetime

from consent_server.core.database import Database
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.core.times import rfc3339
from consent_server.ledger import store_remarks
from consent_server.ledger.rules_remark import REMARK_TYPE, RemarkRule, read_remark
from consent_server.sites import store as sites


@dataclass(frozen=True, slots=True)
class Marked:
    """Records that a signed entry marks; `reason` says of which span they are, and why."""

    leaf_index: int
    records: int
    reason: str
    at: datetime

    def to_json(self) -> dict[str, object]:
        """`leaf_index` is that of the entry."""
        return {
            "leaf_index": self.leaf_index, "records": self.records, "reason": self.reason, "at": rfc3339(self.at),
        }  # fmt: skip


def read_marked(database: Database, ring: KeyRing, key: str) -> list[Marked]:
    """Each such entry of a site, oldest first. Raises UnknownSite, and InvalidProof for one that somebody changed."""
    with database.reading() as session:
        sealed = store_remarks.sealed(session, sites.get(session, key).id)
    remarks = (read_remark(verify_jws(entry, REMARK_TYPE, ring), leaf_index) for leaf_index, entry, _ in sealed)
    return [
        Marked(remark.leaf_index, remark.count, remark.reason, datetime.fromtimestamp(remark.at, UTC))
        for remark in remarks
        if remark.rule is RemarkRule.NOT_GENUINE
    ]
