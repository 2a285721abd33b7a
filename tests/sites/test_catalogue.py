"""Vendor files hold what a site may rely on: patterns that compile, purposes that exist, names that are theirs."""

import re
from typing import Any

import pytest

from consent_server.sites import catalogue
from consent_server.sites.rules_notice import FIRST_STORAGE, LATER_STORAGE
from consent_server.sites.rules_signals import PURPOSE_SIGNALS
from consent_server.sites.widget_code import adapter_names

VENDORS = catalogue.vendors()
KEYS = {
    "name", "purposes", "adapter", "id_pattern", "example_id", "tag_pattern", "several_ids", "conversion_pattern",
    "example_conversion", "policy_url", "hosts", "operator", "other_entities", "transfer", "csp", "cookies",
    "objection",
}  # fmt: skip
# Directives of a content policy that a vendor's own code needs, and what each may list (CSP Level 3).
DIRECTIVES = {
    "script-src", "connect-src", "img-src", "frame-src", "style-src", "font-src", "media-src", "worker-src",
    "form-action",
}  # fmt: skip
SOURCE = re.compile(r"(https|wss)://(\*\.)?([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?|blob:|data:|'unsafe-inline'")
COOKIE_KEYS = {"name", "storage", "lifetime", "expiry", "purpose", "host", "deletable"}
HOST = re.compile(r"(\*\.)?([a-z0-9-]+\.)+[a-z]{2,}")
# What a site may well call a cookie of its own: it would be deleted at a withdrawal.
GENERIC = {"id", "uid", "uuid", "sid", "session", "_t", "token", "user", "lang", "cart"}
SHORT = {"_ga", "tf-*", "mp_*"}


@pytest.mark.parametrize("key", sorted(VENDORS))
def test_a_vendor_is_complete(key: str) -> None:
    vendor = VENDORS[key]
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", key)
    assert vendor.keys() <= KEYS
    assert {"name", "purposes", "policy_url", "hosts", "operator", "cookies"} <= vendor.keys()
    assert set(vendor["purposes"]) <= PURPOSE_SIGNALS.keys()
    assert vendor["policy_url"].startswith("https://")
    assert all(HOST.fullmatch(host) for host in vendor["hosts"])
    for party in [vendor["operator"], *vendor.get("other_entities", [])]:
        assert {"name", "address", "country"} <= party.keys()
        assert re.fullmatch("[A-Z]{2}", party["country"])


@pytest.mark.parametrize("key", sorted(key for key in VENDORS if "csp" in VENDORS[key]))
def test_its_sources_are_those_of_a_content_policy(key: str) -> None:
    policy = VENDORS[key]["csp"]
    assert policy.keys() <= DIRECTIVES
    for sources in policy.values():
        assert len(set(sources)) == len(sources) > 0
        assert [source for source in sources if not SOURCE.fullmatch(source)] == []
        # Inline scripts would be allowed to everybody who writes into the page.
        assert "'unsafe-inline'" not in policy.get("script-src", [])


@pytest.mark.parametrize("key", sorted(VENDORS))
def test_its_patterns_compile_and_say_the_same_in_both_languages(key: str) -> None:
    for name in ("id_pattern", "tag_pattern", "conversion_pattern"):
        pattern = VENDORS[key].get(name)
        if pattern is None:
            continue
        assert not re.fullmatch(pattern, "")
        # No syntax that Python and JavaScript read differently.
        assert re.fullmatch(r"[\w\[\]{},() |+*?./-]+", pattern), pattern
    assert ("example_id" in VENDORS[key]) == ({"adapter", "id_pattern"} <= VENDORS[key].keys())
    if "example_id" in VENDORS[key]:
        assert re.fullmatch(VENDORS[key]["id_pattern"], VENDORS[key]["example_id"])
    assert ("example_conversion" in VENDORS[key]) == ("conversion_pattern" in VENDORS[key])
    if "conversion_pattern" in VENDORS[key]:
        assert re.fullmatch(VENDORS[key]["conversion_pattern"], VENDORS[key]["example_conversion"])
    assert VENDORS[key].get("several_ids", True) is True


@pytest.mark.parametrize("key", sorted(VENDORS))
def test_its_cookies_are_told_and_are_its_own(key: str) -> None:
    words = catalogue.locales()["en"]["cookie_purposes"]
    names: set[tuple[str, str, str]] = set()
    for cookie in VENDORS[key]["cookies"]:
        assert cookie.keys() <= COOKIE_KEYS
        assert ("lifetime" in cookie) != ("expiry" in cookie), cookie
        assert cookie["storage"] in (*FIRST_STORAGE, *LATER_STORAGE)
        assert cookie["purpose"] in words
        assert "*" not in cookie["name"].removesuffix("*")
        assert cookie.get("lifetime", 1) > 0
        assert cookie.get("expiry", "none") in ("none", "session")
        place = (cookie["name"], cookie["storage"], cookie.get("host", ""))
        assert place not in names
        names.add(place)
        if "host" in cookie:
            assert HOST.fullmatch(cookie["host"])
            assert cookie.get("deletable") is False, cookie
        else:
            assert_not_the_sites_own(cookie)


def assert_not_the_sites_own(cookie: dict[str, Any]) -> None:
    name: str = cookie["name"]
    assert name.lower() not in GENERIC
    assert name in SHORT or len(name.removesuffix("*")) >= 4
    assert not "eu-consent".startswith(name.removesuffix("*"))


def test_no_two_vendors_have_one_name() -> None:
    names = [vendor["name"] for vendor in VENDORS.values()]
    assert len(set(names)) == len(names)


def test_every_adapter_is_built_and_used() -> None:
    assert {vendor["adapter"] for vendor in VENDORS.values() if "adapter" in vendor} == adapter_names()
