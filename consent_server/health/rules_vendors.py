"""Which vendors a page loads by itself, before anybody is asked."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from consent_server.health.rules_findings import quoted
from consent_server.health.rules_page import Element, Page

# A vendor's own snippet, where it names no address: what each begins with.
SNIPPETS = {
    "google": re.compile(r"""\bgtag\s*\(\s*['"](?:config|js)['"]|gtm\.start"""),
    "meta": re.compile(r"""\bfbq\s*\(\s*['"]init['"]"""),
}
# Of Google's www, only this is asked for by sites that have nothing of the catalogue.
NOBODY_S = ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/")


@dataclass(frozen=True, slots=True)
class KnownVendor:
    """A vendor of the catalogue or of the site. `on_site`: the site's notice names it.

    `adapter` is None where the page's own markup loads it; `sources` are what a policy must allow, by directive.
    """

    key: str
    adapter: str | None
    hosts: tuple[str, ...]
    id_pattern: str | None
    sources: Mapping[str, tuple[str, ...]]
    on_site: bool


@dataclass(frozen=True, slots=True)
class Ungated:
    """A vendor that an element loads at once, or whose snippet stands in it."""

    vendor: KnownVendor
    element: Element
    what: str


def ungated(page: Page, vendors: Iterable[KnownVendor]) -> Iterator[Ungated]:
    """Each element once, with the vendor that it most probably is of."""
    known = sorted(vendors, key=lambda vendor: (not vendor.on_site, vendor.adapter is None, vendor.key))
    for element in page.elements:
        for address in page.addresses(element):
            if vendor := _vendor_of(address, known):
                yield Ungated(vendor, element, f"<{element.name}> of {quoted(address)}")
                break
        else:
            if element.runs and not element.get("src") and (vendor := _vendor_in(element.text, known)):
                yield Ungated(vendor, element, "the snippet")


def _vendor_of(address: str, known: list[KnownVendor]) -> KnownVendor | None:
    if address.startswith(NOBODY_S):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return None
    asked = [vendor for vendor in known if any(_is_host(host, pattern) for pattern in vendor.hosts)]
    values = {value for _, value in parse_qsl(parts.query)} | set(parts.path.split("/"))
    by_id = [vendor for vendor in asked if vendor.id_pattern and _any_matches(vendor.id_pattern, values)]
    return next(iter([*by_id, *asked]), None)


def _vendor_in(script: str, known: list[KnownVendor]) -> KnownVendor | None:
    """By the addresses of a snippet of a vendor that is loaded by script, or by the calls that it begins with."""
    with_script = [vendor for vendor in known if vendor.adapter]
    loaded = re.findall(r"//([a-z0-9.-]+\.[a-z]+)/", script)
    starts = {adapter for adapter, snippet in SNIPPETS.items() if snippet.search(script)}
    words = set(re.findall(r"[\w-]+", script))
    named = [
        vendor
        for vendor in with_script
        if vendor.adapter in starts or any(_is_host(host, pattern) for host in loaded for pattern in vendor.hosts)
    ]
    by_id = [vendor for vendor in named if vendor.id_pattern and _any_matches(vendor.id_pattern, words)]
    return next(iter([*by_id, *named]), None)


def _is_host(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _any_matches(pattern: str, values: Iterable[str]) -> bool:
    return any(re.fullmatch(pattern, value) for value in values)
