"""Pages that allow little: strict policies, blocked storage, hostile styles."""

from collections.abc import Callable

from playwright.sync_api import expect

from .policies import NONCE, RECORD_VIOLATIONS, policy
from .shop import Shop
from .site_files import ANALYTICS, ORIGIN, PIXEL

BLOCKED_STORAGE = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, {get() { throw new DOMException("blocked", "SecurityError"); }});
Object.defineProperty(Document.prototype, "cookie", {get: () => "", set() {}});
"""

HOSTILE = """<style>
* { color: red !important; font-size: 40px !important; letter-spacing: 9px !important }
* { text-transform: uppercase !important }
button { all: unset; display: none !important }
div, section, dialog, h2, p, a, consent-widget { display: none !important; opacity: 0 !important }
div, section, dialog, h2, p, a, consent-widget { position: static !important }
</style><main style="position:fixed;inset:0;z-index:2147483647;background:#eee"></main>"""


def test_a_strict_policy_is_met_without_a_violation(visit: Callable[..., Shop]) -> None:
    shop = visit(init=RECORD_VIOLATIONS)
    gated = f'<script type="text/plain" data-consent="analytics" nonce="{NONCE}">window.ran = true</script>'
    shop.serve(gated, head=shop.tag(f' nonce="{NONCE}"'), headers=policy(shop))
    shop.open()
    shop.choose(analytics=True, advertising=True)
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    assert shop.page.evaluate("window.ran") is True
    assert shop.page.evaluate("violations") == []


def test_the_policy_that_the_command_prints_is_met(visit: Callable[..., Shop]) -> None:
    shop = visit(init=RECORD_VIOLATIONS)
    header, *remarks = shop.server.command("csp", shop.site).splitlines()
    name, printed = header.split(": ", 1)
    by_nonce = remarks[-1].removeprefix("# ").replace("RANDOM", NONCE)
    limited = [by_nonce if part.startswith("script-src ") else part for part in printed.split("; ")]
    for rules, attributes in ((printed, ""), ("; ".join(limited), f' nonce="{NONCE}"')):
        shop.serve(head=shop.tag(attributes), headers={name: rules})
        shop.open()
        shop.choose(analytics=True, advertising=True)
        shop.settle()
        assert shop.vendors.views == [PIXEL, ANALYTICS]
        assert shop.page.evaluate("violations") == []
        # An image from elsewhere shows that the policy was in force.
        shop.page.evaluate("new Image().src = 'https://elsewhere.example/'")
        shop.page.wait_for_function("() => violations.length == 1")
        shop.context.clear_cookies()
        shop.vendors.forget()


def test_what_is_fetched_later_meets_a_strict_policy_too(visit: Callable[..., Shop]) -> None:
    shop = visit(init=RECORD_VIOLATIONS)
    rules = policy(shop, "require-trusted-types-for 'script'", "trusted-types consent-widget")
    shop.serve(head=shop.tag(f' nonce="{NONCE}"'), headers=rules)
    shop.open()
    shop.unfold_all()
    table = shop.page.locator("consent-widget dialog table").first
    assert table.evaluate("one => getComputedStyle(one).borderCollapse") == "collapse"
    shop.button("accept").click()
    shop.open_preferences()
    expect(shop.page.get_by_role("heading", name="My choice")).to_be_visible()
    assert shop.page.evaluate("violations") == []


def test_the_banner_is_styled_under_a_policy_that_forbids_styles(visit: Callable[..., Shop]) -> None:
    shop = visit()
    shop.serve(head=shop.tag(f' nonce="{NONCE}"'), headers=policy(shop))
    shop.open()
    assert shop.button("accept").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(59, 91, 219)"


def test_trusted_types_are_met_with_a_policy_of_the_widget_s_own(visit: Callable[..., Shop]) -> None:
    shop = visit(init=RECORD_VIOLATIONS)
    rules = policy(shop, "require-trusted-types-for 'script'", "trusted-types consent-widget")
    shop.serve(head=shop.tag(f' nonce="{NONCE}"'), headers=rules)
    shop.open()
    shop.accept_all()
    assert len(shop.vendors.scripts) == 2
    assert shop.page.evaluate("violations") == []


def test_with_storage_blocked_tags_follow_the_choice_for_this_page(visit: Callable[..., Shop]) -> None:
    shop = visit(init=BLOCKED_STORAGE).open()
    receipt = shop.accept_all()
    assert receipt["action"] == "accept_all"
    assert len(shop.vendors.scripts) == 2
    shop.vendors.forget()
    shop.reload()
    expect(shop.banner).to_be_visible()
    shop.settle()
    assert shop.vendors.requests == []


def test_with_storage_blocked_a_refusal_holds_for_this_page(visit: Callable[..., Shop]) -> None:
    shop = visit(init=BLOCKED_STORAGE).open()
    shop.refuse_all()
    expect(shop.banner).to_have_count(0)
    assert shop.vendors.requests == []


def test_a_sandboxed_page_throws_nothing(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True)
    shop.serve(headers={"Content-Security-Policy": "sandbox allow-scripts"})
    shop.page.goto(ORIGIN)
    expect(shop.banner).to_be_visible()
    # An origin that is none is not the site's: the server refuses the post, and the page does not care.
    with shop.page.expect_response("**/decisions") as coming:
        shop.button("accept").click()
    assert coming.value.status == 403
    expect(shop.banner).to_have_count(0)


def look(shop: Shop, action: str) -> dict[str, str]:
    """What the page's styles could have reached of a button."""
    style: dict[str, str] = shop.button(action).evaluate(
        """one => Object.fromEntries(["color", "fontSize", "letterSpacing", "textTransform", "display", "opacity",
           "backgroundColor", "padding"].map((name) => [name, getComputedStyle(one)[name]]))"""
    )
    return style


def test_hostile_styles_do_not_reach_the_banner(visit: Callable[..., Shop]) -> None:
    plain, hostile = visit(), visit()
    plain.open()
    wanted = {action: look(plain, action) for action in ("accept", "refuse", "customise", "close")}
    size = plain.banner.bounding_box()
    hostile.serve(HOSTILE)
    hostile.open()
    assert {action: look(hostile, action) for action in wanted} == wanted
    assert hostile.banner.bounding_box() == size
    for selector in ("h2", "p:not([role])", "a"):
        child = hostile.banner.locator(selector).first
        expect(child).to_be_visible()
        assert child.evaluate("one => getComputedStyle(one).color") != "rgb(255, 0, 0)"


def test_a_page_above_everything_is_still_below_the_banner(shop: Shop) -> None:
    shop.serve(HOSTILE)
    shop.open()
    # Playwright clicks only what receives the click.
    assert shop.refuse_all()["action"] == "refuse_all"


def test_hostile_styles_do_not_reach_the_preferences(shop: Shop) -> None:
    shop.serve(HOSTILE)
    shop.open()
    receipt = shop.choose(analytics=True)
    assert receipt["grants"] == {"analytics": True, "advertising": False}
