"""Whose something is: what is sure counts before what is a hint."""

from dataclasses import replace

import pytest

from consent_server.scans.banners import known_banners, plain
from consent_server.scans.known_vendors import known_owners
from consent_server.scans.rules import Cookie, NamedVendor, Owner, Request, Source
from consent_server.scans.rules_pages import Frontier, Robots, read_sitemap

OWNERS = known_owners()


def of_request(url: str, kind: str = "Script") -> Owner:
    host = url.split("/")[2]
    return OWNERS.own_request(Request(host, "GET", kind, None, "/", False, 1, ()), url).owner


def of_cookie(name: str, domain: str = "shop.test", first_party: bool = True, owners: object = OWNERS) -> Owner:
    cookie = Cookie(name, domain, "/", 1, None, first_party, False, False, "", None)
    return owners.own_cookie(cookie).owner  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://connect.facebook.net/en_US/fbevents.js", "meta-pixel"),
        ("https://www.googletagmanager.com/gtag/js?id=G-ABCD123456", "google-analytics"),
        ("https://www.googletagmanager.com/gtag/js?id=AW-123456789", "google-ads"),
        ("https://www.googletagmanager.com/gtm.js?id=GTM-ABC1234", "google-tag-manager"),
        ("https://www.google.com/recaptcha/api.js", "google-recaptcha"),
        ("https://cdn.test/x.js", None),
    ],
)
def test_requests_by_the_catalogue(url: str, key: str | None) -> None:
    assert of_request(url).key == key


def test_the_hosts_of_other_tools_are_no_leak() -> None:
    assert of_request("https://consent.cookiebot.com/uc.js").source is Source.BANNER


@pytest.mark.parametrize(
    ("name", "source", "key"),
    [
        ("_ga_ABCD123456", Source.CATALOGUE, "google-analytics"),
        ("cookiePreferences", Source.HINT, None),
        ("id", Source.UNKNOWN, None),
        ("cart", Source.UNKNOWN, None),
    ],
)
def test_names_by_the_catalogue_and_then_as_a_hint(name: str, source: Source, key: str | None) -> None:
    owner = of_cookie(name)
    assert (owner.source, owner.key) == (source, key)


def test_what_a_notice_names_is_its_vendors() -> None:
    named = NamedVendor("own", "Own", ("functional",), (("cookie", "cart*"),))
    assert of_cookie("cart2", owners=replace(OWNERS, named=(named,))).key == "own"


def test_words_are_compared_as_the_page_says_them() -> None:
    words = known_banners()["words"]
    assert plain(" Accept  All! ") == "accept all"
    assert all(word == plain(word) for said in words.values() for word in said)
    assert words["accept"]
    assert not set(words["accept"]) & set(words["refuse"])


def test_which_pages_are_looked_at() -> None:
    robots = Robots("User-agent: consent-scan\nDisallow: /private\n\nSitemap: https://a.test/map.xml\n")
    frontier = Frontier({"https://a.test"}, robots.allows)
    frontier.start(["https://a.test"])
    frontier.add(["https://a.test/#top", "https://a.test/2", "https://a.test/2#x", "https://b.test/", "mailto:x@a"])
    frontier.add(
        ["https://a.test/private/1", "https://a.test/f.pdf", "https://a.test/?q=1", "https://a.test/logout", "http://["]
    )
    assert robots.sitemaps == ["https://a.test/map.xml"]
    assert list(frontier.take(9)) == ["https://a.test", "https://a.test/2"]
    assert frontier.disallowed == {"https://a.test/private/1"}
    assert Robots(None).allows("https://a.test/private/1")


def test_a_sitemap() -> None:
    text = "<urlset><url><loc> https://a.test/?a=1&amp;b </loc></url><url><loc><![CDATA[https://a.test/2]]></loc></url></urlset>"
    assert read_sitemap(text) == (["https://a.test/?a=1&b", "https://a.test/2"], False)
    assert read_sitemap("<sitemapindex><loc>https://a.test/m</loc></sitemapindex>") == (["https://a.test/m"], True)
