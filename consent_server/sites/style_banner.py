"""The few rules by which one site's banner differs from another of its layout: colours, corner, font, radius, logo."""

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.sites.rules_colours import LINE
from consent_server.sites.rules_notice import on_before


def banner_css(body: Mapping[str, Any]) -> str:
    """What follows the layout's own sheet, for a notice. Only what the site set is in it."""
    return "".join(_schemes(body)) + "".join(_looks(body)) + "".join(_signal(body))


PROPERTIES = {
    "--a": "accent",
    "--o": "on_accent",
    "--l": "line",
    "--t": "text",
    "--s": "surface",
    "color": "text",
    "background": "surface",
}
# What holds in a scheme for which the site says nothing of its own.
SYSTEM = {"--l": LINE, "--t": "CanvasText", "--s": "Canvas", "color": "CanvasText", "background": "Canvas"}


def _schemes(body: Mapping[str, Any]) -> Iterator[str]:
    scheme = body.get("scheme", "auto")
    light, dark = (_painted(body["colours"], suffix) for suffix in ("", "_dark"))
    if scheme == "auto":
        yield _rule(light)
        # A browser without this function would paint nothing at all where a variable holds it.
        yield f"@supports(color:light-dark(red,red)){{{_rule(_both(light, dark))}}}"
    else:
        yield _rule({**(dark if scheme == "dark" else light), "color-scheme": scheme})


def _both(light: Mapping[str, str], dark: Mapping[str, str]) -> dict[str, str]:
    """What differs, for the scheme that the page has, whatever the visitor's system has."""
    schemes = {**SYSTEM, **light}, {**SYSTEM, **dark}
    pairs = {name: [scheme[name] for scheme in schemes] for name in PROPERTIES if name in light or name in dark}
    return {name: f"light-dark({one},{other})" for name, (one, other) in pairs.items() if one != other}


def _painted(colours: Mapping[str, str], suffix: str) -> dict[str, str]:
    found = {name: colours.get(colour + suffix) for name, colour in PROPERTIES.items()}
    return {name: colour for name, colour in found.items() if colour}


def _rule(declared: Mapping[str, str]) -> str:
    return ":host{" + ";".join(f"{name}:{value}" for name, value in declared.items()) + "}"


def _looks(body: Mapping[str, Any]) -> Iterator[str]:
    if "corner" in body:
        # Not the stand-in of a frame, which the page places.
        yield ":host(consent-widget){inset-inline:auto 0}"
    if "radius" in body:
        yield f":host{{--r:{body['radius']}px}}"
    if "font" in body:
        yield ":host{font-family:inherit}"
    if "logo" in body:
        # Of its height from the first, so that nothing moves when it comes; beside the close button.
        yield "::slotted(img){height:2em;max-width:60%;margin:-1.25em 0 .6em}"


def _signal(body: Mapping[str, Any]) -> Iterator[str]:
    if on_before(body):
        # Beside the way back: what became of the browser's signal.
        yield (
            "::slotted([data-honored]){width:fit-content;margin-bottom:.5em;padding:.2em .8em;font-size:.875em;"
            "border:1px solid var(--l);border-radius:var(--r)}"
        )
