"""A page with ten mistakes: the page's console and `consent doctor` say each of them once, with its mend."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import ConsoleMessage

from .servers import Answer, ConsentServer
from .shop import Shop, is_decision
from .site_files import ORIGIN, SITES

Visit = Callable[..., Shop]


class PlainPages(ThreadingHTTPServer):
    """Pages over HTTP on this machine, where no site file expects them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: PlainPages

    def do_GET(self) -> None:
        page = self.server.answers.get(self.path) or Answer("", "text/plain")
        self.send_response(200)
        for name, value in {"Content-Type": f"{page.kind}; charset=utf-8", **page.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def plain() -> Iterator[PlainPages]:
    """Pages that no site file knows."""
    pages = PlainPages()
    yield pages
    pages.shutdown()
    pages.server_close()


PAGE = """<!doctype html><html lang="en"><head><title>Shop</title>
<script src="/theme.js"></script><script src="https://connect.facebook.net/en_GB/fbevents.js"></script>
{tag}
{tag}
<script async src="{server}/widget/shpo.js"></script>
<script async src="https://www.googletagmanager.com/gtag/destination?id=G-SHOP123456"></script></head>
<body><iframe src="https://films.example/watch" title="Film"></iframe>
<script type="text/plain" data-consent="analitics" src="/a.js"></script>
<div data-consent="filmhause">A film</div>
<a href="#there" data-conversion="singup">Sign up</a>
</body></html>"""
KEYS = "analytics or advertising or media or google-analytics or google-ads or meta-pixel or filmhaus"
AWAY = "take it out, the widget loads it after a grant"
FBEVENTS = '<script src="https://connect.facebook.net/en_GB/fbevents.js">'
GTAG = '<script async="" src="https://www.googletagmanager.com/gtag/destination?id=G-SHOP123456">'
FILM = '<iframe src="https://films.example/watch" title="Film">'
# What the console says of each, but for the wrong origin, and what the doctor says of the same.
SAID = {
    'there is no site "shpo" on this server: no tag is gated, and no banner is shown. Take the tag that '
    "`consent site apply` printed.": "there is no site `shpo`",
    "take one of these two tags out": "the tag is there a second time",
    f"put the tag first in <head>, what ran before it was not held: {FBEVENTS}": "1 script stands before the tag",
    f"meta-pixel is asked without a grant by {FBEVENTS}: {AWAY}": "fbevents.js loads meta-pixel",
    f"google-analytics is asked without a grant by {GTAG}: {AWAY}": "loads google-analytics",
    f'filmhaus is asked without a grant by {FILM}: gate it with data-consent="filmhaus", and write data-src for src':
    "watch loads filmhaus",
    f'"analitics" is no purpose and no vendor of the site file, write {KEYS}: '
    '<script type="text/plain" data-consent="analitics" src="/a.js">': "`data-consent=analitics`",
    f'"filmhause" is no purpose and no vendor of the site file, write {KEYS}: <div data-consent="filmhause">':
    "`data-consent=filmhause`",
    "add singup to the site file: its calls are dropped": "`data-conversion=singup`",
}  # fmt: skip


@dataclass
class Site:
    """A visitor, the page with the mistakes, and what its console says of consent."""

    shop: Shop
    plain: PlainPages
    said: list[str]

    def open(self, page: str, **headers: str) -> None:
        """Go to a page of this machine."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.plain.answers["/"] = Answer(page, headers=named)
        self.said.clear()
        self.shop.page.goto(self.plain.url)

    def wait_until_said(self, start: str) -> None:
        """Return once the console says what begins so."""
        if not any(line.startswith(start) for line in self.said):
            self.shop.page.wait_for_event("console", lambda message: message.text.startswith(f"consent: {start}"))


@pytest.fixture
def key() -> str:
    """Of a site whose file names no origin on this machine."""
    return "mistaken"


@pytest.fixture
def site(visit: Visit, plain: PlainPages, key: str) -> Site:
    """A page of that site."""
    shop = visit(key, warned=True)
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.text.startswith("consent: "):
            said.append(message.text.removeprefix("consent: "))

    shop.page.on("console", hear)
    return Site(shop, plain, said)


@pytest.mark.parametrize("key", ["mended"])
def test_each_mistake_is_said_once_and_the_choice_is_recorded_when_its_origin_is_listed(site: Site, key: str) -> None:
    shop, server = site.shop, site.shop.server
    page = PAGE.format(tag=shop.tag(), server=server.url)
    site.open(page)
    shop.ready()
    site.wait_until_said("put the tag first")
    shop.page.evaluate("addEventListener('consent:error', ({detail}) => (window.problem = detail), true)")
    shop.page.click("[data-conversion]")
    with shop.page.expect_response(is_decision) as coming:
        shop.button("refuse").click()
    assert coming.value.status == 403
    shop.page.wait_for_function("window.problem")
    problem = shop.page.evaluate("problem")
    detail = f"{site.plain.url} is no origin of this site. If it is yours, add it to `origins` in the site file."
    assert (problem["status"], problem["title"], problem["detail"]) == (403, "Origin not allowed", detail)
    origin = f"a decision is not recorded: Origin not allowed: {detail}"
    assert sorted(site.said) == sorted([*SAID, origin])
    assert shop.page.locator("consent-widget [role=status]").text_content() == ""

    told = server.command("doctor", shop.site, "--page", site.plain.url, code=1)
    for mistake in (*SAID.values(), "is not among the site's `origins`"):
        assert told.count(mistake) == 1, (mistake, told)
    assert len([line for line in told.splitlines() if line.startswith("wrong")]) == len(SAID)

    assert server.receipts(key) == []
    assert problem["decision_id"] in shop.page.evaluate("localStorage['eu-consent-outbox']")
    server.apply(SITES[key].replace(f'origins = ["{ORIGIN}"', f'origins = ["{ORIGIN}", "http://127.0.0.1:*"'))
    # A server looks for another site file every few seconds.
    server.wait_for(lambda: _is_listed(server, key, site.plain.url))
    site.open(page)
    shop.page.wait_for_function("!localStorage['eu-consent-outbox']")
    site.open(page)
    shop.ready()
    assert [receipt["decision_id"] for receipt in server.receipts(key)] == [problem["decision_id"]]
    assert "a decision" not in "".join(site.said)


def test_a_policy_that_blocks_the_widget_is_said_and_nothing_is_lost(site: Site) -> None:
    shop, server = site.shop, site.shop.server
    page = f"<!doctype html><html lang=en><head><title>Shop</title>{shop.tag()}</head><body><main>A page</main>"
    posts = f"default-src 'self'; script-src {server.url}; style-src 'unsafe-inline'"
    site.open(page, Content_Security_Policy=posts)
    shop.button("refuse").click()
    site.wait_until_said("a decision")
    assert site.said == [
        f"a decision is not recorded: No answer: {server.url} is away, or connect-src does not name it"
    ]
    told = server.command("doctor", shop.site, "--page", site.plain.url, code=1)
    assert told.count(f"post decisions, and their proof is lost: add `{server.url}` to `connect-src`") == 1
    kept = shop.page.evaluate("localStorage['eu-consent-outbox']")
    assert '"refuse_all"' in kept

    site.open(page, Content_Security_Policy=f"script-src {server.url}/widget/{shop.site}.js; connect-src 'none'")
    site.wait_until_said("is ")
    assert site.said == [f"is {server.url} in script-src?"]
    assert shop.page.evaluate("localStorage['eu-consent-outbox']") == kept
    told = server.command("doctor", shop.site, "--page", site.plain.url, code=1)
    assert told.count(f"later scripts: add `{server.url}` to `script-src`") == 1


@pytest.mark.parametrize("loader", ["at the end", "by a script, later"])
def test_a_late_tag_is_said(site: Site, loader: str) -> None:
    shop = site.shop
    script = "const tag = document.createElement('script'); tag.src = '{}'; document.head.prepend(tag);"
    source = f"{shop.server.url}/widget/{shop.site}.js"
    late = shop.tag() if loader == "at the end" else f"<script>onload = () => {{ {script.format(source)} }}</script>"
    site.open(f"<!doctype html><html lang=en><head>{FBEVENTS}</script></head><body>{late}")
    shop.button("refuse").click()
    site.wait_until_said("a decision")
    assert f"put the tag first in <head>, what ran before it was not held: {FBEVENTS}" in site.said


def test_google_s_script_from_an_address_of_the_site_s_own_is_said(site: Site) -> None:
    site.open(
        f"<!doctype html><html lang=en><head><script>google_tag_manager = {{}}</script>{site.shop.tag()}</head><body>"
    )
    site.shop.button("refuse").click()
    site.wait_until_said("a decision")
    assert site.said[:-1] == [f"google-analytics is asked without a grant by google_tag_manager: {AWAY}"]


def _is_listed(server: ConsentServer, key: str, origin: str) -> bool:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    with closing(connection):
        connection.request(
            "POST", f"/v1/sites/{key}/decisions", b"{}", {"Origin": origin, "Content-Type": "text/plain"}
        )
        return connection.getresponse().status != 403
