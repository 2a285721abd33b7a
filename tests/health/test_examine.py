"""A page with mistakes: each is told once, on its line, with its mend; and a page without any is left in peace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.health.rules_examine import Expected, examine
from consent_server.health.rules_findings import Finding, Level, quoted
from consent_server.health.rules_page import read_page
from consent_server.health.rules_vendors import KnownVendor
from consent_server.sites import catalogue

ON_SITE = ("google-analytics", "meta-pixel", "youtube", "heat-map")


def known(key: str) -> KnownVendor:
    entry = catalogue.vendors().get(key, {"hosts": ["cdn.heatmap.example"]})
    sources = {name: tuple(of) for name, of in entry.get("csp", {}).items()}
    return KnownVendor(
        key, entry.get("adapter"), tuple(entry["hosts"]), entry.get("id_pattern"), sources, key in ON_SITE
    )


EXPECTED = Expected(
    "shop", ["shop", "rival"], ["analytics", "advertising", "media"],
    [known(key) for key in sorted({*catalogue.vendors(), *ON_SITE})], {"signup"},
)  # fmt: skip
TAG = '<script async src="https://consent.example/widget/shop.js"></script>'
PAGE = "https://shop.example/"


def told(body: str, head: str = TAG, policy: str = "", url: str = PAGE) -> list[Finding]:
    text = f"<!doctype html><html><head>{head}</head>\n<body>{body}</body></html>"
    return list(examine(read_page(url, text, [policy] if policy else []), EXPECTED))


def wrong(body: str, head: str = TAG, policy: str = "") -> list[str]:
    return [each.said for each in told(body, head, policy) if each.level is Level.WRONG]


RIGHT = """
<iframe data-consent="youtube" data-src="https://www.youtube.com/embed/x"></iframe>
<iframe data-consent="media" data-consent-src="https://www.youtube.com/embed/y"></iframe>
<script type="text/plain" data-consent="heat-map" src="https://cdn.heatmap.example/a.js"></script>
<template data-consent="analytics"><script src="https://cdn.heatmap.example/a.js"></script></template>
<template><iframe src="https://www.youtube.com/embed/z"></iframe></template>
<!-- <script src="https://connect.facebook.net/en_US/fbevents.js"></script> -->
<script type="application/ld+json">{"sameAs": "https://www.facebook.com/shop"}</script>
<script>gtag("event", "sign_up"); fbq("track", "Lead"); const videos = ["https://www.youtube.com/watch?v=1"];
const us = {{facebook: "https://www.facebook.com/shop/", maps: "https://www.google.com/maps/place/x"}};</script>
<link rel="preconnect" href="https://fonts.gstatic.com"><img src="https://www.google.com/favicon.ico">
<link rel="stylesheet" href="https://fonts.googleapis.com/css2?family=X"><script src="https://ajax.googleapis.com/jquery.js"></script>
<a href="https://www.facebook.com/shop" data-conversion="signup">us</a><img src="/logo.png">
<link rel="dns-prefetch" href="https://www.googletagmanager.com"><a href="https://consent.example/widget/nope.js">x</a>
"""
NEXT_LINE = f"line {2 + RIGHT.count(chr(10))}: "


def test_a_page_without_a_mistake() -> None:
    assert [(each.level, each.said) for each in told(RIGHT)] == [
        (Level.OK, "The tag of shop is there once, and nothing stands in its way.")
    ]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "The tag is not in the page as it is served"),
        (TAG * 2, "line 1: the tag is there a second time"),
        (TAG.replace("shop.js", "rival.js"), "line 1: this is the tag of the site `rival`, not of `shop`"),
        (TAG.replace("shop.js", "shopp.js"), "line 1: there is no site `shopp` on this server"),
        (TAG.replace(" async", ""), "line 1: the tag holds up the page while it loads: add `async`"),
        (TAG.replace("async", 'async type="text/plain"'), "line 1: the tag never runs"),
        (TAG.replace("async", "async nomodule"), "line 1: the tag never runs"),
        (f"<noscript>{TAG}</noscript>", "line 1: the tag never runs"),
        (TAG.replace("async", 'async integrity="sha256-x"'), "line 1: the tag has `integrity`"),
        (TAG.replace("https:", "http:"), "line 1: the tag is loaded over http"),
    ],
)
def test_the_tag(head: str, said: str) -> None:
    (only,) = wrong(RIGHT, head)
    assert only.startswith(said)


def test_whose_tag_was_meant() -> None:
    assert "Did you mean `shop`?" in wrong("", TAG.replace("shop.js", "shopp.js"))[0]
    assert "The tag names `shop`" in wrong("", TAG.replace("shop.js", "zzz.js"))[0]


def test_a_late_tag_and_one_that_shows_the_overlay_are_noted() -> None:
    late = f"<script src='/a.js'></script>\n<script>b()</script>{TAG.replace('async', 'async data-consent-debug')}"
    notes = [each.said for each in told("", late) if each.level is Level.NOTE]
    assert len(notes) == 2
    assert notes[0].startswith("line 2: `data-consent-debug`")
    assert notes[1].startswith("line 2: 2 scripts stand before the tag: put it first")


GTAG = "https://www.googletagmanager.com/gtag/js?id=G-ABCD123456"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f'<script async src="{GTAG}"></script>', f"<script> of {GTAG} loads google-analytics"),
        ("<script>gtag('js', new Date()); gtag('config', 'G-ABCD123456')</script>", "a snippet of google-analytics"),
        ("<script>(function(w){w.push({'gtm.start': 1})})(window,'GTM-ABC1234')</script>", "a snippet of google-"),
        ("<script>fbq('init', '1234567890123456')</script>", "a snippet of meta-pixel"),
        ("<script>load('https://connect.facebook.net/en_US/fbevents.js')</script>", "a snippet of meta-pixel"),
        ("<script src='//cdn.heatmap.example/a.js'></script>", "https://cdn.heatmap.example/a.js loads heat-map"),
        ('<iframe src="https://www.youtube.com/embed/x"></iframe>', "https://www.youtube.com/embed/x loads youtube"),
        ('<img src="https://www.facebook.com/tr?id=1">', "<img> of https://www.facebook.com/tr?id=1 loads meta-pixel"),
        ('<noscript><img src="https://www.facebook.com/tr?id=1"></noscript>', "<img> of"),
        ('<img srcset="/a.png 1x, https://www.facebook.com/tr 2x">', "<img> of https://www.facebook.com/tr loads"),
        ('<link rel="preconnect" href="https://connect.facebook.net">', "<link> of https://connect.facebook.net loads"),
        ('<iframe src="https://www.google.com/maps/embed?pb=1"></iframe>', "loads google-maps"),
        ('<script src="https://maps.googleapis.com/maps/api/js"></script>', "loads google-maps"),
        ('<noscript><iframe src="//www.googletagmanager.com/ns.html?id=GTM-ABC1234"></iframe></noscript>', "remove"),
        ('<iframe src="https://form.typeform.com/to/x"></iframe>', "https://form.typeform.com/to/x loads typeform"),
    ],
)  # fmt: skip
def test_a_vendor_that_stands_beside_the_tag(body: str, said: str) -> None:
    (only,) = wrong(RIGHT + body)
    assert said in only
    assert only.startswith(NEXT_LINE)


def test_a_vendor_that_the_site_file_does_not_name_is_told_so() -> None:
    assert "the site file does not name it" in wrong('<iframe src="https://form.typeform.com/to/x"></iframe>')[0]
    assert "the site file" not in wrong('<iframe src="https://www.youtube.com/embed/x"></iframe>')[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<script type="text/plain" data-consent="analitics"></script>', "Did you mean `analytics`?"),
        ('<div data-consent="you-tube"></div>', "Did you mean `youtube`?"),
        ('<template data-consent=""></template>', "There are `advertising`, `analytics`"),
        ('<div data-consent="typeform"></div>', "names neither a purpose nor a vendor"),
        ('<script data-consent="analytics" src="/a.js"></script>', 'add `type="text/plain"`'),
        ('<iframe data-consent="youtube" src="https://www.youtube.com/embed/x"></iframe>', "write `data-src` in"),
        ('<script type="text/plain" data-cookieconsent="statistics" src="/a.js"></script>', "another tool's"),
        ('<a data-conversion="singup">x</a>', "Did you mean `signup`?"),
        ('<a data-conversion="order">x</a>', "is no conversion of the site file"),
    ],
)  # fmt: skip
def test_markup_that_does_not_do_what_it_says(body: str, said: str) -> None:
    (only,) = wrong(RIGHT + body)
    assert said in only
    assert only.startswith(NEXT_LINE)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("script-src 'self'", ["load the tag: add `https://consent.example` to `script-src` or give the tag"]),
        ("connect-src 'self'", ["post decisions, and their proof is lost: add `https://consent.example` to"]),
        ("default-src 'none'", ["load the tag", "post decisions"]),
        ("script-src https://consent.example/widget/shop.js", ["later scripts: add `https://consent.example` to `scr"]),
        ("default-src https:", []), ("script-src https:; connect-src https://consent.example", []),
    ],
)  # fmt: skip
def test_a_policy(policy: str, said: list[str]) -> None:
    for found, words in zip(wrong("", policy=policy), said, strict=True):
        assert words in found
    assert wrong("", f'<meta http-equiv="Content-Security-Policy" content="{policy}">{TAG}') == wrong("", policy=policy)


def test_a_policy_that_stops_a_vendor_after_its_grant_is_noted() -> None:
    policy = "script-src 'nonce-a' 'strict-dynamic'; connect-src https:; img-src 'self'"
    found = told("", TAG.replace("async", 'async nonce="a"'), policy)
    assert [each.said for each in found if each.level is Level.NOTE] == [
        "The policy stops google-analytics also once it is granted. Add `img-src`: `https://*.google-analytics.com "
        "https://*.googletagmanager.com https://*.g.doubleclick.net https://*.google.com`.",
        "The policy stops meta-pixel also once it is granted. Add `img-src`: `https://www.facebook.com`.",
    ]


def test_a_base_address_counts() -> None:
    head = f'<base href="https://consent.example/">{TAG.replace("https://consent.example", "")}'
    assert wrong("", head, "script-src https://consent.example") == []
    assert wrong("", head.replace("https://consent.example", "https://other.example"), "script-src consent.example")


MARKUP = st.lists(st.sampled_from([
    "<script", "<script src=", "<iframe src='", "http://[", "'>", ">", "</script>", "</template>", "<template>", "\x00",
    "<noscript>", "</noscript>", "data-consent", "=", "<!--", "-->", "<![CDATA[", "&#x110000;", TAG, "<base href=//[>",
])).map("".join)  # fmt: skip


@given(MARKUP)
def test_no_page_breaks_the_reading(markup: str) -> None:
    for each in told(markup, ""):
        assert each.said
        assert quoted(each.said, 5000).isprintable()
