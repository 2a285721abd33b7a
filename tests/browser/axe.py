"""axe-core on a page as people meet it: on a desktop and a phone, in light and dark."""

from collections.abc import Sequence
from typing import Literal

from playwright.sync_api import Page, ViewportSize

from .servers import ROOT

# Runs through the browser's own protocol, which no content policy of the page stands against.
_SOURCE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
_RUN = """async ([runOnly, but, part]) => {
  const rules = Object.fromEntries(but.map((rule) => [rule, {enabled: false}]));
  const how = {runOnly, rules, iframes: false, preload: false, resultTypes: ["violations"]};
  const found = await axe.run(part || document, how);
  return found.violations.flatMap(({id, nodes}) => nodes.map(({target, failureSummary}) =>
    `${id} at ${target}: ${failureSummary.split("\\n").slice(1).join(";")}`));
}"""
EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What another scheme can break, and what another size can beside: a style sheet may colour a phone's page otherwise.
COLOUR = ["color-contrast", "link-in-text-block"]
SIZE = ["target-size", "scrollable-region-focusable", "button-name", "link-name"]
# What other words in the same markup can break.
WORDS = [
    *SIZE, "html-has-lang", "html-lang-valid", "valid-lang", "label", "summary-name",
    "empty-heading", "aria-dialog-name", "aria-command-name", "aria-toggle-field-name", "aria-input-field-name",
]  # fmt: skip
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
SIZES = [DESKTOP, PHONE]
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
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


def faults(
    page: Page, part: str = "", sizes: Sequence[ViewportSize] = SIZES, *, rules: Sequence[str] = EVERYTHING,
    colours: bool = True,
) -> list[str]:  # fmt: skip
    """What is wrong with the page, or with a part of it, in any of the ways in which people look at it.

    Every rule is asked at the first size in light, then those that a smaller size or the dark scheme could break.
    Without `colours` none that is about them, and of `rules` those alone: for what is seen like it elsewhere.
    """
    frames = [one for one in page.frames if one == page.main_frame or (not part and one.frame_element().is_visible())]
    for frame in frames:
        frame.evaluate(f"() => {{ {_SOURCE} }}")
    widest, *smaller = sizes
    looks: list[tuple[Scheme, ViewportSize, Sequence[str]]] = [("light", widest, rules)]
    looks += [("light", size, [*SIZE, *COLOUR]) for size in smaller]
    if colours:
        looks.append(("dark", widest, COLOUR))
    but = [] if colours else COLOUR
    found: list[str] = []
    for scheme, size, asked in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate(_STILL)
        broken = [fault for frame in frames for fault in frame.evaluate(_RUN, [asked, but, part])]
        found += [f"{size['width']} {scheme}: {fault}" for fault in broken + page.evaluate(_WIDER)]
    return found
