"""The stored choice as the first-party cookie `eu-consent` carries it (docs/formats/cookie.md)."""

from contextlib import suppress
from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from consent_server.domain.decision import Decision

NAME = "eu-consent"  # CNIL recommendation 2020-092 asks for this name and one boolean a purpose


def cookie_value(revision: str, decision: Decision, visitor: UUID | None, state: str | None, now: datetime) -> str:
    """The cookie's value: a query string that any language's parser reads.

    Equal, byte for byte, to what the widget writes for the same choice.
    """
    pairs: dict[str, str] = {"v": "1", "t": str(int(now.timestamp())), "n": revision}
    pairs |= {f"p.{purpose}": _bit(granted) for purpose, granted in decision.grants.items()}
    pairs |= {f"v.{vendor}": _bit(granted) for vendor, granted in decision.exceptions.items()}
    if decision.answer.gpc:
        pairs["g"] = "1"
    if visitor is not None:
        pairs["i"] = str(visitor)
    if state is not None:
        pairs["s"] = state
    return urlencode(pairs)


def below(host: str, domain: str) -> bool:
    """Whether a host is this domain or below it: where a cookie of the domain may be set (RFC 6265, section 5.1.3)."""
    return f".{host}".endswith(f".{domain}")


def stored_visitor(value: str) -> UUID | None:
    """Who the cookie of an earlier grant names. Whatever cannot be read names nobody."""
    with suppress(ValueError):
        return UUID(dict(parse_qsl(value)).get("i", ""))
    return None


def _bit(granted: bool) -> str:
    return "1" if granted else "0"
