"""Where and how the tag can stand: twice, early, late, in a page that never reloads, on the site's own host."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from .shop import Shop
from .site_files import ANALYTICS, DOMAIN, ORIGIN, PIXEL, SISTER


def test_two_copies_of_the_tag_are_one_and_the_page_is_told(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True)
    shop.serve(head=shop.tag() + shop.tag())
    with shop.page.expect_console_message(lambda message: "two tags" in message.text):
        shop.open()
    shop.settle()
    expect(shop.page.locator("consent-widget")).to_have_count(1)
    before = len(shop.server.receipts("shop"))
    shop.accept_all()
    assert len(shop.server.receipts("shop")) == before + 1
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    assert [call[:2] for call in shop.data_layer()].count(["consent", "default"]) == 1


@pytest.mark.parametrize("attribute", ["", " async", " defer"])
def test_a_tag_in_the_head_runs_before_there_is_a_body(shop: Shop, attribute: str) -> None:
    shop.serve(head=shop.tag().replace(" async", attribute) + "<script>window.early = typeof gtag</script>")
    shop.open()
    expect(shop.banner).to_be_visible()
    if not attribute:
        assert shop.page.evaluate("early") == "function"
    shop.accept_all()
    assert shop.vendors.views == [PIXEL, ANALYTICS]


def test_a_tag_that_is_added_late_works_the_same(shop: Shop) -> None:
    shop.serve(head="")
    shop.page.goto(ORIGIN)
    shop.page.evaluate(
        "src => document.head.append(Object.assign(document.createElement('script'), {src}))",
        f"{shop.server.url}/widget/shop.js",
    )
    shop.ready()
    shop.accept_all()
    assert shop.vendors.views == [PIXEL, ANALYTICS]


def test_the_preferences_open_while_the_page_is_still_being_read(shop: Shop) -> None:
    shop.open().refuse_all()
    held: list[Route] = []
    shop.page.route("**/slow.js", lambda route: held.append(route))
    body = "<script>consentWidget.showPreferences()</script><main>A page</main><script src=/slow.js></script>"
    shop.serve(head=shop.tag().replace(" async", ""), body=body, path="/slow")
    shop.page.goto(f"{ORIGIN}/slow", wait_until="commit")
    expect(shop.button("save")).to_be_visible()
    assert shop.page.evaluate("document.readyState") == "loading"
    held[0].fulfill(body="")


def test_a_single_page_navigation_asks_nothing_again(shop: Shop) -> None:
    shop.open()
    shop.refuse_all()
    go = "path => { history.pushState({}, '', path); document.querySelector('main').textContent = path; }"
    for path in ("/one", "/two"):
        shop.page.evaluate(go, path)
        shop.settle()
    expect(shop.banner).to_have_count(0)
    assert shop.vendors.requests == []


def test_a_single_page_navigation_loads_no_tag_twice(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    scripts = shop.vendors.scripts
    shop.page.evaluate("history.pushState({}, '', '/one'); gtag('event', 'page_view', {page_path: '/one'})")
    shop.settle()
    assert shop.vendors.scripts == scripts
    assert shop.data_layer()[-1] == ["event", "page_view", {"page_path": "/one"}]
    assert shop.vendors.views == [PIXEL, ANALYTICS, ANALYTICS]


def test_a_page_whose_content_is_replaced_keeps_its_banner_or_way_back(shop: Shop) -> None:
    shop.open()
    shop.page.evaluate("history.pushState({}, '', '/one'); document.querySelector('main').remove()")
    expect(shop.banner).to_be_visible()
    shop.refuse_all()
    expect(shop.way_back).to_be_visible()


def test_a_page_whose_body_is_replaced_keeps_its_banner_and_way_back(shop: Shop) -> None:
    replace = "document.documentElement.replaceChild(document.createElement('body'), document.body)"
    shop.open()
    shop.page.evaluate(replace)
    expect(shop.banner).to_be_visible()
    shop.refuse_all()
    shop.page.evaluate(replace)
    expect(shop.way_back).to_be_visible()
    shop.open_preferences()


def test_behind_the_site_s_own_host_the_cookie_is_set_by_the_server_too(visit: Callable[..., Shop]) -> None:
    shop = visit()
    shop.serve(head=shop.tag(base="/_consent"))
    shop.open()
    with shop.page.expect_response("**/_consent/v1/sites/shop/decisions") as coming:
        shop.button("accept").click()
    assert coming.value.status == 201
    header = coming.value.header_value("set-cookie") or ""
    assert header.startswith("eu-consent=v=1&t=")
    shop.settle()
    assert shop.grants() == {"p.analytics": "1", "p.advertising": "1"}
    assert shop.choice()["i"] == coming.value.json()["visitor"]
    shop.open_preferences()


def test_a_tag_of_no_site_says_so_in_the_console(visit: Callable[..., Shop]) -> None:
    shop = visit(warned=True)
    shop.serve(head=shop.tag().replace("/widget/shop.js", "/widget/shpo.js"))
    with shop.page.expect_console_message(lambda message: message.type == "warning") as said:
        shop.page.goto(ORIGIN)
    assert said.value.text.startswith('consent: there is no site "shpo" on this server: no tag is gated')


def test_a_choice_for_a_domain_holds_on_its_other_hosts_too(visit: Callable[..., Shop]) -> None:
    shop = visit(site="group")
    # From before the site had a domain: it would be read first, and say yes for ever.
    old = "eu-consent=v=1&t=1&n=0123456789abcdef&p.analytics=1"
    shop.context.add_cookies([{"name": "eu-consent", "value": old.partition("=")[2], "url": ORIGIN, "secure": True}])
    shop.open()
    shop.accept_all()
    (kept,) = (one for one in shop.context.cookies() if one["name"] == "eu-consent")
    assert kept["domain"] == f".{DOMAIN}"
    shop.page.goto(SISTER)
    shop.ready()
    expect(shop.way_back).to_be_visible()
    assert shop.page.evaluate("consentWidget.allows('analytics')") is True


def test_behind_the_site_s_own_host_the_server_keeps_a_choice_for_the_domain(visit: Callable[..., Shop]) -> None:
    shop = visit(site="group")
    shop.serve(head=shop.tag(base="/_consent"))
    shop.open()
    shop.accept_all()
    kept = [one for one in shop.context.cookies() if one["name"] == "eu-consent"]
    assert [one["domain"] for one in kept] == [f".{DOMAIN}"]
    assert shop.choice()["i"]


def test_events_tell_the_page_of_the_banner_and_of_the_choice(shop: Shop) -> None:
    listen = """<script>
      window.told = [];
      for (const name of ["ready", "shown", "change"])
        document.addEventListener("consent:" + name, ({detail}) => told.push([name, detail?.grants ?? null]));
    </script>"""
    shop.serve(head=listen + shop.tag())
    shop.open()
    shop.page.wait_for_function("told.length == 2")
    shop.accept_all()
    told = shop.page.evaluate("told")
    assert sorted(name for name, _ in told[:2]) == ["ready", "shown"]
    assert told[2:] == [["change", {"analytics": True, "advertising": True}]]
    assert shop.page.evaluate("consentWidget.allows('analytics') && consentWidget.allows('meta-pixel')") is True
