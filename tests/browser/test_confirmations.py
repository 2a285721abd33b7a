"""What became of a choice is seen for a while, also behind the reload of a withdrawal; the page loses nothing by it."""

from playwright.sync_api import Locator, expect

from . import axe
from .shop import Shop

# Each shift of the page, also what follows a visitor's own act.
WATCH = """window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({value}) => value)))
  .observe({type: "layout-shift", buffered: true});"""
SAVED = "Your choice is saved."
FOCUSED = "document.activeElement?.id || document.activeElement?.dataset.action || document.activeElement?.localName"


def note(shop: Shop) -> Locator:
    return shop.page.locator("consent-widget").get_by_role("status")


def is_seen(shop: Shop) -> bool:
    """Whether it is there for the eye too, and within the window."""
    clip = "one => getComputedStyle(one).clipPath"
    expect(note(shop)).to_be_in_viewport(ratio=1)
    return bool(note(shop).evaluate(clip) == "none")


def test_a_choice_is_confirmed_and_nothing_of_the_page_is_taken(shop: Shop) -> None:
    shop.context.add_init_script(WATCH)
    shop.page.clock.install()
    shop.serve('<main><input id="field">A page</main>')
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.page.focus("#field")
    shop.page.evaluate("consentWidget.refuseAll()")
    expect(note(shop)).to_have_text(SAVED)
    assert is_seen(shop)
    assert shop.page.evaluate(FOCUSED) == "field"
    assert shop.page.evaluate("shifts") == []
    assert axe.faults(shop.page, "consent-widget") == []
    shop.settle()
    # By itself.
    shop.page.evaluate("shifts.length = 0")
    shop.page.clock.fast_forward("00:10")
    expect(note(shop)).to_have_text("")
    assert shop.page.evaluate("shifts") == []


def test_a_saved_choice_is_confirmed_until_escape(shop: Shop) -> None:
    shop.serve('<main><input id="field">A page</main>')
    shop.open()
    shop.choose(analytics=True)
    expect(note(shop)).to_have_text(SAVED)
    assert is_seen(shop)
    shop.page.focus("#field")
    shop.page.keyboard.press("Escape")
    expect(note(shop)).to_have_text("")
    assert shop.page.evaluate(FOCUSED) == "field"
    assert shop.choice()["p.analytics"] == "1"


def test_a_withdrawal_is_confirmed_behind_the_reload(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.withdraw()
    expect(note(shop)).to_have_text("Your consent is withdrawn and the cookies that this site can reach are deleted.")
    assert is_seen(shop)
    assert shop.storage() == []
    # Said once.
    shop.reload()
    shop.settle()
    expect(note(shop)).to_have_text("")


def test_what_is_taken_back_in_part_is_confirmed_as_saved(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.open_preferences()
    shop.switch("advertising", False)
    shop.leave(lambda: shop.button("save").click())
    expect(note(shop)).to_have_text(SAVED)
    assert is_seen(shop)
