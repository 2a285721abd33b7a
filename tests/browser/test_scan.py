"""The scanner on sites that do well and badly; every host is this machine, so that nothing goes out."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consent_server.core.times import utc_now
from consent_server.scans.devtools import Devtools, open_browser
from consent_server.scans.rules import Scan, State
from consent_server.scans.rules_summary import verdicts
from consent_server.scans.scan import Wanted, scan_in
from consent_server.scans.write_json import scan_json
from consent_server.widget.chromium import Chromium
from tests.support import openapi, scanned_site
from tests.support.process import free_port

from .servers import ROOT, Answer, ConsentServer, PageServer

SITE = "https://shop.test/"
SCHEMA = json.loads((ROOT / "docs" / "formats" / "scan.schema.json").read_text("utf-8"))
ALL = {"before", "refusal", "withdrawal", "notice", "consent-mode", "fairness"}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def site(port: int, server: ConsentServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """All hosts but this machine's own: the site and its vendors, by path alone."""
    served = PageServer(tmp_path_factory.mktemp("scanned"), "shop.test", port, server.port)
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture(scope="module")
def opened(port: int) -> Iterator[Devtools]:
    """One browser for all."""
    flags = (f"--host-resolver-rules=MAP * 127.0.0.1:{port}, EXCLUDE 127.0.0.1", "--ignore-certificate-errors")
    with open_browser(Chromium.find(None), flags) as browser:
        yield browser


@pytest.fixture
def scan(opened: Devtools, site: PageServer) -> Callable[..., Scan]:
    def scan(page: str, pages: int = 1, **more: Answer) -> Scan:
        site.answers.clear()
        site.answers |= {"/": Answer(page), "/en_US/fbevents.js": Answer(scanned_site.PIXEL_SCRIPT, "text/javascript")}
        site.answers |= {f"/{name}": answer for name, answer in more.items()}
        return scan_in(opened, Wanted((SITE,), pages, timeout=10, quiet=0.3), utc_now)

    return scan


def answers(scan: Scan) -> dict[str, str]:
    return {verdict.key: verdict.answer for verdict in verdicts(scan)}


def standing_alone(node: Any) -> Any:
    """A part of the schema with what its references lead to."""
    if isinstance(node, list):
        return [standing_alone(one) for one in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        return standing_alone(SCHEMA["$defs"][reference.removeprefix("#/$defs/")])
    return {key: standing_alone(inner) for key, inner in node.items()}


def misfits(scan: Scan) -> list[str]:
    """Where its JSON is not as the published schema says."""
    return openapi.misfits(standing_alone(SCHEMA), json.loads(json.dumps(scan_json(scan))))


def wrong(scan: Scan) -> dict[str, str | None]:
    return {finding.rule: finding.vendor for finding in scan.wrong}


def test_a_site_that_does_well(scan: Callable[..., Scan]) -> None:
    done = scan(scanned_site.CLEAN)
    assert done.banner
    assert (done.banner.tool, done.unseen, done.wrong) == ("generic", (), [])
    assert (wrong(done), set(done.seen), set(done.pictures)) == ({}, set(State), set(State))
    assert answers(done) == dict.fromkeys(ALL, "good") | {"notice": "none", "consent-mode": "none"}
    granted = done.seen[State.GRANTED]
    (cookie,) = granted.cookies
    assert (cookie.name, cookie.first_party, cookie.owner.key) == ("_fbp", True, "meta-pixel")
    assert cookie.set_by == scanned_site.PIXEL
    assert cookie.seconds
    assert abs(cookie.seconds - 7776000) < 60
    assert {request.host: request.owner.key for request in granted.requests if not request.first_party} == {
        "connect.facebook.net": "meta-pixel",
        "www.facebook.com": "meta-pixel",
    }
    assert misfits(done) == []
    # Not a value, nor what an address carries.
    assert "123456789" not in str(done)
    assert "PageView" not in str(done)


def test_a_site_that_loads_before_a_choice(scan: Callable[..., Scan]) -> None:
    done = scan(scanned_site.LOADS_BEFORE)
    assert (done.exit_code, wrong(done)["loads-before-choice"]) == (1, "meta-pixel")
    assert answers(done)["before"] == "wrong"
    (finding,) = [one for one in done.wrong if one.rule == "loads-before-choice"]
    assert any("connect.facebook.net/en_US/fbevents.js" in line for line in finding.evidence)
    assert any("cookie _fbp" in line for line in finding.evidence)


def test_a_site_that_ignores_a_refusal(scan: Callable[..., Scan]) -> None:
    done = scan(scanned_site.IGNORES_REFUSAL)
    assert (done.exit_code, wrong(done)["ignores-refusal"]) == (1, "meta-pixel")
    assert (answers(done)["before"], answers(done)["refusal"]) == ("good", "wrong")


def test_a_site_that_leaves_cookies_after_a_withdrawal(scan: Callable[..., Scan]) -> None:
    done = scan(scanned_site.LEAVES_COOKIES)
    assert (done.exit_code, wrong(done)) == (1, {"stays-after-withdrawal": "meta-pixel"})
    assert answers(done) == answers(done) | {"before": "good", "refusal": "good", "withdrawal": "wrong"}


def test_a_site_without_a_banner(scan: Callable[..., Scan]) -> None:
    plain, pixel = scan(scanned_site.NO_BANNER), scan(scanned_site.NO_BANNER_PIXEL)
    for done in (plain, pixel):
        assert (done.banner, set(done.seen)) == (None, {State.BEFORE})
        assert (answers(done)["refusal"], misfits(done)) == ("none", [])
    assert (plain.exit_code, pixel.exit_code, wrong(pixel)) == (0, 1, {"loads-before-choice": "meta-pixel"})


def test_further_pages_are_found_as_robots_may_find_them(scan: Callable[..., Scan]) -> None:
    linked = f'{scanned_site.NO_BANNER}<a href="/second#top">2</a> <a href="/hidden">h</a> <a href="/a.pdf">f</a>'
    robots = Answer("User-agent: *\nDisallow: /hidden\n", "text/plain")
    sitemap = Answer(f"<urlset><url><loc>{SITE}first</loc></url></urlset>", "application/xml")
    more = {"robots.txt": robots, "sitemap.xml": sitemap, "first": Answer(linked), "second": Answer(linked)}
    done = scan(linked, 5, **more)
    assert done.seen[State.BEFORE].pages == (SITE, f"{SITE}first", f"{SITE}second")
    assert (done.exit_code, [SITE + "hidden" in said for said in done.unseen]) == (2, [True])


def test_the_demo_shop_is_clean(opened: Devtools, site: PageServer, server: ConsentServer) -> None:
    site.answers.clear()
    environment = {**os.environ, "DEMO_PORT": str(free_port()), "CONSENT_URL": server.url}
    command, before = [sys.executable, "examples/shop/serve.py"], len(server.receipts("callbell"))
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as shop:
        assert shop.stdout
        url = shop.stdout.readline().removeprefix("demo shop: ").strip()
        done = scan_in(opened, Wanted((f"{url}/",), 1, timeout=10, quiet=0.3), utc_now)
        shop.terminate()
    assert done.banner
    assert (done.banner.tool, done.wrong, done.unseen) == ("consent-widget", [], ())
    assert answers(done) == dict.fromkeys(ALL, "good") | {"notice": "note"}
    assert misfits(done) == []
    # No scan is a visitor.
    assert len(server.receipts("callbell")) == before
