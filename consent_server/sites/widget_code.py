"""The built widget (static/widget/dist), joined for the adapters that a site uses."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from consent_server.core.hashes import sha256_hex
from consent_server.core.resources import ROOT
from consent_server.sites.rules_notice import Notice

DIST = ROOT / "static" / "widget" / "dist"


@dataclass(frozen=True)
class WidgetCode:
    """Expressions, one line each, that are called with data: of the first view, of layer two, of what comes later."""

    main: str
    preferences: str
    details: str

    @property
    def parts(self) -> dict[str, str]:
        """The expressions by script, in the order in which they are archived."""
        return {"main": self.main, "preferences": self.preferences, "details": self.details}

    @property
    def archived(self) -> str:
        """What is kept as evidence, and hashed into receipts."""
        return "\n".join(self.parts.values())

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the served code without any notice."""
        return sha256_hex(self.archived.encode())


def widget_code(adapters: Iterable[str], layouts: Iterable[str], arms: bool = False, rules: bool = False) -> WidgetCode:
    """The widget with these vendor adapters and layouts; with `arms`, it draws one of those that its data names.

    With `rules`, it knows of purposes that run before a choice, which no other page pays for.
    """
    return _joined(tuple(sorted(set(adapters))), tuple(sorted(set(layouts))), arms, "rules/" if rules else "")


def widget_code_of(shown: Iterable[Notice], adapters: Iterable[str], arms: bool = False) -> WidgetCode:
    """The widget that shows these notices, with these vendor adapters."""
    shown = list(shown)
    layouts = (notice.body["layout"] for notice in shown)
    return widget_code(adapters, layouts, arms, rules=any(notice.on_before for notice in shown))


def declaration_code() -> str:
    """What fills `<consent-declaration>` on a page of a site's own; it shows nothing that a receipt is about."""
    return _expression("declaration.js")


def debug_code() -> str:
    """What shows a page's developers how consent works in it; no visitor loads it."""
    return _expression("debug.js")


def adapter_names() -> frozenset[str]:
    """The adapters that were built."""
    return frozenset(path.stem for path in (DIST / "vendors").glob("*.js"))


@cache
def adapter_hosts(name: str) -> tuple[str, ...]:
    """The hosts that this adapter loads from, as its own code names them."""
    return tuple(dict.fromkeys(re.findall(r"https://([\w-]+(?:\.[\w-]+)+)/", _expression(f"vendors/{name}.js"))))


def layout_names() -> frozenset[str]:
    """The layouts that were built: one style sheet each, beside the one that all of them share."""
    return frozenset(path.stem for path in (DIST / "looks").glob("*.css")) - {"common"}


@cache
def _joined(adapters: tuple[str, ...], layouts: tuple[str, ...], arms: bool, build: str) -> WidgetCode:
    members = ",".join(f"{name}:{_expression(f'vendors/{name}.js')}" for name in adapters)
    if "$tags" in members:
        # What adapters share is on the page once, and only where one of them needs it.
        members = f"...(($tags)=>({{{members}}}))({_expression('tags.js')})"
    # What is common comes first; the rules of a layout hold for its own view alone.
    sheet = json.dumps("".join(_expression(f"looks/{name}.css") for name in ("common", *layouts)))
    main = f"{_expression(f'{build}widget.js')}({{{members}}},{sheet})"
    # Only while an experiment runs: no other page pays for it.
    main = f"{_expression('arms.js')}({main})" if arms else main
    return WidgetCode(main, _expression(f"{build}preferences.js"), _expression(f"{build}details.js"))


def _expression(name: str) -> str:
    text = (DIST / name).read_text("utf-8").strip()
    # The served file is code on its first line and data on its second; anyone can hash the first.
    if "\n" in text:
        raise ValueError(f"static/widget/dist/{name} is not one line: build the widget again")
    return text
