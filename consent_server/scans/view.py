"""A scan as its page shows it, in the console and in a file alike."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from consent_server.scans.rules import Button, Cookie, Level, Owner, Request, Scan, Source, State, Stored
from consent_server.scans.rules_summary import verdicts
from consent_server.scans.rules_verdicts import STORAGE, WHEN, Thing, life, things

ANSWERS = {
    "good": ("good", "In order"), "wrong": ("bad", "Wrong"), "note": ("warn", "Look at it"),
    "unseen": ("warn", "Not looked at"), "none": ("neutral", "Nothing to ask"),
}  # fmt: skip
SOURCES = {
    Source.CATALOGUE: "catalogue", Source.NOTICE: "notice", Source.HINT: "hint of the Open Cookie Database",
    Source.BANNER: "consent banner", Source.ALLOWED: "allowed", Source.UNKNOWN: "unknown",
}  # fmt: skip


def view_scan(scan: Scan) -> dict[str, Any]:
    """All that the template shows."""
    return {
        "title": headline(scan),
        "tone": "bad" if scan.wrong else "warn" if scan.unseen else "good",
        "starts": scan.starts,
        "at": f"{scan.started_at:%Y-%m-%d %H:%M} UTC",
        "facts": _facts(scan),
        "verdicts": [(one.question, one.said, *ANSWERS[one.answer]) for one in verdicts(scan)],
        "wrong": scan.wrong,
        "notes": [finding for finding in scan.findings if finding.level is Level.NOTE],
        "unseen": scan.unseen,
        "states": [_title(state) for state in scan.seen],
        "rows": _rows(scan),
        "details": [(_title(state), _tables(things(seen)))
                    for state, seen in scan.seen.items()],
        "pictures": [(_title(state), base64.b64encode(picture).decode()) for state, picture in scan.pictures.items()
                     if picture],
    }  # fmt: skip


def headline(scan: Scan) -> str:
    """The whole in a few words."""
    count = len(scan.wrong)
    if count:
        return "One thing is wrong" if count == 1 else f"{count} things are wrong"
    return "Not all could be looked at" if scan.unseen else "Nothing wrong was found"


def _facts(scan: Scan) -> list[tuple[str, str]]:
    pages = scan.seen[State.BEFORE].pages if State.BEFORE in scan.seen else ()
    facts = [("Pages", ", ".join(pages)), ("Browser", scan.browser)]
    if scan.banner is None:
        return [*facts, ("Banner", "none was found")]
    tool = "told by its words" if scan.banner.tool == "generic" else scan.banner.tool
    ways = {"Accept": scan.banner.accept, "Refuse": scan.banner.refuse, "Withdraw": scan.banner.withdraw}
    return [*facts, ("Banner", tool), *((name, _button(button)) for name, button in ways.items())]


def _button(button: Button | None) -> str:
    if button is None:
        return "no way was found"
    presses = "one press" if button.presses == 1 else f"{button.presses} presses"
    return f"“{button.text}”, {presses}, {button.width} × {button.height} pixels, letters of {button.font_size:g}"


def _title(state: State) -> str:
    return WHEN[state].capitalize()


def _rows(scan: Scan) -> list[dict[str, Any]]:
    """Whose things there are in which state: a row an owner, or a host or name of which none is known."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for at, seen in enumerate(scan.seen.values()):
        for one in things(seen):
            row = rows.setdefault(_whose(one), _row(one, len(scan.seen)))
            row["cells"][at].append(one)
    for row in rows.values():
        row["cells"] = [_cell(cell) for cell in row["cells"]]
    return sorted(rows.values(), key=lambda row: (row["order"], row["name"].lower()))


def _whose(one: Thing) -> tuple[str, str]:
    owner = one.owner
    if owner.name:
        return "owner", owner.key or owner.name
    return ("host", one.host) if isinstance(one, Request) else ("name", one.name)


def _row(one: Thing, states: int) -> dict[str, Any]:
    owner, first = one.owner, one.first_party
    name = owner.name or _whose(one)[1]
    order = 0 if owner.key else 1 if owner.source is Source.HINT else 3 if first else 2
    source = "the site's own" if first and owner.source is Source.UNKNOWN else SOURCES[owner.source]
    cells: list[list[Thing]] = [[] for _ in range(states)]
    return {"name": name, "purposes": ", ".join(owner.purposes), "source": source, "order": order, "cells": cells}


def _cell(cell: Iterable[Thing]) -> str:
    """What there is, such as "3 requests, 1 cookie"."""
    found = list(cell)
    counts = {
        "request": sum(one.count for one in found if isinstance(one, Request)),
        "cookie": sum(isinstance(one, Cookie) for one in found),
        "entry": sum(isinstance(one, Stored) for one in found),
    }
    plurals = {"entry": "entries"}
    told = [f"{n} {noun if n == 1 else plurals.get(noun, noun + 's')}" for noun, n in counts.items() if n]
    return ", ".join(told)


def _tables(seen: Iterable[Thing]) -> list[tuple[str, list[str], list[list[str]]]]:
    found = list(seen)
    tables: Mapping[str, tuple[list[str], list[list[str]]]] = {
        "Cookies": (
            ["Name", "Domain", "Life", "Whose", "Set by"],
            [
                [one.name, one.domain, life(one.seconds), _owner(one.owner), one.set_by or "—"]
                for one in found
                if isinstance(one, Cookie)
            ],
        ),
        "Other storage": (
            ["Name", "Where", "Origin", "Whose", "Set by"],
            [
                [one.name, STORAGE[one.storage], one.origin, _owner(one.owner), one.set_by or "—"]
                for one in found
                if isinstance(one, Stored)
            ],
        ),
        "Requests": (
            ["Host", "First path", "Kind", "Times", "Whose", "By"],
            [
                [one.host, one.path, f"{one.method} {one.type.lower()}", str(one.count), _owner(one.owner),
                 one.initiator or "—"]
                for one in found
                if isinstance(one, Request)
            ],
        ),
    }  # fmt: skip
    return [(title, head, rows) for title, (head, rows) in tables.items() if rows]


def _owner(owner: Owner) -> str:
    if not owner.name:
        return SOURCES[owner.source]
    return f"{owner.name} ({SOURCES[owner.source]})" if owner.source is Source.HINT else owner.name
