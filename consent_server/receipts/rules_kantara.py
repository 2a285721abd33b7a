"""A receipt of what was granted, in the shape of Kantara Consent Receipt 1.1.0 (docs/formats/receipt.md)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from consent_server.core.errors import Fault, FormUnavailable
from consent_server.sites.rules_signals import gpc_covers

VERSION = "KI-CR-v1.1.0"

CATEGORIES = {
    "analytics": ["16 - Improve Performance"],
    "advertising": ["6 - Marketing", "7 - Marketing Third Parties", "9 - Sharing for Marketing"],
    "functional": ["5 - Personalized Experience"],
    "support": ["4 - Contact Requested"],
    "media": ["5 - Personalized Experience"],
}
NETWORK, BEHAVIORAL, PROFILING = "5 - Network/Service", "15 - Behavioral", "16 - Profiling"


def kantara_receipt(claims: Mapping[str, Any], notice: Mapping[str, Any]) -> dict[str, Any]:
    """The granted part of a receipt; the format knows neither a refusal nor a withdrawal.

    Raises FormUnavailable with every fault: what the format requires and this site or decision does not have.
    """
    faults = list(_faults(claims, notice))
    if faults:
        raise FormUnavailable(
            "Kantara CR 1.1 requires what this receipt does not have. The signed receipt and the form "
            "application/ld+json need none of it.",
            faults,
        )
    controller = notice["controller"]
    return {
        "version": VERSION,
        "jurisdiction": controller["country"],
        "consentTimestamp": claims["iat"],
        "collectionMethod": f"cookie notice, {claims['method']}",
        # The format wants version 4. The receipt's own number is version 7, the browser's is random.
        "consentReceiptID": claims["decision_id"],
        "language": claims["language"],
        "piiPrincipalId": claims["sub"],
        "piiControllers": [
            {
                "piiController": controller["name"],
                "onBehalf": False,
                "contact": notice.get("dpo", controller)["name"],
                "address": {"streetAddress": controller["address"], "addressCountry": controller["country"]},
                "email": controller["contact"],
                "phone": controller["phone"],
            }
        ],
        "policyUrl": claims["policy"]["privacy"]["url"],
        "services": [{"service": notice["name"], "purposes": list(_purposes(claims, notice))}],
        "sensitive": False,
        "spiCat": [],
    }


def _faults(claims: Mapping[str, Any], notice: Mapping[str, Any]) -> Iterator[Fault]:
    if not any(_granted(purpose["key"], claims, notice) for purpose in notice["purposes"]):
        yield Fault("#/grants", "Nothing was granted, and the format is for granted purposes only.")
    if UUID(claims["decision_id"]).version != 4:
        yield Fault("#/decision_id", "Must be a UUID of version 4 to serve as consentReceiptID.")
    controller = notice["controller"]
    for field in ("country", "phone"):
        if field not in controller:
            yield Fault(f"#/controller/{field}", f"Missing. Add `{field}` to [controller] of the site file.")
    if "@" not in controller["contact"] or controller["contact"].startswith("https://"):
        yield Fault("#/controller/contact", "Must be an e-mail address. Change `contact` in the site file.")


def _granted(purpose: str, claims: Mapping[str, Any], notice: Mapping[str, Any]) -> bool:
    return bool(claims["grants"][purpose] or _recipients(purpose, claims, notice))


def _recipients(purpose: str, claims: Mapping[str, Any], notice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Vendors that were granted for this purpose, whether with it or by their own name."""
    return [
        vendor
        for vendor in notice["vendors"]
        if purpose in vendor["purposes"]
        and claims["vendors"][vendor["key"]]
        # Granted by another purpose is not granted for this one.
        and (claims["grants"][purpose] or not any(claims["grants"][key] for key in vendor["purposes"]))
    ]


def _purposes(claims: Mapping[str, Any], notice: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    texts = notice["texts"][claims["language"]]["purposes"]
    until = f"{datetime.fromtimestamp(claims['valid_until'], UTC):%Y-%m-%dT%H:%M:%SZ}"
    for purpose in notice["purposes"]:
        key = purpose["key"]
        if not _granted(key, claims, notice):
            continue
        operators = dict.fromkeys(vendor["operator"]["name"] for vendor in _recipients(key, claims, notice))
        yield {
            "purpose": f"{texts[key]['title']}: {texts[key]['text']}",
            "purposeCategory": _categories(key, purpose["signals"]),
            "consentType": "EXPLICIT",
            "piiCategory": [NETWORK, BEHAVIORAL, *([PROFILING] if gpc_covers(tuple(purpose["signals"])) else [])],
            "primaryPurpose": False,
            "termination": f"{until}, or earlier when withdrawn at {claims['withdraw']}",
            "thirdPartyDisclosure": bool(operators),
            **({"thirdPartyName": "; ".join(operators)} if operators else {}),
        }


def _categories(key: str, signals: Sequence[str]) -> list[str]:
    if key in CATEGORIES:
        return CATEGORIES[key]
    # A purpose of the site's own is what its Consent Mode types make of it.
    if gpc_covers(tuple(signals)):
        return CATEGORIES["advertising"]
    return CATEGORIES["analytics" if "analytics_storage" in signals else "functional"]
