"""The stored choice as the first-party cookie `eu-consent` carries it (docs/formats/cookie.md)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from consent_server.decisions.rules import Decision

DAY = 86_400


def cookie_value(revision: str, decision: Decision, visitor: str | None, state: str | None, now: datetime) -> str:
    """The cookie's value: a query string that any language's parser reads.

    Equal, byte for byte, to what the widget writes for the same choice.
    """
    # By the second of a refusal its record could be told from all others.
    at = _second(now) if decision.grants_anything else _day(now)
    pairs = _pairs(revision, decision.runs, decision.exceptions, decision.answer.gpc, at)
    if visitor is not None:
        pairs["i"] = visitor
    if state is not None:
        pairs["s"] = state
    return urlencode(pairs)


def withdrawn_value(revision: str, purposes: Iterable[str], gpc: bool, now: datetime) -> str:
    """The cookie's value once everything is withdrawn: each purpose denied, and no identifier."""
    return urlencode(_pairs(revision, dict.fromkeys(purposes, False), {}, gpc, _day(now)))


def visitor_of(value: str) -> str | None:
    """The identifier in a cookie's value with its tag, as it stands there; None without one."""
    return dict(parse_qsl(value)).get("i")


def _second(now: datetime) -> int:
    return int(now.timestamp())


def _day(now: datetime) -> int:
    return _second(now) - _second(now) % DAY


def _pairs(
    revision: str, runs: Mapping[str, bool], exceptions: Mapping[str, bool], gpc: bool, at: int
) -> dict[str, str]:
    pairs = {"v": "1", "t": str(at), "n": revision}
    pairs |= {f"p.{purpose}": _bit(granted) for purpose, granted in runs.items()}
    pairs |= {f"v.{vendor}": _bit(granted) for vendor, granted in exceptions.items()}
    return pairs | ({"g": "1"} if gpc else {})


def _bit(granted: bool) -> str:
    return "1" if granted else "0"
