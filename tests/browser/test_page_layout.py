"""Nothing of the page's moves, what can be seen can be used, and there is exactly one way back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from consent_server.sites import catalogue

from .shop import Shop
from .site_files import ORIGIN

Visit = Callable[..., Shop]
ACCEPT = {key: texts["banner"]["accept"] for key, texts in catalogue.locales().items()}
# As the Layout Instability API counts: what follows a visitor's own act within half a second is none.
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().filter((shift) => !shift.hadRecentInput)
  .map(({value, sources}) => [value, ...sources.map(({node}) => node?.outerHTML?.slice(0, 60))])))
  .observe({type: "layout-shift", buffered: true});"""
LONG = "<p>Text</p>" * 60
PAGES = {
    "an application of the window's height": (
        "<style>*{box-sizing:border-box}html,body{height:100%;margin:0}"
        "#app{height:100%;display:grid;grid-template-rows:auto 1fr auto}</style>",
        "<div id=app><header>App</header><div>Chat</div><footer>Send box</footer></div>",
    ),
    "margins between siblings": ("<style>body > * + * {margin-top: 40px} body > * {margin: 0}</style>", LONG),
    "padding of its own on the root": ('<script>document.documentElement.style.padding = "10px"</script>', LONG),
    "a flexible body": (
        "<style>body{display:flex;flex-direction:column;gap:20px;min-height:100vh}</style>",
        "<main>A</main><footer>B</footer>",
    ),
    "a root that is a grid": (
        "<style>html{display:grid;min-height:100%}</style>",
        "<main style='height:3000px'>A</main>",
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_the_page_moves(visit: Visit, name: str) -> None:
    style, body = PAGES[name]
    shop = visit(init=SHIFTS)
    shop.serve(body, head=style + shop.tag())
    measure = """() => [document.documentElement.getAttribute("style"), scrollY,
      document.documentElement.scrollHeight > innerHeight, innerWidth - document.documentElement.clientWidth,
      ...[...document.body.children].filter((one) => one.localName != "consent-widget").slice(0, 3)
        .flatMap((one) => Object.values(one.getBoundingClientRect().toJSON()))]"""
    shop.page.route("**/widget/**", lambda route: route.abort())
    shop.page.goto(ORIGIN)
    bare = shop.page.evaluate(measure)
    shop.page.unroute("**/widget/**")
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.settle()
    assert shop.page.evaluate(measure) == bare
    shop.refuse_all()
    expect(shop.way_back).to_be_visible()
    assert shop.page.evaluate(measure) == bare
    assert shop.page.evaluate("shifts") == []


def test_a_dialog_of_the_page_comes_before_the_banner(shop: Shop) -> None:
    shop.serve(
        '<dialog id="own"><form method="dialog"><button id="shut">Shut</button></form></dialog><p>A page</p>'
        "<script>own.showModal()</script>"
    )
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("window.consentWidget")
    expect(shop.page.locator("#shut")).to_be_visible()
    expect(shop.banner).to_be_hidden()
    shop.page.click("#shut")
    expect(shop.banner).to_be_visible()
    shop.page.evaluate("own.showModal()")
    expect(shop.banner).to_be_hidden()
    shop.page.evaluate("own.close()")
    shop.button("accept").click()
    expect(shop.banner).to_have_count(0)


def test_what_the_page_makes_inert_waits(shop: Shop) -> None:
    shop.serve('<main>A page</main><div role="dialog" id="own" inert>Choose</div>')
    shop.open()
    expect(shop.banner).to_be_visible()
    shop.page.evaluate("for (const one of document.body.children) one.inert = one.id != 'own'")
    expect(shop.banner).to_be_hidden()
    shop.page.evaluate("for (const one of document.body.children) one.inert = false")
    expect(shop.banner).to_be_visible()
    shop.refuse_all()


def test_escape_that_is_meant_for_the_page_decides_nothing(shop: Shop) -> None:
    shop.serve(
        '<input id="field"><div id="light" tabindex="0">A picture</div>'
        "<script>light.addEventListener('keydown', (event) => event.key == 'Escape' && light.remove())</script>"
    )
    shop.open()
    shop.page.keyboard.press("Escape")
    for place in ("#field", "#light"):
        shop.page.focus(place)
        shop.page.keyboard.press("Escape")
    shop.settle()
    assert shop.page.evaluate("consentWidget.decision") is None
    expect(shop.page.locator("#light")).to_have_count(0)
    expect(shop.banner).to_be_visible()
    assert shop.press_escape()["action"] == "refuse_all"


WAYS = """[...document.querySelectorAll("[data-consent-open]")]
  .filter((one) => one.checkVisibility({checkVisibilityCSS: true})).length"""


def test_there_is_exactly_one_way_back(shop: Shop) -> None:
    link = '<a href="#" data-consent-open>Cookie settings</a>'
    style = "<style>.away{display:none}</style>"
    shop.serve(f'{style}<main id="app"><p>Home</p><footer>{link}</footer></main>')
    shop.open()
    shop.refuse_all()
    one = f"{WAYS} == 1"
    shop.page.wait_for_function(one)
    own = shop.page.locator("[data-action=reopen]")
    changes = {
        "app.innerHTML = '<p>No footer here</p>'": True,
        f"app.innerHTML = `<nav hidden>{link}</nav>`": True,
        "app.firstChild.hidden = false; app.append('x')": False,
        f"app.innerHTML = `<details><summary>More</summary>{link}</details>`": True,
        f"app.innerHTML = `<p style='visibility:hidden'>{link}</p>`": True,
        f"app.innerHTML = `<p>{link}</p>`": False,
        "app.className = 'away'": True,
        "app.className = ''": False,
        "app.style.cssText = 'height:0;overflow:hidden'": True,
        "app.style.cssText = 'position:fixed;right:-400px;width:300px'": True,
        "app.style.cssText = 'opacity:0'": True,
        "app.style.cssText = ''; app.inert = true": True,
        "app.inert = false; app.replaceChildren()": True,
    }
    for change, is_own in changes.items():
        shop.page.evaluate(change)
        expect(own).to_be_visible() if is_own else expect(own).to_be_hidden()
    own.click()
    expect(shop.button("save")).to_be_visible()


TONGUES = {
    "no": "nb",
    "nn-NO": "nb",
    "nb": "nb",
    "iw": "he",
    "pt_BR": "pt",
    "zh-TW": "zh",
    "zh-Hant-HK": "zh",
    "sv": "en",
}


def test_each_reader_gets_the_offered_language_that_they_read(visit: Visit) -> None:
    shop = visit("tongues")
    for lang, offered in TONGUES.items():
        shop.serve(lang=lang)
        shop.open()
        expect(shop.banner).to_have_attribute("lang", offered)
        expect(shop.button("accept")).to_have_text(ACCEPT[offered])
