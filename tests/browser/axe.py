"""axe-core on a page as people meet it: on a phone and a desktop, in light and dark."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

from playwright.sync_api import Frame, Page, ViewportSize

from .servers import ROOT

# Runs through the browser's own protocol, which no content policy of the page stands against.
_SOURCE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
_RUN = """async ([tags, part]) => {
  const how = {runOnly: tags, iframes: false, preload: false, resultTypes: ["violations"]};
  const found = await axe.run(part || document, how);
  return found.violations.flatMap(({id, nodes}) => nodes.map(({target, failureSummary}) =>
    `${id} at ${target}: ${failureSummary.split("\\n").slice(1).join(";")}`));
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = [ViewportSize(width=390, height=844), ViewportSize(width=1280, height=800)]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A page that is still fading in has not its colours yet.
_STILL = "() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))"
# What a person would have to scroll sideways for, as WCAG 1.4.10 has it.
_WIDER = """() => {
  const wide = document.documentElement.scrollWidth;
  const right = (one) => one.getBoundingClientRect().right;
  const out = [...document.querySelectorAll("section :is(input, select, textarea, button)")]
    .filter((one) => right(one) > right(one.closest("section")));
  return [...(wide > innerWidth ? [`wider than the screen: ${wide}`] : []),
    ...out.map((one) => `sticks out of its section: ${one.outerHTML}`)];
}"""


def faults(page: Page, part: str = "", sizes: Sequence[ViewportSize] = SIZES) -> list[str]:
    """What is wrong with the page, or with a part of it, in any of the ways in which people look at it."""
    found: list[str] = []
    frames = [one for one in page.frames if one == page.main_frame or (not part and one.frame_element().is_visible())]
    for scheme, size in product(SCHEMES, sizes):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate(_STILL)
        said = [fault for frame in frames for fault in _faults_of(frame, part)] + page.evaluate(_WIDER)
        found += [f"{size['width']} {scheme}: {fault}" for fault in said]
    return found


def _faults_of(frame: Frame, part: str) -> Any:
    frame.evaluate(f"() => {{ if (!window.axe) {{ {_SOURCE} }} }}")
    return frame.evaluate(_RUN, [TAGS, part])
