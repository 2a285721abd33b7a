"""`consent doctor`: what it looks at, what it says of it, how it exits, and whom it never asks."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from consent_server.core import outgoing
from consent_server.core.context import Context
from consent_server.core.resources import ROOT
from consent_server.core.settings import NAMES, unknown_settings
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.sites import catalogue
from consent_server.sites.rules_places import Place
from tests.support.factories import PUBLIC_URL, TABLES, TOP, Body, Clock, site_file
from tests.support.sites import Apply
from tests.support.visitor import post


@dataclass
class Pages:
    """Pages of this machine: status, headers and text by path, and what was asked for."""

    port: int = 0
    answers: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, path: str, body: str, status: int = 200, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (status, {"Content-Type": "text/html; charset=utf-8"} | named, body)
        return self.url + path


@pytest.fixture
def pages() -> Iterator[Pages]:
    served = Pages()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            status, headers, body = served.answers.get(self.path, (404, {"Content-Type": "text/plain"}, "nothing"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tag(pages: Pages, client: FlaskClient) -> str:
    """The tag of the shop, from a proxy of the page's own host."""
    pages.serve("/_consent/widget/shop.js", client.get("/widget/shop.js").text, Content_Type="text/javascript")
    return '<script async src="/_consent/widget/shop.js"></script>'


@pytest.fixture(autouse=True)
def behind_a_proxy(services: Context, pages: Pages) -> None:
    """As docs/servers.md has it, at a path of the pages' own host."""
    services.settings = replace(services.settings, trusted_proxies=1, public_url=f"{pages.url}/_consent")


def doctor(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["doctor", *args])


def test_a_region_whose_law_nobody_looked_at_for_a_year(
    app: Flask, services: Context, apply_site: Apply, clock: Clock
) -> None:
    apply_site(site_file(tables=f'{TABLES}[[regions]]\nkey = "ca"\nplaces = ["US-CA"]\nrule = "opt-out"\n'))
    reviewed = catalogue.places().of(Place("US", "US-CA")).reviewed
    told = {}
    for days in (365, 366):
        clock.at = datetime(reviewed.year, reviewed.month, reviewed.day, tzinfo=UTC) + timedelta(days=days)
        told[days] = [line for line in doctor(app).output.splitlines() if "California" in line]
    assert told[365] == []
    assert [f"{reviewed}" in line for line in told[366]] == [True]


def test_where_nothing_is_wrong(app: Flask, client: FlaskClient, body: Body, pages: Pages, tag: str) -> None:
    post(client, body())
    page = pages.serve("/", f"<head>{tag}</head>")
    result = doctor(app, "shop", "--page", page)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split(":")[0] for line in result.output.splitlines()] == [
        "ok     database", "ok     shop", "ok     shop", "ok     http",
    ]  # fmt: skip
    assert "The last decision was recorded on 2026-11-23 at 17:00 UTC." in result.output
    assert pages.asked == ["/", "/_consent/widget/shop.js"]


def test_nothing_in_front(app: Flask, services: Context) -> None:
    services.settings = replace(services.settings, trusted_proxies=0, public_url=PUBLIC_URL)
    result = doctor(app)
    assert result.exit_code == 1
    assert result.output.startswith("wrong  settings: CONSENT_TRUSTED_PROXIES is 0, yet the public address is not")
    services.settings = replace(services.settings, public_url="http://127.0.0.1:8000")
    assert "CONSENT_TRUSTED_PROXIES" not in doctor(app).output


def test_a_public_address_that_is_not_reached_from_here(app: Flask, services: Context) -> None:
    services.settings = replace(services.settings, public_url="https://nobody.invalid")
    result = doctor(app)
    assert result.exit_code == 0
    assert result.output.startswith("note   https://nobody.invalid: What the web server in front says of visitors was")


def test_of_all_sites_no_page_is_asked(app: Flask) -> None:
    result = doctor(app)
    assert result.exit_code == 0
    assert "note   rival: No decision has been recorded yet." in result.output
    assert "http" not in result.output


def test_refused_posts_are_told_with_their_mend(app: Flask, client: FlaskClient, body: Body, services: Context) -> None:
    for _ in range(3):
        post(client, body(), origin="http://localhost:8310")
    services[RefusedPosts].write()
    result = doctor(app)
    assert result.exit_code == 1
    said = "wrong  shop: In the last 7 days 3 posts refused from http://localhost:8310: if its pages are yours, add it"
    assert said in result.output


def test_a_page_with_mistakes(app: Flask, pages: Pages, tag: str) -> None:
    policy = "default-src 'self'; connect-src 'none'"
    page = pages.serve("/", f"<head>{tag}\n<iframe src='https://www.youtube.com/embed/x'></iframe>",
                       Content_Security_Policy=policy)  # fmt: skip
    result = doctor(app, "shop", "--page", page)
    assert result.exit_code == 1
    assert f"wrong  {page}: line 2: <iframe> of https://www.youtube.com/embed/x loads youtube" in result.output
    assert f"wrong  {page}: The policy does not let the page post decisions" in result.output


TEN_MISTAKES = """<head><script src="/theme.js"></script>
{tag}
{tag}
<script async src="https://consent.example/widget/shpo.js"></script>
<script>gtag("config", "G-ABCD123456")</script></head>
<body><iframe src="https://www.youtube.com/embed/x"></iframe>
<script type="text/plain" data-consent="analitics" src="/a.js"></script>
<div data-consent="meta-pixle"></div>
<a data-conversion="singup">Sign up</a>"""


def test_ten_mistakes_are_each_told_once(app: Flask, apply_site: Apply, pages: Pages, tag: str) -> None:
    apply_site(site_file(TOP.replace(', "http://127.0.0.1:*"', "")))
    policy = "script-src 'self' 'unsafe-inline'; connect-src 'none'; img-src https:"
    page = pages.serve("/", TEN_MISTAKES.format(tag=tag), Content_Security_Policy=policy)
    result = doctor(app, "shop", "--page", page)
    assert result.exit_code == 1
    for mistake in (
        "is not among the site's `origins`", "line 2: 1 script stands before the tag", "line 3: the tag is there a",
        "line 4: there is no site `shpo`", "line 5: a snippet of google-analytics is left over", "line 6: <iframe> of ",
        "line 7: `data-consent=analitics`", "line 8: `data-consent=meta-pixle`", "line 9: `data-conversion=singup`",
        "does not let the page post decisions",
    ):  # fmt: skip
        assert result.output.count(mistake) == 1, mistake
    # What is wrong with the page is these; the rest says what the policy would stop later.
    told = [line for line in result.output.splitlines() if line.startswith("wrong")]
    assert len(told) == 9


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/elsewhere.example", "answers 404 (text/plain) and not the script"),
        ("https://evil.example", "is loaded from evil.example, which is neither this server (http://127.0.0.1:"),
        ("http://127.0.0.1:9", "does not answer: it cannot be reached"),
    ],
)
def test_a_tag_without_its_script(app: Flask, pages: Pages, address: str, said: str) -> None:
    page = pages.serve("/", f'<head><script async src="{address}/widget/shop.js"></script>')
    result = doctor(app, "shop", "--page", page)
    assert result.exit_code == 1
    assert said in result.output


def test_an_old_copy_of_the_script_is_noted(app: Flask, pages: Pages, tag: str) -> None:
    pages.serve("/_consent/widget/shop.js", "(old)", Content_Type="text/javascript")
    result = doctor(app, "shop", "--page", pages.serve("/", f"<head>{tag}"))
    assert result.exit_code == 0
    assert "another notice than the one in force" in result.output


def test_a_page_that_is_none(app: Flask, pages: Pages, tag: str) -> None:
    for status, kind, said in ((404, "text/html", "The page answers 404."), (200, "image/png", "but image/png.")):
        result = doctor(app, "shop", "--page", pages.serve("/", f"<head>{tag}", status, Content_Type=kind))
        assert result.exit_code == 1
        assert said in result.output


def test_a_page_whose_origin_the_site_file_lacks(app: Flask, apply_site: Apply, pages: Pages, tag: str) -> None:
    apply_site(site_file(TOP.replace(', "http://127.0.0.1:*"', "")))
    result = doctor(app, "shop", "--page", pages.serve("/", f"<head>{tag}"))
    assert result.exit_code == 1
    assert f"{pages.url} is not among the site's `origins`" in result.output


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "http://10.0.0.1/", "file:///etc/passwd", "https://u:p@shop.example/", "//x", "x",
             "http://127.0.0.1.evil.example/", "https://shop.example.evil.example/", "http://[::1"],
)  # fmt: skip
def test_no_other_host_is_asked(app: Flask, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "get", lambda *_: pytest.fail("something was asked"))
    result = doctor(app, "shop", "--page", page)
    assert result.exit_code == 2
    assert "on this machine or on an origin of the site: https://shop.example" in result.stderr


def test_a_redirect_leads_nowhere_else(app: Flask, pages: Pages, tag: str) -> None:
    pages.serve("/right", f"<head>{tag}")
    for target, code, said in (
        ("/right", 0, "The tag of shop is there once"),
        ("https://evil.example/", 1, "it leads to https://evil.example/, which is neither"),
        ("file:///etc/passwd", 1, "it leads to file:///etc/passwd"),
        ("/", 1, "it redirects more than 5 times"),
    ):
        page = pages.serve("/", "", 302, Location=target)
        result = doctor(app, "shop", "--page", page)
        assert (result.exit_code, said in result.output) == (code, True), result.output


def test_a_page_nobody_named_may_be_out_of_reach(
    app: Flask, apply_site: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(*_: object) -> None:
        raise outgoing.Unanswered("it cannot be reached")

    monkeypatch.setattr(outgoing, "get", unanswered)
    result = doctor(app, "shop")
    assert (result.exit_code, "note   https://shop.example/: The page cannot" in result.output) == (0, True)
    apply_site(site_file(TOP.replace('"https://shop.example", ', "")))
    result = doctor(app, "shop")
    assert (result.exit_code, "name one with --page" in result.output) == (0, True)


def test_what_was_typed_wrong(app: Flask) -> None:
    assert doctor(app, "--page", "http://127.0.0.1/").exit_code == 2
    assert doctor(app, "nowhere").exit_code == 1


@pytest.mark.on_both_databases
def test_a_database_without_every_migration(app: Flask, services: Context) -> None:
    engine = services.database.engine
    with engine.begin() as connection:
        newest = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0014'"))
    try:
        result = doctor(app, "shop")
    finally:
        # On PostgreSQL the next test gets the same database, emptied of all but this.
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
    assert result.exit_code == 1
    assert result.output.startswith("wrong  database: The database is missing migrations. Run: ")
    assert len(result.output.splitlines()) == 1


def test_a_name_that_is_no_setting(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSENT_PUBLIC_ULR", "https://x.example")
    result = doctor(app)
    assert result.exit_code == 1
    assert "CONSENT_PUBLIC_ULR is none of them and has no effect. Did you mean `CONSENT_PUBLIC_URL`?" in result.output


def test_every_setting_is_known() -> None:
    documented = re.findall(r"^\| `(CONSENT_[A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text("utf-8"), re.M)
    assert set(documented) == NAMES
    assert unknown_settings(dict.fromkeys([*documented, "PATH", "CONSENT_X"], "")) == ["CONSENT_X"]
