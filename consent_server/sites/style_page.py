"""A site's own look on the pages that are about it: its colours, its scheme and its round corners.

A font of the site's own (`banner.font = "page"`) is the page's that the banner stands in, and unknown here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.http import policy
from consent_server.http.tokens import page_colours
from consent_server.sites.rules_page_colours import palette

SUFFIXES = {"light": "", "dark": "_dark"}
# More specific than what tokens.css says of the dark scheme; never on paper, which is white.
SCREEN = "@media screen{{:root:not(.printing){{{0}}}}}"
DARK_SCREEN = "@media screen and (prefers-color-scheme:dark){{:root:not(.printing){{{0}}}}}"


def page_css(body: Mapping[str, Any]) -> str:
    """What follows the pages' own sheets, for a notice. Only what the site set is in it."""
    return "".join(_rules(body))


def site_policy(body: Mapping[str, Any]) -> dict[str, str]:
    """The header of a page with the site's logo, which the site's own server may have."""
    return {policy.HEADER: policy.page_policy(body.get("logo", {}).get("url", ""))}


def _rules(body: Mapping[str, Any]) -> Iterator[str]:
    base, own = page_colours(), {scheme: _painted(body, scheme) for scheme in SUFFIXES}
    if "radius" in body:
        yield f":root{{--radius:{body['radius']}px;--radius-card:{body['radius']}px}}"
    # Paper has the accent alone.
    accent = {name: value for name, value in own["light"].items() if name == "accent"}
    yield f"@media print{{:root{{{_declared(palette(base['light'], accent))}}}}}"
    colours = {scheme: palette(base[scheme], own[scheme]) for scheme in SUFFIXES}
    if (only := body.get("scheme", "auto")) != "auto":
        yield SCREEN.format(f"color-scheme:{only};{_declared({**base[only], **colours[only]})}")
        return
    # A site that sets a colour in one scheme alone leaves the other what it was.
    named = [name for name in base["light"] if any(name in painted for painted in colours.values())]
    for scheme, rule in (("light", SCREEN), ("dark", DARK_SCREEN)):
        painted = {**base[scheme], **colours[scheme]}
        yield rule.format(_declared({name: painted[name] for name in named}))


def _painted(body: Mapping[str, Any], scheme: str) -> dict[str, str]:
    colours, suffix = body.get("colours", {}), SUFFIXES[scheme]
    return {name: colours[name + suffix] for name in ("accent", "surface", "text") if name + suffix in colours}


def _declared(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
