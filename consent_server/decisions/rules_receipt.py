"""The receipt: what a visitor keeps of a decision, and what an auditor can verify (docs/formats/receipt.md)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent_server.decisions.rules import Decision
from consent_server.sites.rules_notice import Notice

RECEIPT_TYPE = "consent-receipt+jwt"
STATE_TYPE = "consent-state+jwt"
STATE_LIMIT = 512
SCHEMA = "1"
# What the links of receipts are signed for.
RECEIPT_LINK = "receipt-link"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Where receipts of a site are issued: base URL of this server, the site's key, its ledger's origin."""

    url: str
    site: str
    ledger: str


def uuid7(now: datetime, random: bytes) -> UUID:
    """A UUID version 7 (RFC 9562 5.7) of this time: sorts by it, so that an index only grows at its end."""
    ms = int(now.timestamp() * 1000)
    value = ms << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def receipt_claims(
    issuer: Issuer,
    notice: Notice,
    decision: Decision,
    receipt_id: UUID,
    visitor: UUID | None,
    widget: str,
    now: datetime,
    home: str,
) -> dict[str, Any]:
    """The claims of a receipt, in the contract's words. Times are seconds since 1970 (RFC 7519 NumericDate)."""
    answer = decision.answer
    claims: dict[str, Any] = {
        "iss": issuer.url,
        "iat": int(now.timestamp()),
        "jti": str(receipt_id),
        "schema": SCHEMA,
        "site": issuer.site,
        "controller": {"name": notice.controller["name"], "contact": notice.controller["contact"]},
        "decision_id": str(answer.decision_id),
        "action": answer.action.value,
        "method": answer.method.value,
        "change": answer.change,
        "grants": decision.grants,
        "vendors": decision.vendors,
        "notice": notice.hash,
        "policy": {
            name: {"version": policy["version"], "url": policy["url"]}
            for name, policy in notice.policies(answer.language).items()
        },
        "widget": widget,
        "language": answer.language,
        "page": answer.page,
        "gpc": answer.gpc,
        "valid_until": int((now + notice.choice_lifetime).timestamp()),
        "withdraw": f"{home}#consent",
        "ledger": issuer.ledger,
    }
    if notice.on_before:
        # Where no grant is needed there is none: the visitor was told, and objected or did not.
        claims["rule"] = notice.rule.value
        claims["objections"] = {"purposes": decision.objections.purposes, "vendors": decision.objections.vendors}
    # Only a grant may carry an identifier: the receipt of a refusal names nobody.
    if decision.grants_anything and visitor is not None:
        claims["sub"] = str(visitor)
    return claims


def state_claims(issuer: Issuer, notice: Notice, decision: Decision, now: datetime) -> dict[str, Any]:
    """The claims of the state token that a back end checks before it sends an event (docs/formats/cookie.md).

    `vendors` names only those that differ from their purposes.
    """
    claims: dict[str, Any] = {
        "site": issuer.site,
        "notice": notice.hash,
        "grants": dict(decision.grants),
        "iat": int(now.timestamp()),
        "exp": int((now + notice.choice_lifetime).timestamp()),
    }
    return claims | ({"vendors": dict(decision.exceptions)} if decision.exceptions else {})


def without_exceptions(notice: Notice, claims: dict[str, Any]) -> dict[str, Any]:
    """The same state in fewer bytes, for a site of many vendors: a purpose of which any vendor is denied is denied.

    Fail closed: a back end may then send less than was granted, never more.
    """
    denied = {vendor for vendor, granted in claims.get("vendors", {}).items() if not granted}
    mixed = {purpose for vendor in denied for purpose in notice.vendors[vendor]}
    grants = {purpose: granted and purpose not in mixed for purpose, granted in claims["grants"].items()}
    return {key: value for key, value in claims.items() if key != "vendors"} | {"grants": grants}


def without_denials(claims: dict[str, Any]) -> dict[str, Any]:
    """The same state in fewer bytes: a purpose that is not named is denied."""
    return claims | {"grants": {purpose: True for purpose, granted in claims["grants"].items() if granted}}
