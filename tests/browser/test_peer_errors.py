"""What other consent managers got wrong and nothing else here looks at (tests/contract/test_peer_errors.py has all)."""

import time
from collections.abc import Callable

from playwright.sync_api import expect

from .shop import Shop

LINKS = "".join(f'<p style="height:60px"><a href="#{number}">Link {number}</a></p>' for number in range(24))
# Whether any of the focused element can be seen: WCAG 2.4.11 fails where all of it is covered.
SEEN = """() => {
  const one = document.activeElement;
  const { left, right, top, bottom } = one.getBoundingClientRect();
  return [top + 1, bottom - 1].some((y) => one.contains(document.elementFromPoint((left + right) / 2, y)));
}"""


def test_the_record_has_the_server_s_time_whatever_the_browser_s_clock_says(visit: Callable[..., Shop]) -> None:
    shop = visit(init="const now = Date.now; Date.now = () => now() + 400 * 864e5;").open()
    receipt = shop.accept_all()
    assert abs(receipt["iat"] - time.time()) < 60
    assert int(shop.choice()["t"]) > time.time() + 399 * 86400


def test_the_banner_hides_nothing_that_has_the_focus(visit: Callable[..., Shop]) -> None:
    shop = visit(viewport={"width": 1280, "height": 600})
    shop.serve(f"<main>{LINKS}</main>")
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.page.get_by_role("link", name="Link 0").focus()
    for number in range(1, 24):
        shop.page.keyboard.press("Tab")
        assert shop.page.evaluate("document.activeElement.textContent") == f"Link {number}"
        assert shop.page.evaluate(SEEN), number
    for number in reversed(range(23)):
        shop.page.keyboard.press("Shift+Tab")
        assert shop.page.evaluate(SEEN), number
