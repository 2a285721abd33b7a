"""Tabs, clocks and built-ins of pages that are not ours: whatever they do, the choice stands and is recorded."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .shop import Shop
from .site_files import ANALYTICS, FRAME, OPENED, ORIGIN, PIXEL

Visit = Callable[..., Shop]
DAY = 86_400


def another_tab(shop: Shop) -> Shop:
    """The same visitor in another tab of the site."""
    return Shop(shop.context.new_page(), shop.pages, shop.server, shop.vendors, shop.site)


def test_two_tabs_are_one_visitor(shop: Shop) -> None:
    shop.open()
    other = another_tab(shop).open()
    expect(shop.banner).to_be_visible()
    granted = other.accept_all()
    expect(shop.banner).to_have_count(0)
    shop.page.wait_for_function("consentWidget.allows('analytics')")
    shop.settle()
    assert {"_ga", "_fbp"} <= shop.cookies()
    with other.page.expect_event("load"):
        withdrawn = shop.leave(lambda: shop.page.evaluate("consentWidget.refuseAll()"))
    assert (withdrawn["action"], withdrawn["change"]) == ("refuse_all", True)
    assert granted["sub"]
    other.ready()
    other.page.wait_for_function("() => !/_ga|_fbp/.test(document.cookie)")
    assert other.page.evaluate("consentWidget.allows('analytics')") is False


def test_a_refusal_takes_back_what_another_tab_got_meanwhile(shop: Shop) -> None:
    # As where no event came: the act itself looks at what stands in the cookie.
    shop.page.add_init_script("addEventListener('storage', (event) => event.stopImmediatePropagation(), true)")
    shop.open()
    granted = another_tab(shop).open().accept_all()
    refused = shop.refuse_all()
    assert (refused["change"], refused["action"]) == (True, "refuse_all")
    assert granted["sub"]
    shop.page.wait_for_function("() => !/_ga|_fbp/.test(document.cookie)")


def test_a_choice_stands_whatever_the_device_s_clock_says(visit: Visit) -> None:
    for days in (-3, 200):
        shop = visit()
        shop.open()
        shop.accept_all()
        text = next(cookie["value"] for cookie in shop.context.cookies() if cookie["name"] == "eu-consent")
        # On the site's own host the server's clock wrote it.
        at = int(time.time()) - days * DAY
        written = "&".join(f"t={at}" if part.startswith("t=") else part for part in text.split("&"))
        shop.page.evaluate("text => document.cookie = `eu-consent=${text};Path=/;Max-Age=9999`", written)
        shop.reload()
        expect(shop.way_back).to_be_visible()
        expect(shop.banner).to_have_count(0)
        assert shop.choice()["t"] == str(at)


def test_a_refusal_tells_the_day_and_no_second(shop: Shop) -> None:
    shop.open()
    shop.refuse_all()
    assert int(shop.choice()["t"]) % DAY == 0
    assert shop.page.evaluate("consentWidget.decision.at").endswith("T00:00:00.000Z")


PATCHES = """
for (const made of [Array, String, Number, Boolean, Object, Date])
  made.prototype.toJSON = function () { return "broken"; };
for (const name of ["each", "inject", "toQueryString"]) Array.prototype[name] = Object.prototype[name] = function () {};
"""


def test_what_the_page_has_put_on_built_ins_does_not_reach_a_record(visit: Visit) -> None:
    shop = visit(init=PATCHES, warned=True)
    shop.open()
    before = len(shop.server.receipts("shop"))
    shop.page.route("**/decisions", lambda route: route.abort())
    with shop.page.expect_event("requestfailed", lambda request: request.url.endswith("/decisions")):
        shop.button("accept").click()
    shop.page.unroute("**/decisions")
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 201
    [receipt] = shop.server.receipts("shop")[before:]
    assert receipt["grants"] == {"analytics": True, "advertising": True}


def test_a_page_without_an_address_of_its_own_is_recorded(shop: Shop) -> None:
    inner = shop.tag().replace('"', "&quot;")
    shop.serve(f'<iframe srcdoc="{inner}<p>Inner</p>" title="Inner"></iframe>', head="")
    shop.page.goto(ORIGIN)
    frame = shop.page.frames[1]
    frame.wait_for_function("window.consentWidget")
    with shop.page.expect_response("**/decisions") as coming:
        frame.evaluate("consentWidget.acceptAll()")
    assert coming.value.status == 201
    assert shop.server.receipts("shop")[-1]["page"] is None


def test_a_very_long_address_is_recorded(shop: Shop) -> None:
    path = "/" + "a" * 3000
    shop.serve(path=path)
    shop.open(path)
    receipt = shop.accept_all()
    assert receipt["page"].startswith(f"{ORIGIN}/aaa")
    assert len(receipt["page"]) == 2000


@pytest.mark.parametrize("answered", [False, True])
def test_always_grants_one_vendor_and_leaves_the_rest(visit: Visit, answered: bool) -> None:
    shop = visit("cinema")
    shop.serve(f"<main>{FRAME}</main>")
    shop.open()
    if answered:
        shop.refuse_all()
    before = len(shop.server.receipts("cinema"))
    with shop.page.expect_response("**/decisions"):
        shop.page.locator("consent-placeholder [data-action=always]").click()
    expect(shop.page.locator("iframe")).to_have_attribute("src", OPENED)
    shop.page.wait_for_function("() => !localStorage.getItem('eu-consent-outbox')")
    [receipt] = shop.server.receipts("cinema")[before:]
    assert receipt["vendors"]["filmhaus"] is True
    assert receipt["grants"] == ({"analytics": False, "media": False} if answered else {})
    assert receipt["change"] is answered
    if answered:
        expect(shop.way_back).to_be_visible()
    else:
        expect(shop.banner).to_be_visible()
        shop.reload()
        expect(shop.banner).to_be_visible()
        expect(shop.page.locator("iframe")).to_have_attribute("src", OPENED)
    shop.open_preferences()
    media = shop.page.locator('consent-widget input[name="media"]')
    assert media.evaluate("one => getComputedStyle(one).backgroundSize") == "20px 4px"
    assert media.evaluate("one => [one.indeterminate, one.checked, one.getAttribute('role')]") == [
        True,
        False,
        "checkbox",
    ]
    expect(shop.page.locator('consent-widget dialog input[name="filmhaus"]')).to_be_visible()
    expect(shop.page.locator('consent-widget dialog input[name="filmhaus"]')).to_be_checked()
    dialog = shop.page.locator("consent-widget dialog")
    expect(dialog.get_by_text("Off, except Filmhaus")).to_be_visible()
    if answered:
        expect(dialog).to_contain_text("Videos, maps and forms · Not allowed, except Filmhaus")
    shop.button("close").click()
    if answered:
        shop.page.goto(shop.page.evaluate("consentWidget.receiptUrl"))
        expect(shop.page.locator('[data-of="grants"][data-key="media"] .state')).to_have_text(
            "Not allowed, except Filmhaus"
        )
    else:
        later = shop.leave(lambda: shop.button("refuse").click())
        assert (later["change"], later["grants"]) == (False, {"analytics": False, "media": False})


def test_a_form_is_sent_once_however_the_page_is_loaded_anew(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    asked: list[str] = []
    shop.page.on("request", lambda sent: asked.append(sent.method) if sent.url.endswith("/order") else None)
    shop.serve("Thank you", path="/order")
    shop.serve('<form method="post" action="/order"><button id="send">Order</button></form>')
    shop.open()
    shop.page.click("#send")
    shop.ready()
    shop.withdraw()
    assert asked == ["POST", "GET"]


def test_a_withdrawal_keeps_the_place_in_the_page_and_opens_nothing_again(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.page.goto(f"{ORIGIN}/#consent")
    shop.page.reload()
    expect(shop.button("save")).to_be_visible()
    shop.leave(lambda: shop.button("withdraw").click())
    expect(shop.way_back).to_be_visible()
    expect(shop.button("save")).to_have_count(0)
    shop.page.evaluate("location.hash = '#/checkout'; consentWidget.acceptAll()")
    shop.settle()
    shop.withdraw()
    assert shop.page.url == f"{ORIGIN}/#/checkout"


CLOBBER = "".join(
    f'<{tag} {attribute}="{name}" src="https://evil.example/widget/x"></{tag}>'
    for tag in ("img", "embed")
    for attribute in ("name", "id")
    for name in ("currentScript", "consentWidget", "dataLayer", "consentDraw")
)


@pytest.mark.parametrize("kind", ["async", 'type="module"'])
def test_markup_names_nothing_that_is_believed(shop: Shop, kind: str) -> None:
    tag = shop.tag().replace("async", kind)
    lure = '<script type="text/plain" src="https://evil.example/widget/shop.js"></script><a id="consentWidget"></a>'
    asked: list[str] = []
    shop.page.on("request", lambda sent: asked.append(sent.url))
    shop.serve(f"{CLOBBER}{lure}<p>A page</p>{tag}", head="")
    shop.open()
    shop.open_preferences()
    shop.button("close").click()
    shop.accept_all()
    assert [url for url in asked if "evil" in url and not url.endswith("/widget/x")] == []
    assert shop.vendors.views == [PIXEL, ANALYTICS]


def test_injected_markup_does_not_run_by_the_widget_s_right(visit: Visit) -> None:
    shop = visit("cinema", warned=True)
    nonce = "r4nd0m"
    own = f'<script type="text/plain" data-consent="media" nonce="{nonce}">window.own = 1</script>'
    bad = "<script type=text/plain data-consent=media{0}>(window.bad ??= []).push(1)</script>"
    injected = (
        bad.format("")
        + bad.format(" nonce=guess")
        + f"<template data-consent=media><p id=shown>x</p>{bad.format('')}</template>"
        '<script type="text/plain" data-consent="media" data-src="https://films.example/evil.js"></script>'
    )
    policy = f"script-src 'nonce-{nonce}' 'strict-dynamic'; require-trusted-types-for 'script'"
    shop.serve(
        own + injected,
        head=shop.tag(f' nonce="{nonce}"'),
        headers={"Content-Security-Policy": policy},
    )
    shop.open()
    shop.accept_all()
    shop.page.wait_for_function("window.own == 1")
    expect(shop.page.locator("#shown")).to_be_visible()
    assert shop.page.evaluate("window.bad") is None
    assert "/evil.js" not in [sent.path for sent in shop.vendors.requests]


def test_the_old_outbox_of_a_browser_is_sent(shop: Shop) -> None:
    shop.open()
    posts: list[str] = []
    shop.page.on(
        "request", lambda sent: posts.append(sent.post_data or "") if sent.url.endswith("/decisions") else None
    )
    shop.refuse_all()
    body = posts[0]
    other = body.replace(body.split('"decision_id":"')[1][:36], "01890a5d-ac96-774b-bcce-b302099a8057")
    shop.page.evaluate("text => localStorage.setItem('eu-consent-outbox', text)", f"[{other}]")
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 201


def test_who_answers_and_goes_at_once_is_recorded(shop: Shop) -> None:
    shop.serve("<p>The next page</p>", path="/next")
    shop.open()
    before = len(shop.server.receipts("shop"))
    shop.page.evaluate("""() => {
      document.querySelector("[data-action=accept]").click();
      location.href = "/next";
    }""")
    shop.page.wait_for_url("**/next")
    shop.server.wait_for(lambda: len(shop.server.receipts("shop")) == before + 1)
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "1"}


def test_an_older_decision_that_is_sent_again_changes_nothing_on_the_site_s_own_host(visit: Visit) -> None:
    shop = visit(warned=True)
    shop.serve(head=shop.tag(base="/_consent"))
    shop.open()
    before = len(shop.server.receipts("shop"))
    shop.page.route("**/decisions", lambda route: route.fulfill(status=503, body="{}"), times=1)
    with shop.page.expect_response("**/decisions"):
        shop.button("accept").click()
    shop.settle()
    shop.leave(lambda: shop.page.evaluate("consentWidget.withdraw()"))
    shop.server.wait_for(lambda: len(shop.server.receipts("shop")) == before + 2)
    shop.reload()
    shop.settle()
    assert shop.grants() == {"p.analytics": "0", "p.advertising": "0"}
    assert "i" not in shop.choice()
    assert shop.page.evaluate("consentWidget.allows('analytics')") is False


def test_a_page_that_takes_the_names_of_built_ins_is_recorded_and_taken_back(visit: Visit) -> None:
    shop = visit(warned=True)
    shop.serve(head=f"<script>var URL = 'https://shop.example/'</script>{shop.tag()}")
    shop.open()
    assert shop.accept_all()["action"] == "accept_all"
    assert shop.withdraw()["action"] == "withdraw"
    assert shop.cookies() == {"eu-consent"}


@pytest.mark.parametrize("status", [400, 413])
def test_what_somebody_on_the_way_answers_is_not_the_end(visit: Visit, status: int) -> None:
    shop = visit(warned=True).open()
    shop.page.route("**/decisions", lambda route: route.fulfill(status=status, body="<h1>Too large</h1>"), times=1)
    with shop.page.expect_response("**/decisions"):
        shop.button("refuse").click()
    shop.settle()
    assert "eu-consent-outbox" in shop.storage()
    with shop.page.expect_response("**/decisions") as coming:
        shop.reload()
    assert coming.value.status == 201
