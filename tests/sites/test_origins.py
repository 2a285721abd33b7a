"""Which pages are a site's."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.rules_address import read_host
from consent_server.decisions.rules_device import device_class
from consent_server.sites.rules_origin import LOOPBACK, as_sent, origin_matches, read_origin
from tests.support.factories import TOP, Body, site_file
from tests.support.sites import Apply
from tests.support.visitor import post

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


SPELT = {
    "https://SHOP.example:443": "https://shop.example",
    "HTTPS://shop.example": "https://shop.example",
    "https://shop.example.": "https://shop.example",
    "https://shop.example:": "https://shop.example",
    "https://shop.example:08443": "https://shop.example:8443",
    "https://shop.example:80": "https://shop.example:80",
    "http://localhost:80": "http://localhost",
    "http://LOCALHOST:443": "http://localhost:443",
    "http://127.0.0.1:*": "http://127.0.0.1:*",
    "https://B\u00fccher.example": "https://xn--bcher-kva.example",
    "https://XN--BCHER-KVA.example": "https://xn--bcher-kva.example",
    "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444": "https://xn--e1afmkfd.xn--p1ai",
    "https://\u65e5\u672c\u3002jp": "https://xn--wgv71a.jp",
    "http://[0:0:0:0:0:0:0:1]:*": "http://[::1]:*",
    "https://[2001:DB8::0:1]:443": "https://[2001:db8::1]",
    "https://[::ffff:192.0.2.1]": "https://[::ffff:c000:201]",
    "https://192.0.2.1:8443": "https://192.0.2.1:8443",
}
NONE = [
    "https://shop.example/", "https://shop.example?x", "https://shop.example#x", "https://a@shop.example",
    "https://shop.example\\x", "shop.example", "//shop.example", "ftp://shop.example", "null", "*", "", "https://",
    "https://*.shop.example", "https://shop.example:*", "https://shop.example:0", "https://shop.example:65536",
    "https://shop.example:x", "https://shop.example:-1", "https://shop.example:\u0664", "https://shop.example:443:1",
    "http://shop.example", "http://127.0.0.2", "https://a..example", "https://.example", "https://sh op.example",
    "https://127.1", "https://0x7f.1", "https://1.2.3.256", "https://010.0.0.1", "https://2130706433",
    "https://[::1", "https://[::1]x", "https://[fe80::1%25eth0]", "https://[]", "https://stra\u00dfe.example",
    "https://a\u200db.example", "https://\ufffd.example", "https://" + "a" * 64 + ".example",
    "https://" + "a." * 130 + "example", "https://" + "\u00fc" * 290,
]  # fmt: skip


@pytest.mark.parametrize("given", SPELT)
def test_an_origin_is_read_as_browsers_send_it(given: str) -> None:
    assert read_origin(given) == SPELT[given]


@pytest.mark.parametrize("given", NONE)
def test_what_is_no_origin_is_refused_with_a_reason(given: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_origin(given)
    assert as_sent(given) == given


hosts = st.one_of(
    st.sampled_from(LOOPBACK),
    st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,9}[A-Za-z]", fullmatch=True), min_size=1).map(".".join),
    st.lists(st.text("a\u00fc\u00e9\u0444\u65e5\u05d0", min_size=1, max_size=9), min_size=1, max_size=3).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address.exploded.upper()}]"),
)


@given(hosts, st.sampled_from(["", ":", ":443", ":0443", ":1", ":65535"]), st.sampled_from(["", "."]))
def test_the_spelling_of_browsers_is_one(host: str, port: str, root: str) -> None:
    try:
        origin = read_origin(f"HTTPS://{host}{root}{port}")
    except ValueError:
        # Some generated labels are none: bidirectional ones that mix, or too long ones.
        return
    assert read_origin(origin) == origin == origin.lower()
    assert origin.isascii()
    assert not origin.endswith((":443", ".", ":"))
    assert origin_matches(as_sent(f"https://{host}{port}"), [origin])


@given(st.text(max_size=40))
def test_any_text_is_an_origin_or_none(given: str) -> None:
    for read in (read_origin, read_host, as_sent):
        try:
            assert read(given) == read(read(given))
        except ValueError:
            assert read is not as_sent


@pytest.mark.parametrize(
    ("written", "sent"),
    [("https://SHOP.example:443", "https://shop.example"), ("http://localhost:80", "http://localhost"),
     ("https://shop.example:08443", "https://shop.example:8443"), ("https://shop.example.", "https://shop.example."),
     ("https://B\u00fccher.example", "https://xn--bcher-kva.example"), ("https://[::0:1]", "https://[::1]")],
)  # fmt: skip
def test_a_post_from_an_origin_is_recorded_however_it_is_spelt(
    client: FlaskClient, apply_site: Apply, written: str, sent: str
) -> None:
    notice = apply_site(site_file(TOP.replace("https://shop.example", written)))
    assert post(client, Body(notice)(page=f"{sent}/a"), origin=sent).status_code == 201
    assert post(client, Body(notice)(), origin="https://other.example").status_code == 403


@pytest.mark.parametrize(
    ("hint", "agent", "device"),
    [("?1", "", "mobile"), ("?0", "Mobile", "desktop"), (None, "iPhone", "mobile"), (None, "iPad", "tablet"),
     ("?0", "Android 14; SM-X210", "tablet"), (None, "Android 14; Mobile", "mobile"), (None, "", "desktop"),
     ("junk", "", "desktop"), (None, "x" * 10_000, "desktop")],
)  # fmt: skip
def test_three_kinds_of_device(hint: str | None, agent: str, device: str) -> None:
    assert device_class(hint, agent) == device
