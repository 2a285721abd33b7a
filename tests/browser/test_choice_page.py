"""A choice by a form: a browser without JavaScript, the keyboard alone, on the server's host and on the site's own."""

import hashlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from . import axe
from .shop import Shop
from .site_files import ORIGIN

# Links within a sentence may be smaller (WCAG 2.5.8, inline).
TARGETS = """[...document.querySelectorAll("main :is(button, summary, .switch, .button, .languages a)")].map((one) => {
  const {width, height} = one.getBoundingClientRect();
  return Math.min(width, height);
})"""
ON_SITE = f"{ORIGIN}/_consent/sites/shop/choice"


@pytest.fixture
def plain(visit: Callable[..., Shop]) -> Shop:
    """A visitor whose browser runs no script."""
    return visit(java_script_enabled=False, viewport={"width": 320, "height": 600})


def test_without_script_no_vendor_loads_and_the_site_s_link_leads_to_the_form(plain: Shop) -> None:
    link = f'<a href="{plain.server.url}/sites/shop/choice" data-consent-open>Cookie settings</a>'
    plain.serve(f"<main>A page</main><noscript>{link}</noscript>")
    plain.page.goto(ORIGIN)
    plain.page.get_by_role("link", name="Cookie settings").click()
    expect(plain.page.get_by_role("heading", level=1)).to_have_text("Your cookie choices")
    for box in plain.page.get_by_role("checkbox").all():
        expect(box).not_to_be_checked()
    assert plain.vendors.requests == []
    assert plain.context.cookies() == []


def test_the_two_answers_look_the_same(plain: Shop) -> None:
    plain.page.goto(f"{plain.server.url}/sites/shop/choice")
    refuse, accept = (plain.page.get_by_role("button", name=name) for name in ("Reject all", "Accept all"))
    boxes = [one.bounding_box() for one in (refuse, accept)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
    assert refuse.get_attribute("class") == accept.get_attribute("class")


def test_on_paper_stand_the_third_parties_and_their_cookies(plain: Shop) -> None:
    plain.page.goto(f"{plain.server.url}/sites/shop/choice")
    listed = [
        plain.page.get_by_role("heading", name="Meta Pixel", include_hidden=True),
        plain.page.get_by_text("_fbp", exact=True).first,
    ]
    for each in listed:
        expect(each).to_be_hidden()
    plain.page.emulate_media(media="print")
    for each in listed:
        expect(each).to_be_visible()


def _tab_to(page: Page, name: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.get_attribute("value") == name:
            return
    raise AssertionError(f"the keyboard never comes to {name}")


def test_the_keyboard_alone_chooses_one_purpose(plain: Shop) -> None:
    before = len(plain.server.receipts("shop"))
    plain.page.goto(f"{plain.server.url}/sites/shop/choice?lang=fr")
    _tab_to(plain.page, "analytics")
    plain.page.keyboard.press("Space")
    # Enter in a field is what is ticked, never all.
    plain.page.keyboard.press("Enter")
    expect(plain.page.get_by_role("status")).to_contain_text("Votre choix est enregistré")
    receipts = plain.server.receipts("shop")
    assert len(receipts) == before + 1
    assert (receipts[-1]["action"], receipts[-1]["method"]) == ("save", "form")
    assert receipts[-1]["grants"] == {"analytics": True, "advertising": False}
    assert plain.context.cookies() == []
    plain.page.get_by_role("link", name="Voir le reçu").click()
    expect(plain.page.locator("body")).to_contain_text(receipts[-1]["jti"])


def test_on_the_site_s_own_host_the_choice_holds_when_script_is_on_again(
    plain: Shop, visit: Callable[..., Shop]
) -> None:
    plain.page.goto(f"{ON_SITE}?lang=en")
    plain.page.get_by_role("button", name="Reject all").click()
    expect(plain.page.get_by_role("status")).to_contain_text("Your choice is saved")
    assert plain.server.receipts("shop")[-1]["page"] == ON_SITE
    assert plain.grants() == {"p.analytics": "0", "p.advertising": "0"}
    later = visit(storage_state=plain.context.storage_state())
    later.open()
    later.settle()
    expect(later.banner).to_have_count(0)
    assert later.vendors.requests == []
    assert later.page.evaluate("consentWidget.decision.action") == "refuse_all"


def test_the_choice_is_kept_where_a_proxy_allows_no_referrer(plain: Shop) -> None:
    def allow_no_referrer(route: Route) -> None:
        if route.request.method == "POST":
            route.continue_()
            return
        page = plain.server.get("/sites/shop/choice")[1]
        route.fulfill(body=page, headers={"content-type": "text/html", "referrer-policy": "no-referrer"})

    plain.page.route("**/choice", allow_no_referrer)
    plain.page.goto(ON_SITE)
    with plain.page.expect_request(lambda request: request.method == "POST") as posted:
        plain.page.get_by_role("button", name="Accept all").click()
    expect(plain.page.get_by_role("status")).to_contain_text("Your choice is saved")
    assert posted.value.all_headers()["origin"] == "null"
    assert plain.grants() == {"p.analytics": "1", "p.advertising": "1"}
    assert plain.server.receipts("shop")[-1]["page"] == ON_SITE


def test_a_form_on_another_site_s_page_records_nothing(plain: Shop) -> None:
    before = len(plain.server.receipts("shop"))
    notice = hashlib.sha256(plain.server.get("/v1/sites/shop/notice")[1]).hexdigest()
    fields = "".join(
        f'<input name="{name}" value="{value}">'
        for name, value in {"notice": notice, "language": "en", "action": "accept_all"}.items()
    )
    plain.serve(
        f'<form method="post" action="{plain.server.url}/sites/shop/choice">{fields}<button>Win</button></form>'
    )
    plain.page.goto(ORIGIN)
    plain.page.get_by_role("button", name="Win").click()
    expect(plain.page.get_by_role("heading", level=1)).to_have_text("Origin not allowed")
    assert len(plain.server.receipts("shop")) == before


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_form_and_its_answer_pass_axe(visit: Callable[..., Shop], lang: str) -> None:
    shop = visit()
    shop.page.goto(f"{shop.server.url}/sites/shop/choice?lang={lang}")
    for summary in shop.page.locator("summary").all():
        summary.click()
    small = [*axe.SIZES, ViewportSize(width=320, height=256)]
    assert axe.faults(shop.page, sizes=small) == []
    assert min(shop.page.evaluate(TARGETS)) >= 24
    shop.page.get_by_role("button").last.click()
    expect(shop.page.get_by_role("status")).to_be_visible()
    assert axe.faults(shop.page, sizes=small) == []
