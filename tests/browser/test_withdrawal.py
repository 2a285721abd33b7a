"""A withdrawal: recorded, told to the vendors, and their cookies gone from every parent domain."""

import json
from collections.abc import Callable

import pytest

from .shop import Shop, signals
from .site_files import ANALYTICS, ORIGIN

# On the registrable domain, on a parent, on the host, and below a path; beside them the site's own.
OLD_COOKIES = """
document.cookie = "_ga=old;Domain=example.co.uk;Path=/";
document.cookie = "_ga_OTHER=old;Domain=b.example.co.uk;Path=/";
document.cookie = "_gcl_au=old;Path=/";
document.cookie = "_gid=old;Path=/account";
document.cookie = "_fbp=old;Domain=example.co.uk;Path=/;Secure";
document.cookie = "uid=mine;Domain=example.co.uk;Path=/";
document.cookie = "cart=3;Path=/";
document.cookie = "_gallery=mine;Path=/";
localStorage.setItem("_gcl_ls", "old");
localStorage.setItem("basket", "mine");
sessionStorage.setItem("step", "mine");
"""


def test_after_a_withdrawal_the_vendors_cookies_are_gone_and_the_site_s_are_there(shop: Shop) -> None:
    shop.serve(path="/account/orders")
    shop.open("/account/orders")
    shop.accept_all()
    shop.page.evaluate(OLD_COOKIES)
    receipt = shop.withdraw()
    assert (receipt["action"], receipt["change"]) == ("withdraw", True)
    assert receipt["grants"] == {"analytics": False, "advertising": False}
    assert {cookie["name"] for cookie in shop.context.cookies()} == {"eu-consent", "uid", "cart", "_gallery"}
    assert sorted(shop.storage()) == ["basket", "step"]


def test_after_a_withdrawal_nothing_loads_any_more(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.withdraw()
    shop.vendors.forget()
    shop.walk("/", "/product", "/thanks")
    assert shop.vendors.requests == []
    assert shop.cookies() == {"eu-consent"}


def test_a_withdrawal_leaves_no_identifier(shop: Shop) -> None:
    shop.open()
    granted = shop.accept_all()
    withdrawn = shop.withdraw()
    assert "sub" in granted
    assert "sub" not in withdrawn
    assert not {"i", "s"} & shop.choice().keys()
    assert shop.storage() == []


def test_a_withdrawal_is_told_to_the_vendors_before_the_page_goes(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.page.evaluate(
        """id => addEventListener("pagehide", () => sessionStorage.setItem("seen",
             JSON.stringify([window["ga-disable-" + id], [...dataLayer.at(-2)]])))""",
        ANALYTICS,
    )
    shop.withdraw()
    disabled, last = json.loads(shop.page.evaluate("sessionStorage.getItem('seen')"))
    assert disabled is True
    assert last == ["consent", "update", signals()]


def test_taking_back_one_purpose_deletes_its_cookies_alone(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.open_preferences()
    shop.switch("advertising", False)
    receipt = shop.leave(lambda: shop.button("save").click())
    assert shop.cookies() == {"_ga", "_ga_SHOP123456", "eu-consent"}
    assert receipt["grants"] == {"analytics": True, "advertising": False}
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "0"}


def test_refusing_all_in_the_preferences_withdraws_too(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.open_preferences()
    shop.leave(lambda: shop.button("refuse").click())
    assert shop.cookies() == {"eu-consent"}


def test_a_withdrawal_while_the_server_is_away_is_complete_once_it_is_back(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True).open()
    shop.accept_all()
    shop.page.route(f"{shop.server.url}/**", lambda route: route.abort())
    with shop.page.expect_event("load"):
        shop.page.evaluate("consentWidget.withdraw()")
    assert shop.grants() == {"p.analytics": "0", "p.advertising": "0"}
    shop.page.unroute(f"{shop.server.url}/**")
    receipt = shop.leave(shop.page.reload)
    assert receipt["action"] == "withdraw"
    shop.page.wait_for_function("() => !/_ga|_gcl|_fbp/.test(document.cookie)")
    assert shop.cookies() == {"eu-consent"}


def test_a_withdrawal_does_not_wait_for_a_server_that_never_answers(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    # Neither answered nor refused: what hangs must not keep the tags in the page.
    shop.page.route("**/details.js*", lambda route: None)
    with shop.page.expect_event("load"):
        shop.page.evaluate("consentWidget.withdraw()")
    assert shop.grants() == {"p.analytics": "0", "p.advertising": "0"}


@pytest.mark.parametrize("path", ["/", "/next"])
def test_another_tab_s_withdrawal_holds_on_the_next_page(shop: Shop, path: str) -> None:
    shop.serve(path="/next")
    shop.open()
    shop.accept_all()
    other = shop.context.new_page()
    other.goto(ORIGIN)
    other.wait_for_function("window.consentWidget?.decision")
    with other.expect_event("load"):
        other.evaluate("consentWidget.withdraw()")
    shop.vendors.forget()
    shop.open(path)
    shop.settle()
    assert shop.vendors.requests == []
