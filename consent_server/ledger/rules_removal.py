"""The signed entry that erasure and retention leave behind (docs/formats/evidence.md)."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from consent_server.decisions.rules_receipt import SCHEMA, Issuer

REMOVAL_TYPE = "consent-removal+jwt"


class Rule(StrEnum):
    """Why records go: GDPR 17 or GDPR 5(1)(e)."""

    ERASURE = "erasure"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class RemovedRange:
    """A range of leaves and the removal that names it; `leaf_index` is the removal's own, None until it is sealed."""

    first: int
    last: int
    removal_id: int
    entry: str
    leaf_index: int | None


def range_over(removed: Sequence[RemovedRange], index: int) -> RemovedRange | None:
    """The one of these ranges, which are in order and never overlap, that a leaf lies in."""
    place = bisect_right(removed, index, key=lambda removed_range: removed_range.first) - 1
    return removed[place] if place >= 0 and removed[place].last >= index else None


def ranges(indexes: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending leaf indexes as closed ranges."""
    closed: list[tuple[int, int]] = []
    for index in indexes:
        if closed and closed[-1][1] == index - 1:
            closed[-1] = (closed[-1][0], index)
        else:
            closed.append((index, index))
    return closed


def removal_claims(
    issuer: Issuer, removal_id: UUID, rule: Rule, reason: str, leaves: list[tuple[int, int]], now: datetime
) -> dict[str, Any]:
    """What was removed, by which rule: leaf ranges, never whose records they were."""
    return entry_claims(issuer, removal_id, rule, reason, leaves, now)


def entry_claims(
    issuer: Issuer, entry_id: UUID, rule: StrEnum, reason: str, leaves: list[tuple[int, int]], now: datetime
) -> dict[str, Any]:
    """What every entry of the ledger's own has: a rule, a reason that names nobody, and the leaves it is about."""
    return {
        "iss": issuer.url,
        "iat": int(now.timestamp()),
        "jti": str(entry_id),
        "schema": SCHEMA,
        "site": issuer.site,
        "ledger": issuer.ledger,
        "rule": rule.value,
        "reason": reason,
        "count": sum(last - first + 1 for first, last in leaves),
        "leaves": [list(pair) for pair in leaves],
    }
