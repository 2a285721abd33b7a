"""Stand-ins for the vendors, one file each in `vendors/`: what a page asks of it and calls, what its scripts do."""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.vendors import IDS

# Vendors set their cookies on the highest domain that the browser lets them. They write them again as a page goes,
# unless their own switch is thrown.
SET_COOKIE = """
const setCookie = (name) => {
  const labels = location.hostname.split(".");
  for (let from = labels.length - 1; from >= 0; from--) {
    const domain = labels.slice(from).join(".");
    try { document.cookie = `${name}=fake;Path=/;Max-Age=7776000;Domain=${domain}`; } catch { return; }
    if (document.cookie.includes(name + "=fake")) return;
  }
};
const keepCookie = (name, isOff = () => false) => {
  const keep = () => isOff() || setCookie(name);
  keep();
  addEventListener("pagehide", keep);
};
"""
# Pictures are asked for even while a page goes away, and a page's policy counts them.
BEACON = "const beacon = (url) => { new Image().src = url; };"
# What the page's consent calls said outlives the reload that a withdrawal ends in.
TOLD = """
const told = (...said) => (window.told ??= []).push([KEY, ...said]);
addEventListener("pagehide", () => window.told && sessionStorage.setItem("told", JSON.stringify(window.told)));
"""


@dataclass(frozen=True)
class StandIn:
    """A vendor as a page of the tests meets it."""

    # Host and path of what a granted vendor asks for, the calls of the page's own code among it.
    asks: list[str]
    # The host where what the page's code has said arrives.
    hears: str | None = None
    # What a site's own code calls, as the vendor tells it to, without asking whether the visitor has chosen.
    calls: str = ""
    markup: str = ""
    # By this its own snippet, left in the page, sees that it has nothing to load.
    guard: str = ""
    # A call that page code waits for: `go` goes on.
    waits: str = ""
    # The vendor's own consent calls, in their order.
    granted: list[list[Any]] = field(default_factory=list)
    withdrawn: list[list[Any]] = field(default_factory=list)
    # Host and path of each of its scripts.
    scripts: dict[str, str] = field(default_factory=dict)


def _read(path: Path) -> StandIn:
    text = path.read_text("utf-8").replace("{id}", str(IDS[path.stem]))
    stand_in = StandIn(**tomllib.loads(text))
    start = f"const KEY = {json.dumps(path.stem)};{SET_COOKIE}{BEACON}{TOLD}"
    for address, work in stand_in.scripts.items():
        stand_in.scripts[address] = f"(() => {{{start}{work}}})();"
    return stand_in


STAND_INS = {path.stem: _read(path) for path in sorted((Path(__file__).parent / "vendors").glob("*.toml"))}
