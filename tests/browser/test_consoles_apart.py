"""A vendor's script on the site's host, and an operator who is signed in there: what can it read of the consoles?"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.people import PASSWORD

from .servers import ConsentServer
from .shop import Shop
from .site_files import DOMAIN, ORIGIN, SITES

# What came of each way in which a script asks for a page of its own origin and reads what it gets.
SCRIPT = """async (address) => {
  const kinds = [{}, { credentials: "include" }, { mode: "same-origin" }, { mode: "no-cors" }, { method: "POST" },
    { headers: { "Consent-Form-Token": "x" } }, { headers: { "X-Sec-Fetch-Mode": "navigate" } }];
  const read = [];
  for (const kind of kinds)
    read.push(await fetch(address, { cache: "reload", ...kind }).then((answer) => answer.text(), () => ""));
  const xhr = new XMLHttpRequest();
  xhr.open("GET", address, false);
  try { xhr.setRequestHeader("Sec-Fetch-Mode", "navigate"); xhr.send(); read.push(xhr.responseText); } catch {}
  for (const name of ["iframe", "object", "embed"]) {
    const frame = document.createElement(name);
    const over = new Promise((done) => { frame.onload = frame.onerror = done; setTimeout(done, 500); });
    frame[name === "object" ? "data" : "src"] = address;
    document.body.append(frame);
    await over;
    try { read.push((frame.contentDocument ?? frame.getSVGDocument()).documentElement.outerHTML); } catch {}
  }
  return read.join("\\n");
}"""
# Playwright lets the popup open; the opener then tries to read it until the popup has its page.
POPUP = "(address) => { window.theirs = window.open(address, 'theirs'); }"
LOOK = """() => { try { return window.theirs.closed ? "closed" : window.theirs.document.documentElement.outerHTML; }
  catch (error) { return "out of reach"; } }"""


@pytest.fixture
def consoles(tmp_path: Path, pages: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ConsentServer]]:
    """Starts a consent server behind the site's own server, at `/_consent`."""
    started: list[ConsentServer] = []

    def start(**environ: str) -> ConsentServer:
        server = ConsentServer(tmp_path, **environ)
        server.prepare(SITES["shop"])
        server.start()
        monkeypatch.setattr(pages, "consent_port", server.port)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set it and sign in").click()
    page.wait_for_url("**/console")


def test_on_the_site_s_host_a_script_reads_nothing_of_the_consoles(
    visit: Callable[..., Shop], consoles: Callable[..., ConsentServer]
) -> None:
    server = consoles(CONSENT_PUBLIC_URL=f"{ORIGIN}/_consent")
    shop = visit(server=server)
    page = shop.page
    sign_in(page, server.command("user", "create", "olga@example.org", "--role", "operator").strip())
    assert "Sign out" in page.content()
    for there in ("/console", "/v1/sites/shop/decisions"):
        # The attack itself, first on a page that is nobody's secret: what the script can read, it does read.
        page.goto(f"{ORIGIN}/settled")
        assert "openapi" in page.evaluate(SCRIPT, f"{ORIGIN}/_consent/openapi.json")
        read = page.evaluate(SCRIPT, f"{ORIGIN}/_consent{there}")
        assert "form_token" not in read, there
        assert "olga" not in read, there
        assert '"items"' not in read, there
        assert "Only for who opens it themselves" in read
        with page.context.expect_page() as coming:
            page.evaluate(POPUP, f"{ORIGIN}/_consent{there}")
        popup = coming.value
        popup.wait_for_load_state()
        # The person in that window sees it; who opened it holds a window that is no more.
        assert ("olga" in popup.content()) or ('"items"' in popup.content()) or ("Sign in" in popup.content())
        assert page.evaluate(LOOK) in ("closed", "out of reach"), there
        popup.close()
    page.goto(f"{ORIGIN}/_consent/console")
    assert "Sign out" in page.content()


def test_on_a_host_of_their_own_the_public_address_knows_no_session(
    visit: Callable[..., Shop], consoles: Callable[..., ConsentServer]
) -> None:
    own = f"https://intern.{DOMAIN}"
    server = consoles(CONSENT_PUBLIC_URL=f"{ORIGIN}/_consent", CONSENT_CONSOLE_URL=f"{own}/_consent")
    shop = visit(server=server)
    page = shop.page
    link = server.command("user", "create", "olga@example.org", "--role", "operator").strip()
    assert link.startswith(f"{own}/_consent/sign-in/link?t=")
    sign_in(page, link)
    page.goto(f"{ORIGIN}/settled")
    for base, there in ((ORIGIN, "/console"), (ORIGIN, "/v1/sites/shop/decisions"), (own, "/console")):
        read = page.evaluate(SCRIPT, f"{base}/_consent{there}")
        assert "olga" not in read
        assert "form_token" not in read
        assert '"items"' not in read
    answer = page.goto(f"{ORIGIN}/_consent/console")
    assert answer
    assert answer.status == 404
    page.goto(f"{ORIGIN}/_consent/sign-in")
    assert page.url == f"{own}/_consent/sign-in"
    page.goto(f"{own}/_consent/console")
    assert "Sign out" in page.content()
