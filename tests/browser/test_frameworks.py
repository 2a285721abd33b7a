"""Pages that others own: what React, Turbo, htmx and their like do to the document under the widget."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from consent_server.core.resources import ROOT

from .servers import Answer
from .shop import Shop
from .site_files import ANALYTICS, FRAME, OPENED, ORIGIN

Visit = Callable[..., Shop]
PACKAGES = ROOT / "node_modules"
LIBRARIES = {
    "/react.js": "react/umd/react.production.min.js",
    "/react-dom.js": "react-dom/umd/react-dom.production.min.js",
    "/turbo.js": "@hotwired/turbo/dist/turbo.es2017-umd.js",
    "/htmx.js": "htmx.org/dist/htmx.min.js",
    "/jquery.js": "jquery/dist/jquery.min.js",
    "/slick.js": "slick-carousel/slick/slick.min.js",
}
REACT = '<script src="/react.js"></script><script src="/react-dom.js"></script>'
INLINE = '<script type="text/plain" data-consent="filmhaus">window.ran = (window.ran || 0) + 1</script>'


@pytest.fixture
def cinema(visit: Visit) -> Shop:
    """A visitor of a site with gated films, whose pages can load the libraries."""
    shop = visit("cinema")
    for path, file in LIBRARIES.items():
        shop.pages.answers[path] = Answer((PACKAGES / file).read_text("utf-8"), "text/javascript")
    return shop


def app(view: str) -> str:
    """A React application of one view, whose `show` sets the state that the view shows."""
    return f"""{REACT}<div id="root"></div><script>
const e = React.createElement;
function App() {{ const [state, set] = React.useState("one"); window.show = set; return e("main", null, {view}); }}
window.root = ReactDOM.createRoot(document.getElementById("root"));
root.render(e(App));</script>"""


GATED = {
    "script": """e("script", {type: "text/plain", "data-consent": "filmhaus",
        dangerouslySetInnerHTML: {__html: "window.ran = 1"}})""",
    "template": """e("template", {"data-consent": "filmhaus",
        dangerouslySetInnerHTML: {__html: "<p id=inner>A map</p>"}})""",
    "frame": """e("iframe", {"data-consent": "filmhaus", "data-src": "https://films.example/watch",
        width: 400, height: 225})""",
}


@pytest.mark.parametrize("kind", GATED)
def test_react_takes_away_what_was_gated_and_its_application_lives(cinema: Shop, kind: str) -> None:
    cinema.serve(app(f'e("p", null, "view " + state), state == "one" ? {GATED[kind]} : null'))
    cinema.open()
    cinema.choose(media=True)
    opened = {
        "script": "window.ran == 1",
        "template": "!!window.inner",
        "frame": "!!document.querySelector('iframe[src]')",
    }
    cinema.page.wait_for_function(opened[kind])
    cinema.page.evaluate("show('two')")
    expect(cinema.page.get_by_text("view two")).to_be_visible()
    expect(cinema.page.locator("#inner, iframe, consent-placeholder")).to_have_count(0)


def test_a_frame_that_react_uses_again_follows_its_new_address(cinema: Shop) -> None:
    frame = """e("iframe", {"data-consent": "filmhaus", "data-src": "https://films.example/" + state,
        width: 400, height: 225})"""
    cinema.serve(app(f'state == "none" ? null : {frame}'))
    cinema.open()
    stand_in = cinema.page.locator("consent-placeholder")
    stand_in.locator("[data-action=once]").click()
    expect(cinema.page.locator("iframe")).to_have_attribute("src", "https://films.example/one")
    cinema.page.evaluate("show('two')")
    expect(stand_in).to_be_visible()
    expect(cinema.page.locator("iframe[src]")).to_have_count(0)
    cinema.page.evaluate("show('none')")
    expect(stand_in).to_have_count(0)
    cinema.page.evaluate("show('three')")
    cinema.choose(media=True)
    expect(cinema.page.locator("iframe")).to_have_attribute("src", "https://films.example/three")
    cinema.page.evaluate("show('four')")
    expect(cinema.page.locator("iframe")).to_have_attribute("src", "https://films.example/four")


HYDRATE = """
const e = React.createElement;
window.faults = [];
function App() {
  const [count, set] = React.useState(0);
  window.add = () => set(count + 1);
  return e("html", {lang: "en"},
    e("head", null,
      e("meta", {charSet: "utf-8"}), e("meta", {name: "color-scheme", content: "light dark"}),
      e("title", null, "Shop"), e("script", {async: true, src: "TAG"})),
    e("body", null, e("main", null, e("p", null, "count " + count)),
      e("script", {src: "/react.js"}), e("script", {src: "/react-dom.js"}), e("script", {src: "/app.js"})));
}
window.hydrate = () => {
  window.first = document.documentElement;
  ReactDOM.hydrateRoot(document, e(App), {onRecoverableError: (fault) => faults.push(String(fault))});
};
"""


@pytest.mark.parametrize("returning", [False, True])
def test_react_takes_over_a_whole_document_as_its_server_wrote_it(cinema: Shop, returning: bool) -> None:
    if returning:
        cinema.open()
        cinema.accept_all()
    source = f"{cinema.server.url}/widget/cinema.js"
    cinema.pages.answers["/app.js"] = Answer(HYDRATE.replace("TAG", source), "text/javascript")
    cinema.serve(f'<main><p>count 0</p></main>{REACT}<script src="/app.js"></script>')
    cinema.open()
    expect(cinema.way_back if returning else cinema.banner).to_be_visible()
    cinema.settle()
    cinema.page.evaluate("hydrate()")
    cinema.page.evaluate("add()")
    expect(cinema.page.get_by_text("count 1")).to_be_visible()
    assert cinema.page.evaluate("[faults, first == document.documentElement]") == [[], True]
    expect(cinema.page.locator("consent-widget")).to_have_count(1)
    expect(cinema.way_back if returning else cinema.banner).to_be_visible()


def test_a_page_that_turbo_brings_back_has_a_stand_in_that_works(cinema: Shop) -> None:
    head = f'<script src="/turbo.js"></script>{cinema.tag()}'
    cinema.serve(f'<a id="go" href="/other">Other</a><main>{FRAME}</main>', head=head)
    cinema.serve('<p>The other page</p><a id="back" href="/">Back</a>', head=head, path="/other")
    cinema.open()
    stand_in = cinema.page.locator("consent-placeholder")
    expect(stand_in).to_be_visible()
    for _ in range(2):
        cinema.page.click("#go")
        expect(cinema.page.get_by_text("The other page")).to_be_visible()
        expect(cinema.banner).to_be_visible()
        expect(stand_in).to_have_count(0)
        cinema.page.go_back()
        expect(stand_in).to_have_count(1)
        expect(stand_in.get_by_role("button")).to_have_count(2)
        expect(cinema.page.locator("consent-widget")).to_have_count(1)
    cinema.page.click("#go")
    expect(cinema.page.get_by_text("The other page")).to_be_visible()
    cinema.accept_all()
    cinema.page.go_back()
    expect(cinema.page.locator("iframe")).to_be_visible()
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)
    expect(stand_in).to_have_count(0)


def test_a_body_that_htmx_swaps_keeps_banner_and_way_back(cinema: Shop) -> None:
    head = f'<script src="/htmx.js"></script>{cinema.tag()}'
    body = '<main hx-boost="true" hx-target="body"><a id="{0}" href="/{0}">{0}</a>{1}</main>'
    cinema.serve(body.format("next", FRAME), head=head)
    cinema.serve(body.format("last", "Next page"), head=head, path="/next")
    cinema.serve("<main>Last page</main>", head=head, path="/last")
    cinema.open()
    cinema.page.click("#next")
    expect(cinema.page.get_by_text("Next page")).to_be_visible()
    expect(cinema.banner).to_be_visible()
    cinema.refuse_all()
    expect(cinema.way_back).to_be_visible()
    cinema.page.click("#last")
    expect(cinema.page.get_by_text("Last page")).to_be_visible()
    expect(cinema.way_back).to_be_visible()
    cinema.open_preferences()


def test_copies_of_a_frame_each_have_a_stand_in_and_open_together(cinema: Shop) -> None:
    slides = "".join(f"<div>{FRAME.replace('watch', f'watch/{number}')}</div>" for number in range(3))
    head = f'<script src="/jquery.js"></script><script src="/slick.js"></script>{cinema.tag()}'
    cinema.serve(f'<main style="width:420px"><div id="slides">{slides}</div><div id="saved"></div></main>', head=head)
    cinema.open()
    expect(cinema.page.locator("consent-placeholder")).to_have_count(3)
    cinema.page.evaluate("""() => {
      const text = slides.innerHTML;
      $("#slides").slick({infinite: true});
      saved.innerHTML = text;
      saved.append(saved.firstElementChild.cloneNode(true));
    }""")
    frames = cinema.page.locator("iframe").count()
    assert frames >= 3 + 4 + 2
    expect(cinema.page.locator("consent-placeholder")).to_have_count(frames)
    assert cinema.page.evaluate("[...document.querySelectorAll('consent-placeholder')].every((one) => one.shadowRoot)")
    cinema.accept_all()
    expect(cinema.page.locator("consent-placeholder")).to_have_count(0)
    expect(cinema.page.locator("iframe[src]")).to_have_count(frames)
    hidden = "[...document.querySelectorAll('iframe')].filter((one) => one.style.display == 'none').length"
    assert cinema.page.evaluate(hidden) == 0


def test_a_document_that_is_written_anew_has_its_banner_and_its_keys(cinema: Shop) -> None:
    cinema.open()
    expect(cinema.banner).to_be_visible()
    cinema.page.evaluate(
        "document.open(); document.write('<body><a href=#x data-consent-open>Settings</a>'); document.close()"
    )
    expect(cinema.banner).to_be_visible()
    cinema.page.click("[data-consent-open]")
    expect(cinema.button("save")).to_be_visible()
    cinema.button("close").click()
    cinema.page.evaluate("""() => {
      const html = document.createElement("html");
      html.innerHTML = "<body><p>Another root</p></body>";
      document.documentElement.replaceWith(html);
    }""")
    expect(cinema.banner).to_be_visible()
    cinema.refuse_all()


COMPONENT = f"""customElements.define("a-film", class extends HTMLElement {{
  connectedCallback() {{
    this.attachShadow({{mode: "open"}}).innerHTML = `{FRAME}<img data-consent="filmhaus" data-src="https://films.example/still.png">
      <template data-consent="filmhaus"><p id="inner">opened</p></template>
      <a id="settings" href="/gone" data-consent-open>Cookie settings</a>`;
  }}
}})"""


@pytest.mark.parametrize("late", [False, True], ids=["at once", "defined late"])
def test_open_shadow_roots_are_gated_too(cinema: Shop, late: bool) -> None:
    script = "" if late else f"<script>{COMPONENT}</script>"
    cinema.serve(f"<main><a-film></a-film></main>{script}")
    cinema.open()
    if late:
        cinema.settle()
        cinema.page.evaluate(COMPONENT)
    expect(cinema.page.locator("consent-placeholder")).to_be_visible()
    cinema.page.click("#settings")
    expect(cinema.button("save")).to_be_visible()
    assert cinema.page.url == ORIGIN + "/"
    cinema.button("close").click()
    cinema.accept_all()
    expect(cinema.page.locator("a-film iframe")).to_have_attribute("src", OPENED)
    expect(cinema.page.locator("#inner")).to_have_text("opened")
    assert "/still.png" in [sent.path for sent in cinema.vendors.requests]
    # The component has its own way back.
    expect(cinema.page.locator("[data-action=reopen]")).to_be_hidden()


def test_what_a_site_hung_on_a_gated_script_is_called(cinema: Shop) -> None:
    # Each stand-in of the films' host answers a script with nothing.
    cinema.serve("""<script type="text/plain" data-consent="media" id="lib" data-src="https://films.example/lib.js"
      onload="window.heard = ['attribute']"></script><script>
      lib.addEventListener("load", (event) => heard.push(event.target.id, event.type)); window.kept = lib</script>""")
    cinema.open()
    cinema.accept_all()
    cinema.page.wait_for_function("window.heard?.length == 3")
    assert cinema.page.evaluate("heard") == ["attribute", "lib", "load"]
    assert cinema.page.evaluate("kept.isConnected")


def test_a_script_that_hangs_holds_up_no_other_key_s(visit: Visit) -> None:
    shop = visit("cinema")
    held: list[object] = []
    shop.page.route("https://films.example/hangs.js", lambda route: held.append(route))
    shop.serve(
        '<script type="text/plain" data-consent="filmhaus" data-src="https://films.example/hangs.js"></script>'
        '<script type="text/plain" data-consent="filmhaus">window.after = 1</script>'
        '<script type="text/plain" data-consent="analytics">window.other = 1</script>'
    )
    shop.open()
    shop.button("accept").click()
    shop.page.wait_for_function("window.other")
    assert shop.page.evaluate("window.after") is None
    assert len(held) == 1


def test_a_page_of_another_kind_of_markup_has_its_stand_ins(cinema: Shop) -> None:
    page = f"""<?xml version="1.0" encoding="utf-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><title>X</title>
<script src="{cinema.server.url}/widget/cinema.js"></script></head><body><main>
<iframe data-consent="filmhaus" data-src="{OPENED}" title="Film" width="400" height="225"></iframe></main>
</body></html>"""
    cinema.pages.answers["/"] = Answer(page, "application/xhtml+xml")
    cinema.open()
    expect(cinema.page.locator("consent-placeholder")).to_be_visible()
    cinema.accept_all()
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)


def test_a_lazy_loader_finds_nothing_under_the_other_name(cinema: Shop) -> None:
    cinema.serve(f"<main>{FRAME.replace('data-src', 'data-consent-src')}</main>")
    cinema.open()
    cinema.page.evaluate("for (const lazy of document.querySelectorAll('[data-src]')) lazy.src = lazy.dataset.src")
    expect(cinema.page.locator("consent-placeholder")).to_be_visible()
    assert cinema.vendors.requests == []
    cinema.accept_all()
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)


def test_a_returning_visitor_s_markup_opens_by_itself(cinema: Shop) -> None:
    cinema.open()
    cinema.accept_all()
    cinema.serve(f"<main>{INLINE}{FRAME}</main>", path="/film")
    cinema.open("/film")
    cinema.page.wait_for_function("window.ran == 1")
    expect(cinema.page.locator("iframe")).to_have_attribute("src", OPENED)
    assert ANALYTICS in cinema.vendors.views
