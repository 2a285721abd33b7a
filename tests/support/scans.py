"""Scans made up of what they saw."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from consent_server.scans.rules import (
    Banner,
    Button,
    ConsentMode,
    Cookie,
    Owner,
    ReadNotice,
    Request,
    Scan,
    Seen,
    Source,
    State,
    Stored,
)
from consent_server.scans.rules_verdicts import Thing, judge

META = Owner("Meta pixel", ("advertising",), Source.CATALOGUE, "meta-pixel")
HINT = Owner("Somebody", ("analytics",), Source.HINT)
BUTTON = Button("Accept all", 1, 120, 44, 16.0, True)
BANNER = Banner("generic", "We use cookies", BUTTON, replace(BUTTON, text="Reject all"), BUTTON)
DENIED = dict.fromkeys(("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage"), "denied")


def cookie(name: str = "_fbp", owner: Owner = META, domain: str = "shop.test", first_party: bool = True) -> Cookie:
    return Cookie(name, domain, "/", 9, 60, first_party, False, True, "", None, owner)


def request(host: str = "www.facebook.com", owner: Owner = META, first_party: bool = False) -> Request:
    return Request(host, "GET", "Image", None, "/tr", first_party, 1, ("/",), owner)


def scan(
    banner: Banner | None = BANNER,
    notice: ReadNotice | None = None,
    modes: tuple[ConsentMode, ...] = (),
    **things: Sequence[Thing],
) -> Scan:
    """A scan that saw these things, by state; the states without a word saw nothing."""
    states = list(State) if banner else [State.BEFORE]
    seen = {state: _seen(state, things.get(state.name.lower(), [])) for state in states}
    whole = Scan(datetime(2026, 11, 23, tzinfo=UTC), 1.0, "Chrome", ("u",), banner, seen, modes, notice, ())
    return replace(whole, findings=judge(whole))


def _seen(state: State, things: Sequence[Thing]) -> Seen:
    cookies = tuple(one for one in things if isinstance(one, Cookie))
    storage = tuple(one for one in things if isinstance(one, Stored))
    return Seen(state, ("/",), cookies, storage, tuple(one for one in things if isinstance(one, Request)))
