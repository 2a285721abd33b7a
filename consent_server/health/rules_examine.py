"""What is wrong with a page that is to show a site's banner, by its markup and its policies alone."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from consent_server.core.rules_text import meant
from consent_server.health.rules_findings import Finding, Level, quoted
from consent_server.health.rules_page import Element, Page
from consent_server.health.rules_policy import FALLBACK, Policy, read_policies
from consent_server.health.rules_vendors import KnownVendor, ungated

# What other consent tools hold markup by; here nothing lets it go.
FOREIGN_GATES = ("data-cookieconsent", "data-cookiecategory", "data-category", "data-cli-class", "data-usercentrics")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a page of a site is to have. `sites` are those of this server, `conversions` the names of the site file."""

    site: str
    sites: Collection[str]
    purposes: Collection[str]
    vendors: Collection[KnownVendor]
    conversions: Collection[str]

    @property
    def keys(self) -> set[str]:
        """All that markup may wait for."""
        return {*self.purposes, *(vendor.key for vendor in self.vendors if vendor.on_site)}


def examine(page: Page, expected: Expected) -> Iterator[Finding]:
    """All that is told of the page; where nothing is wrong, that the tag is right."""
    told = [*_tags(page, expected), *_gated(page, expected), *_beside(page, expected), *_conversions(page, expected)]
    told += [*_policies(page, expected)]
    if not any(each.level is Level.WRONG for each in told):
        yield Finding(Level.OK, page.url, f"The tag of {expected.site} is there once, and nothing stands in its way.")
    yield from told


def _at(page: Page, element: Element, said: str, level: Level = Level.WRONG) -> Finding:
    return Finding(level, page.url, f"line {element.line}: {said}")


def _tags(page: Page, expected: Expected) -> Iterator[Finding]:
    tags = page.tags()
    own = [tag for key, tag in tags if key == expected.site]
    for key, tag in tags:
        if key in expected.sites and key != expected.site:
            yield _at(page, tag, f"this is the tag of the site `{key}`, not of `{expected.site}`: take its own.")
        elif key not in expected.sites:
            said = f"there is no site `{quoted(key)}` on this server, so nothing is gated and no banner is shown."
            yield _at(page, tag, said + (meant(key, expected.sites) or f" The tag names `{expected.site}`."))
    if not tags:
        yield Finding(
            Level.WRONG,
            page.url,
            "The tag is not in the page as it is served: paste it first in <head>. If a script puts it in, that cannot "
            "be seen from here, and the vendors' tags that stand in the page are not held.",
        )
    for again in own[1:]:
        yield _at(page, again, "the tag is there a second time: remove one of them.")
    if own:
        yield from _form(page, own[0])
        yield from _order(page, own[0], expected)


def _form(page: Page, tag: Element) -> Iterator[Finding]:
    if not tag.runs or "nomodule" in tag.attributes:
        yield _at(page, tag, "the tag never runs: take out its `type` and `nomodule`, or move it out of <noscript>.")
    if not {"async", "defer"} & tag.attributes.keys() and tag.get("type") != "module":
        yield _at(page, tag, "the tag holds up the page while it loads: add `async`.")
    if tag.get("integrity"):
        yield _at(page, tag, "the tag has `integrity` and stops with the next notice or version: take it out.")
    if "data-consent-debug" in tag.attributes:
        yield _at(page, tag, "`data-consent-debug` shows every visitor what is for you: take it out.", Level.NOTE)
    src = page.address(tag.get("src"))
    if page.url.startswith("https:") and src.startswith("http:"):
        yield _at(page, tag, "the tag is loaded over http, which a page over https does not do: write `https:`.")


def _order(page: Page, tag: Element, expected: Expected) -> Iterator[Finding]:
    before = page.elements[: page.elements.index(tag)]
    vendors = {id(each.element) for each in ungated(page, expected.vendors)}
    # A vendor's own tag before it is told of by itself.
    others = [element for element in before if element.runs and id(element) not in vendors]
    if others:
        count = f"{len(others)} script{'s stand' if len(others) > 1 else ' stands'} before the tag"
        said = f"{count}: put it first in <head>, so that calls of `gtag()` and `fbq()` meet it."
        yield _at(page, tag, said, Level.NOTE)


def _gated(page: Page, expected: Expected) -> Iterator[Finding]:
    for element in page.elements:
        key = element.key
        if key is not None and key not in expected.keys:
            said = (
                f"`data-consent={quoted(key, 60)}` names neither a purpose nor a vendor of the notice: it never opens."
            )
            yield _at(page, element, said + (meant(key, expected.keys) or f" There are {_listed(expected.keys)}."))
        if key is not None and element.runs:
            yield _at(page, element, '<script data-consent> runs at once: add `type="text/plain"`.')
        elif key is not None and element.name in ("iframe", "img", "embed") and element.get("src"):
            said = f"<{element.name} data-consent> loads at once: write `data-src` in place of `src`."
            yield _at(page, element, said)
        if key is None and element.name == "script" and element.get("type").lower() == "text/plain":
            for gate in FOREIGN_GATES:
                if gate in element.attributes:
                    said = f"`{gate}` is another tool's, and this script never runs: write `data-consent`."
                    yield _at(page, element, said)


def _beside(page: Page, expected: Expected) -> Iterator[Finding]:
    for each in ungated(page, expected.vendors):
        if each.element.key is not None:
            continue
        vendor, name = each.vendor, each.element.name
        said = f"{each.what} loads {vendor.key} before anybody is asked"
        if each.what == "the snippet":
            said = f"a snippet of {vendor.key} is left over, which the tag cannot gate"
        if not vendor.on_site:
            said += ", and the site file does not name it: add it there, and then"
        else:
            said += ":"
        if each.element.without_script or name == "link":
            yield _at(page, each.element, f"{said} remove this.")
        elif vendor.adapter and name in ("script", "img"):
            yield _at(page, each.element, f"{said} remove this; the tag loads it once it is granted.")
        elif name == "script":
            yield _at(page, each.element, f'{said} write `type="text/plain" data-consent="{vendor.key}"`.')
        else:
            yield _at(page, each.element, f'{said} write `data-consent="{vendor.key}"` and `data-src` for `src`.')


def _conversions(page: Page, expected: Expected) -> Iterator[Finding]:
    for element in page.elements:
        name = element.attributes.get("data-conversion")
        if name is not None and name not in expected.conversions:
            said = f"`data-conversion={quoted(name, 60)}` is no conversion of the site file: nobody is told of it."
            yield _at(page, element, said + (meant(name, expected.conversions) or " Add it to the vendor's block."))


def _policies(page: Page, expected: Expected) -> Iterator[Finding]:
    own = [tag for key, tag in page.tags() if key == expected.site]
    policies = read_policies(page.policies)
    if not own or not policies:
        return
    nonce, src = own[0].get("nonce"), page.address(own[0].get("src")).partition("?")[0]
    decisions = f"{src.rpartition('/widget/')[0]}/v1/sites/{expected.site}/decisions"
    later = f"{src.removesuffix('.js')}/details.js"
    stopped = []
    if any(not policy.lets_in("script-src", src, page.url, nonce) for policy in policies):
        stopped.append(("load the tag", "`script-src` or give the tag the policy's `nonce`"))
    # A policy may name the tag's own address alone.
    elif any(not policy.lets_in("script-src", later, page.url, nonce, added=True) for policy in policies):
        stopped.append(("load the tag's later scripts", "`script-src`"))
    if any(not policy.lets_in("connect-src", decisions, page.url) for policy in policies):
        stopped.append(("post decisions, and their proof is lost", "`connect-src`"))
    parts = urlsplit(src)
    for doing, place in stopped:
        said = f"The policy does not let the page {doing}: add `{parts.scheme}://{parts.netloc}` to {place}."
        yield Finding(Level.WRONG, page.url, said)
    for vendor in sorted(expected.vendors, key=lambda vendor: vendor.key):
        if vendor.on_site:
            missing = _missing(vendor.sources, policies, page.url, nonce)
            said = "; ".join(f"`{directive}`: `{' '.join(sources)}`" for directive, sources in missing.items())
            if said:
                yield Finding(
                    Level.NOTE, page.url, f"The policy stops {vendor.key} also once it is granted. Add {said}."
                )


def _missing(
    sources: Mapping[str, tuple[str, ...]], policies: list[Policy], page: str, nonce: str
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for directive in FALLBACK.keys() & sources.keys():
        for source in sources[directive]:
            # Any host below a wildcard stands for all of them.
            url = source.replace("*.", "any.")
            if any(not policy.lets_in(directive, url, page, nonce, added=True) for policy in policies):
                found.setdefault(directive, []).append(source)
    return dict(sorted(found.items()))


def _listed(keys: Collection[str]) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys))
