"""Which vendors a page loads by itself, before anybody is asked."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from consent_server.health.rules_findings import quoted
from consent_server.health.rules_page import Element, Page

# A vendor's own snippet, where it names no address: what each begins with.
SNIPPETS = {
    "google": re.compile(r"""\bgtag\s*\(\s*['"](?:config|js)['"]|gtm\.start"""),
    "meta": re.compile(r"""\bfbq\s*\(\s*['"]init['"]"""),
}
# Hosts on which a vendor is a part: which one, by the start of the path. Fonts and the like are nobody's of these.
PARTS = {
    "www.google.com": {
        "/recaptcha/": "google-recaptcha", "/maps": "google-maps", "/pagead/": "google-ads", "/ads/": "google-ads",
        "/ccm/": "google-ads", "/rmkt/": "google-ads",
    },
    "www.gstatic.com": {"/recaptcha/": "google-recaptcha"},
    "google.com": {}, "fonts.gstatic.com": {},
}  # fmt: skip
# What a policy calls that which an element asks for.
DIRECTIVES = {
    "script": ("script-src",), "iframe": ("frame-src",), "embed": ("frame-src",), "object": ("frame-src",),
    "link": ("script-src", "frame-src", "connect-src", "style-src"),
}  # fmt: skip


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
        directives = DIRECTIVES.get(element.name, ("img-src", "media-src"))
        for address in page.addresses(element):
            if vendor := vendor_of(address, known, directives):
                yield Ungated(vendor, element, f"<{element.name}> of {quoted(address)}")
                break
        else:
            if element.runs and not element.get("src") and (vendor := _vendor_in(element.text, known)):
                yield Ungated(vendor, element, "the snippet")


def vendor_of(
    address: str, known: Iterable[KnownVendor], directives: Collection[str], mentioned: bool = False
) -> KnownVendor | None:
    """Whose an address is that is asked for what these directives of a policy are about.

    `mentioned`: the address only stands in a script, which may do something else with it than load it."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return None
    if host in PARTS:
        part = next((key for start, key in PARTS[host].items() if parts.path.startswith(start)), None)
        return next((vendor for vendor in known if vendor.key == part), None)
    asked = [vendor for vendor in known if _asks(vendor, host, directives, mentioned)]
    return _by_id(asked, {value for _, value in parse_qsl(parts.query)} | set(parts.path.split("/")))


def _asks(vendor: KnownVendor, host: str, directives: Collection[str], mentioned: bool) -> bool:
    """By the sources that it names for this, if it names any; a whole domain may be others' too."""
    named = [source.partition("://")[2] for name in directives for source in vendor.sources.get(name, ())]
    hosts = [pattern for pattern in vendor.hosts if not vendor.sources or not (mentioned or pattern.startswith("*."))]
    return any(_is_host(host, pattern) for pattern in (*named, *hosts))


def _vendor_in(script: str, known: Iterable[KnownVendor]) -> KnownVendor | None:
    """By the scripts that a snippet names of a vendor that is loaded by script, or by the calls that it begins with."""
    with_script = [vendor for vendor in known if vendor.adapter]
    starts = {adapter for adapter, snippet in SNIPPETS.items() if snippet.search(script)}
    begun = _by_id([vendor for vendor in with_script if vendor.adapter in starts], set(re.findall(r"[\w-]+", script)))
    if begun:
        return begun
    named = (f"https:{address}" for address in re.findall(r"//[a-z0-9.-]+\.[a-z]+/[\w./?=&-]*", script))
    loaded = (vendor_of(address, with_script, ("script-src",), mentioned=True) for address in named)
    return next(filter(None, loaded), None)


def _by_id(vendors: list[KnownVendor], values: Collection[str]) -> KnownVendor | None:
    """The one whose id is among these values, else the first."""
    named = [vendor for vendor in vendors if vendor.id_pattern and _any_matches(vendor.id_pattern, values)]
    return next(iter([*named, *vendors]), None)


def _is_host(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _any_matches(pattern: str, values: Iterable[str]) -> bool:
    return any(re.fullmatch(pattern, value) for value in values)
