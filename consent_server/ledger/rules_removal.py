"""The signed entry that erasure and retention leave behind (docs/formats/evidence.md)."""

from collections.abc import Iterable
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


def ranges(indexes: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending leaf indexes as closed ranges."""
    found: list[tuple[int, int]] = []
    for index in indexes:
        if found and found[-1][1] == index - 1:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found


def removal_claims(
    issuer: Issuer, removal_id: UUID, rule: Rule, reason: str, leaves: list[tuple[int, int]], now: datetime
) -> dict[str, Any]:
    """What was removed, by which rule: leaf ranges, never whose records they were."""
    return {
        "iss": issuer.url,
        "iat": int(now.timestamp()),
        "jti": str(removal_id),
        "schema": SCHEMA,
        "site": issuer.site,
        "ledger": issuer.ledger,
        "rule": rule.value,
        "reason": reason,
        "count": sum(last - first + 1 for first, last in leaves),
        "leaves": [list(pair) for pair in leaves],
    }
