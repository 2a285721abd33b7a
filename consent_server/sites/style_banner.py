"""The few rules by which one site's banner differs from another of its layout: colours, corner, font, radius, logo."""

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.sites.rules_notice import on_before


def banner_css(body: Mapping[str, Any]) -> str:
    """What follows the layout's own sheet, for a notice. Only what the site set is in it."""
    return "".join(_schemes(body)) + "".join(_looks(body)) + "".join(_signal(body))


def _schemes(body: Mapping[str, Any]) -> Iterator[str]:
    scheme = body.get("scheme", "auto")
    colours = body["colours"]
    if scheme == "auto":
        yield f":host{{{_painted(colours, '')}}}"
        yield f"@media(prefers-color-scheme:dark){{:host{{{_painted(colours, '_dark')}}}}}"
    else:
        yield f":host{{{_painted(colours, '_dark' if scheme == 'dark' else '')};color-scheme:{scheme}}}"


def _painted(colours: Mapping[str, str], suffix: str) -> str:
    names = {
        "--a": "accent",
        "--o": "on_accent",
        "--l": "line",
        "--t": "text",
        "color": "text",
        "background": "surface",
    }
    found = {property: colours.get(name + suffix) for property, name in names.items()}
    return ";".join(f"{property}:{colour}" for property, colour in found.items() if colour)


def _looks(body: Mapping[str, Any]) -> Iterator[str]:
    if "corner" in body:
        yield ":host{inset-inline:auto 0}"
    if "radius" in body:
        yield f":host{{--r:{body['radius']}px}}"
    if "font" in body:
        yield ":host{font-family:inherit}"
    if "logo" in body:
        # Of its height from the first, so that nothing moves when it comes.
        yield "::slotted(img){height:2em;max-width:100%;margin-bottom:.6em}"


def _signal(body: Mapping[str, Any]) -> Iterator[str]:
    if on_before(body):
        # Beside the way back: what became of the browser's signal.
        yield (
            "::slotted([data-honored]){width:fit-content;margin-bottom:.5em;padding:.2em .8em;font-size:.875em;"
            "border:1px solid var(--l);border-radius:var(--r)}"
        )
