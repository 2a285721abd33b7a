"""Read a kept scan back, from the form of docs/formats/scan.md."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from consent_server.scans.rules import (
    Banner,
    Button,
    ConsentMode,
    Cookie,
    Finding,
    Level,
    Owner,
    ReadNotice,
    Request,
    Scan,
    Seen,
    Source,
    State,
    Stored,
)

Json = Mapping[str, Any]


def read_scan(scan: Json, pictures: str | None = None) -> Scan:
    """The same scan; of the notice, what was compared is not kept."""
    notice = scan["notice"]
    return Scan(
        started_at=datetime.fromisoformat(scan["started_at"]),
        seconds=scan["seconds"],
        browser=scan["browser"],
        starts=tuple(scan["starts"]),
        banner=_banner(scan["banner"]),
        seen={State(name): _seen(State(name), seen) for name, seen in scan["states"].items()},
        consent_mode=tuple(ConsentMode(**{**mode, "state": State(mode["state"])}) for mode in scan["consent_mode"]),
        notice=ReadNotice(notice["site"], notice["hash"], ()) if notice else None,
        unseen=tuple(scan["unseen"]),
        findings=tuple(_finding(finding) for finding in scan["findings"]),
        pictures=read_pictures(pictures),
    )


def read_pictures(pictures: str | None) -> dict[State, bytes]:
    """Pictures by state, as `write_pictures` wrote them."""
    told = json.loads(pictures) if pictures else {}
    return {State(name): base64.b64decode(picture) for name, picture in told.items()}


def write_pictures(pictures: Mapping[State, bytes]) -> str:
    """Pictures by state, as text."""
    return json.dumps({state.value: base64.b64encode(picture).decode() for state, picture in pictures.items()})


def _banner(banner: Json | None) -> Banner | None:
    if banner is None:
        return None
    buttons = {name: Button(**banner[name]) if banner[name] else None for name in ("accept", "refuse", "withdraw")}
    return Banner(tool=banner["tool"], text=banner["text"], **buttons)


def _seen(state: State, seen: Json) -> Seen:
    return Seen(
        state,
        tuple(seen["pages"]),
        tuple(Cookie(**{**one, "owner": _owner(one["owner"])}) for one in seen["cookies"]),
        tuple(Stored(**{**one, "owner": _owner(one["owner"])}) for one in seen["storage"]),
        tuple(
            Request(**{**one, "owner": _owner(one["owner"]), "pages": tuple(one["pages"])}) for one in seen["requests"]
        ),
    )


def _owner(owner: Json) -> Owner:
    return Owner(owner["name"] or "", tuple(owner["purposes"]), Source(owner["source"]), owner["vendor"])


def _finding(finding: Json) -> Finding:
    state = State(finding["state"]) if finding["state"] else None
    told = {"level": Level(finding["level"]), "state": state, "evidence": tuple(finding["evidence"])}
    return Finding(**{**finding, **told})
