"""The overlay for whoever writes the site's pages: there when it is asked for, and true."""

import json
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from . import axe
from .keyboard import stops
from .policies import NONCE, RECORD_VIOLATIONS, policy
from .shop import Shop
from .site_files import ANALYTICS, PIXEL

Visit = Callable[..., Shop]
DEBUG = " data-consent-debug"
LOOK = "consent-debug"


def lines(shop: Shop, title: str) -> Locator:
    """The lines of a section, as text."""
    part = shop.page.locator(f"{LOOK} details").filter(has=shop.page.locator("summary", has_text=title))
    return part.locator("li")


def test_it_shows_what_is_asked_held_loaded_and_sent(visit: Visit) -> None:
    shop = visit(warned=True)
    shop.serve(
        '<main>A page</main><script id="heat" type="text/plain" data-consent="analytics" data-src="https://films.example/one.js">'
        '</script><iframe data-consent="analitics" data-src="https://films.example/watch?v=1" title="Film"></iframe>'
        '<img src="https://elsewhere.example/pixel.gif?who=me" alt=""><div id="root"></div>'
        '<script>root.attachShadow({mode: "open"}).innerHTML = "<img data-consent=advertising data-src=/x.gif>";'
        "</script>",
        head=shop.tag(DEBUG),
    )  # fmt: skip
    shop.open()
    expect(lines(shop, "Asked")).to_contain_text(
        [
            "Nothing is chosen yet: every tag is held.",
            "Audience measurement",
            "Advertising",
            "Google Analytics",
            "Google Ads",
            "Meta pixel",
        ]
    )
    for row in lines(shop, "Asked").all()[1:]:
        expect(row).to_contain_text("held")
    expect(lines(shop, "Held")).to_have_text(
        [
            'script#heat[data-consent="analytics"]films.example/one.jsheld',
            'iframe[data-consent="analitics"]films.example/watchunknown key',
            'img[data-consent="advertising"]a.b.example.co.uk/x.gifheld',
        ]
    )
    expect(lines(shop, "Loaded")).to_have_text(["elsewhere.example/pixel.gifimg: no vendor of the noticeundeclared"])
    expect(lines(shop, "Sent")).to_have_text(["shown204"])
    expect(lines(shop, "Warnings")).to_contain_text(["analitics"])
    expect(shop.page.locator(f"{LOOK} .head .chip")).to_have_text("1 to mend")
    # It knows no visitor, and looks on: nothing but the page's own mistake was asked for.
    assert shop.vendors.hosts == {"elsewhere.example"}

    shop.choose(analytics=True)
    expect(lines(shop, "Asked").nth(0)).to_contain_text("save")
    expect(lines(shop, "Asked").filter(has_text="purpose analytics")).to_contain_text("granted")
    expect(lines(shop, "Asked").filter(has_text="vendor meta-pixel: advertising")).to_contain_text("denied")
    expect(lines(shop, "Asked").filter(has_text="The receipt").locator("a")).to_have_attribute(
        "href", shop.page.evaluate("consentWidget.receiptUrl")
    )
    expect(lines(shop, "Held")).to_have_count(2)
    expect(lines(shop, "Loaded").filter(has_text="www.googletagmanager.com/gtag/js")).to_contain_text(
        "Google Analytics"
    )
    expect(lines(shop, "Sent")).to_have_text(["shown204", "decisions201"])
    expect(lines(shop, "dataLayer").last).to_contain_text(f'gtag("config", "{ANALYTICS}"')
    assert PIXEL not in shop.vendors.views


def test_it_says_what_was_refused_and_what_a_policy_blocks(visit: Visit) -> None:
    shop = visit(warned=True, init=RECORD_VIOLATIONS)
    rules = policy(shop, "require-trusted-types-for 'script'", "trusted-types consent-widget")
    body = '<main>A page</main><img src="https://films.example/x.gif" alt="">'
    shop.serve(body, head=shop.tag(f'{DEBUG} nonce="{NONCE}"'), headers=rules)
    problem = {"title": "Origin not allowed", "status": 403, "detail": "Add it.", "decision_id": "x"}
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/problem+json"}
    shop.context.route(
        "**/decisions", lambda route: route.fulfill(status=403, body=json.dumps(problem), headers=headers)
    )
    shop.open()
    expect(shop.page.locator(f"{LOOK} .body")).to_be_visible()
    shop.button("refuse").click()
    expect(lines(shop, "Sent").filter(has_text="decisions")).to_contain_text("403")
    shop.page.evaluate("detail => document.dispatchEvent(new CustomEvent('consent:error', {detail}))", problem)
    expect(lines(shop, "Sent").last).to_have_text("Origin not allowedAdd it.403")
    shop.page.evaluate(
        "document.querySelector('main').append(Object.assign(new Image(), {src: 'https://films.example/y.gif'}))"
    )
    expect(lines(shop, "Loaded").last).to_contain_text("blocked by policy")
    # What the overlay itself needs, no policy forbids.
    assert set(shop.page.evaluate("violations")) == {
        "img-src https://films.example/x.gif",
        "img-src https://films.example/y.gif",
    }
    card = shop.page.locator(f"{LOOK} .head")
    assert card.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"


def test_it_is_folded_moved_and_read_by_everybody(visit: Visit) -> None:
    shop = visit()
    hostile = "body *, consent-debug { display: none !important; color: red !important; opacity: 0 !important }"
    shop.serve(f"<style>{hostile}</style><main>A page</main>", head=shop.tag(DEBUG))
    shop.open()
    overlay = shop.page.locator(LOOK)
    expect(overlay).to_be_visible()
    shop.refuse_all()
    assert axe.faults(shop.page, LOOK) == []
    shop.page.set_viewport_size(axe.DESKTOP)
    size = shop.page.evaluate("() => document.querySelector('consent-debug').getBoundingClientRect().toJSON()")
    while "Fold" not in stops(shop.page, 1):
        pass
    shop.page.keyboard.press("Enter")
    expect(overlay.locator(".body")).to_be_hidden()
    expect(overlay.get_by_role("button", name="Unfold")).to_have_attribute("aria-expanded", "false")
    assert stops(shop.page, 1) == ["Move"]
    seen = set()
    for _ in range(4):
        box = overlay.bounding_box()
        assert box
        seen.add((box["x"] < size["x"], box["y"] > size["y"]))
        shop.page.keyboard.press("Enter")
    assert len(seen) == 4
    overlay.get_by_role("button", name="Unfold").click()
    expect(overlay.locator(".body")).to_be_visible()


def test_it_comes_only_where_it_is_asked_for(visit: Visit) -> None:
    asked: list[str] = []
    shop = visit(warned=True)
    shop.page.on("request", lambda request: asked.append(request.url))
    shop.open()
    shop.settle()
    assert [url for url in asked if "debug.js" in url] == []
    # Anybody can give a visitor a link.
    shop.open("/?consent-debug")
    shop.settle()
    expect(shop.page.locator(LOOK)).to_have_count(0)
    shop.page.goto(f"https://127.0.0.1:{shop.pages.server_port}/?consent-debug")
    expect(shop.page.locator(LOOK)).to_be_visible()
    shop.button("refuse").click()
    expect(lines(shop, "Sent").filter(has_text="decisions")).to_contain_text("403")
