"""Where the keyboard stops, and colours as they are computed."""

from playwright.sync_api import Page

STOP = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one.dataset.action || one.id || one.name || one.getAttribute("aria-label") || one.textContent.trim();
}"""


def stops(page: Page, count: int, key: str = "Tab") -> list[str]:
    """What gets the focus, one key after the other."""
    found = []
    for _ in range(count):
        page.keyboard.press(key)
        found.append(page.evaluate(STOP))
    return found


def as_hex(colour: str) -> str:
    """A computed colour, `rgb(…)`, as #rrggbb."""
    return "#" + "".join(f"{int(part):02x}" for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
