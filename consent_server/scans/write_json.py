"""A scan as JSON, in the form of docs/formats/scan.schema.json. Pictures are no part of it."""

from dataclasses import asdict
from datetime import UTC
from typing import Any

from consent_server.scans.rules import Banner, Owner, Scan, Seen
from consent_server.scans.rules_summary import verdicts

VERSION = 1


def scan_json(scan: Scan) -> dict[str, Any]:
    """All that was seen, and what is said of it."""
    return {
        "version": VERSION,
        "started_at": scan.started_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "seconds": scan.seconds,
        "browser": scan.browser,
        "starts": list(scan.starts),
        "banner": _banner(scan.banner),
        "notice": {"site": scan.notice.site, "hash": scan.notice.hash} if scan.notice else None,
        "verdicts": {verdict.key: verdict.answer for verdict in verdicts(scan)},
        "findings": [asdict(finding) | {"evidence": list(finding.evidence)} for finding in scan.findings],
        "unseen": list(scan.unseen),
        "consent_mode": [asdict(mode) for mode in scan.consent_mode],
        "states": {state.value: _seen(seen) for state, seen in scan.seen.items()},
    }


def _banner(banner: Banner | None) -> dict[str, Any] | None:
    return asdict(banner) if banner else None


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "pages": list(seen.pages),
        "cookies": [_thing(one) for one in seen.cookies],
        "storage": [_thing(one) for one in seen.storage],
        "requests": [_thing(one) for one in seen.requests],
    }


def _thing(one: Any) -> dict[str, Any]:
    owner: Owner = one.owner
    told = asdict(one)
    if "pages" in told:
        told["pages"] = list(told["pages"])
    return told | {
        "owner": {
            "name": owner.name or None,
            "purposes": list(owner.purposes),
            "source": owner.source.value,
            "vendor": owner.key,
        }
    }
