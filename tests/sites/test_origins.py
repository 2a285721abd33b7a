"""Which pages are a site's."""

import pytest

from consent_server.decisions.rules_device import device_class
from consent_server.sites.rules_site import origin_matches

ALLOWED = ("https://www.callbell.eu", "http://127.0.0.1:*", "http://[::1]:*", "https://shop.example:8443")


@pytest.mark.parametrize(
    "origin",
    ["https://www.callbell.eu", "http://127.0.0.1:1", "http://127.0.0.1:65535", "http://[::1]:8001",
     "https://shop.example:8443", "http://127.0.0.1"],
)  # fmt: skip
def test_admitted(origin: str) -> None:
    assert origin_matches(origin, ALLOWED)


@pytest.mark.parametrize(
    "origin",
    ["https://www.callbell.eu.evil.example", "https://callbell.eu", "http://www.callbell.eu", "null", "",
     "https://www.callbell.eu:443", "https://www.callbell.eu/", "http://127.0.0.1:", "http://127.0.0.1:*",
     "http://127.0.0.1:8000/", "http://127.0.0.1:8000:1", "https://127.0.0.1:8000", "http://127.0.0.1.evil.example:1",
     "https://shop.example", "https://shop.example:8444", "http://localhost:8000", "http://127.0.0.1:-1",
     "http://127.0.0.1:8 ", "http://127.0.0.1:\u0661", "*", "http://127.0.0.1:80x", "https://evilcallbell.eu",
     "https://sub.www.callbell.eu", "https://www.callbell.eu@evil.example", "HTTPS://WWW.CALLBELL.EU",
     "https://evil.example/https://www.callbell.eu", "https://www.callbell.eu https://evil.example",
     "https://www.callbell.eu,https://a.example", "http://evil.example:80"],
)  # fmt: skip
def test_refused(origin: str) -> None:
    assert not origin_matches(origin, ALLOWED)


@pytest.mark.parametrize(
    ("hint", "agent", "device"),
    [("?1", "", "mobile"), ("?0", "Mobile", "desktop"), (None, "iPhone", "mobile"), (None, "iPad", "tablet"),
     ("?0", "Android 14; SM-X210", "tablet"), (None, "Android 14; Mobile", "mobile"), (None, "", "desktop"),
     ("junk", "", "desktop"), (None, "x" * 10_000, "desktop")],
)  # fmt: skip
def test_three_kinds_of_device(hint: str | None, agent: str, device: str) -> None:
    assert device_class(hint, agent) == device
