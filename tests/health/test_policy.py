"""What a Content-Security-Policy lets a page load, as CSP 3 says it."""

import pytest

from consent_server.health.rules_policy import read_policies

PAGE = "https://shop.example/a"
TAG = "https://consent.example/widget/shop.js"


def lets_in(policy: str, url: str = TAG, directive: str = "script-src", **more: object) -> bool:
    return all(each.lets_in(directive, url, PAGE, **more) for each in read_policies([policy]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("", True), ("img-src 'none'", True), ("default-src 'none'", False), ("default-src", False),
        ("script-src 'self'", False), ("script-src *", True), ("script-src https:", True), ("script-src http:", True),
        ("script-src data:", False), ("script-src consent.example", True), ("script-src https://consent.example", True),
        ("SCRIPT-SRC HTTPS://CONSENT.EXAMPLE", True), ("script-src http://consent.example", True),
        ("script-src wss://consent.example", False), ("script-src *.example", True),
        ("script-src *.consent.example", False),
        ("script-src consent.example:443", True), ("script-src consent.example:*", True),
        ("script-src consent.example:8443", False), ("script-src consent.example/widget/", True),
        ("script-src consent.example/widget", False), ("script-src consent.example/widget/shop.js", True),
        ("script-src other.example; script-src *", False), ("script-src-elem *; script-src 'none'", True),
        ("script-src 'none'; default-src *", False), ("script-src * 'strict-dynamic'", False),
        ("default-src *, script-src 'self'", False), ("script-src 'nonce-abc'", False),
        ("script-src 'unsafe-inline'", False),
        ("script-src 'consent.example'", False),
    ],
)  # fmt: skip
def test_a_script(policy: str, allowed: bool) -> None:
    assert lets_in(policy) is allowed


def test_a_nonce_lets_its_own_in_and_strict_dynamic_what_a_script_adds() -> None:
    assert lets_in("script-src 'nonce-aBc'", nonce="aBc")
    assert not lets_in("script-src 'nonce-aBc'", nonce="abc")
    assert lets_in("script-src 'nonce-aBc' 'strict-dynamic'", added=True)
    assert not lets_in("img-src 'nonce-aBc'", directive="img-src", nonce="aBc")


@pytest.mark.parametrize(
    ("directive", "policy", "url", "allowed"),
    [
        ("connect-src", "default-src 'self'", "https://shop.example/_consent/x", True),
        ("connect-src", "default-src 'self'", "http://shop.example/x", False),
        ("connect-src", "connect-src consent.example", "wss://consent.example/", True),
        ("connect-src", "connect-src https://consent.example", "wss://consent.example/", False),
        ("frame-src", "child-src www.youtube.com", "https://www.youtube.com/embed/x", True),
        ("frame-src", "child-src *; frame-src 'none'", "https://www.youtube.com/embed/x", False),
        ("img-src", "img-src http://[::1]:8000", "http://[::1]:8000/x.png", True),
    ],
)
def test_what_else_a_page_asks_for(directive: str, policy: str, url: str, allowed: bool) -> None:
    assert lets_in(policy, url, directive) is allowed
