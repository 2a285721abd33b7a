"""The web servers' files in deploy/, run: what comes through arrives as it was sent, and is by whom it is."""

import http.client
import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.browser.servers import ConsentServer
from tests.deploy.conftest import POSTS
from tests.support.factories import SHOP, Body
from tests.support.web_servers import CONSOLE, OWN, SHOP_PAGE, SITE, VISITORS, Answered, WebServer

TELLTALE = "TELLTALE"
POSTED = {"Origin": SHOP, "Content-Type": "text/plain", "Sec-Fetch-Site": "same-origin"}
# What a web server adds to every answer, or says of the connection and not of the answer.
OF_CONNECTION = {
    "age",
    "alt-svc",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
    "upgrade",
    "via",
}
PREFIX = {OWN: "", SITE: "/_consent", CONSOLE: ""}


def direct(
    consent: ConsentServer, method: str, host: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Answered:
    """The same request, as the server is told of it by a web server that does what the documentation says."""
    told = {"For": next(VISITORS), "Proto": "https", "Host": host, "Prefix": PREFIX[host]}
    asked = http.client.HTTPConnection("127.0.0.1", consent.port, timeout=30)
    asked.request(method, path, body, {**headers, **{f"X-Forwarded-{name}": said for name, said in told.items()}})
    answer = asked.getresponse()
    try:
        return Answered(answer.status, answer.headers, answer.read())
    finally:
        asked.close()


def said(answer: Answered) -> list[str]:
    """All that an answer says of itself, without what is another in each."""
    # A cache may say of what has not changed more than it must (RFC 9110, section 15.4.5).
    passed_over = OF_CONNECTION | ({"content-encoding", "content-language"} if answer.status == 304 else set())
    kept = (f"{name.lower()}: {value}" for name, value in answer.headers.items() if name.lower() not in passed_over)
    kept = (re.sub(r", *", ", ", line) for line in kept)
    return sorted(re.sub(r"(consent-session=|eu-consent=|[Ee]xpires[=:])[^;]+", r"\1…", line) for line in kept)


@pytest.fixture(scope="module")
def receipt(consent: ConsentServer, published: str) -> str:
    """The path of a receipt's link, within the server."""
    answer = direct(consent, "POST", OWN, "/v1/sites/shop/decisions", decision(published), POSTED)
    link: str = json.loads(answer.body)["receipt_url"]
    return urlsplit(link).path.removeprefix("/_consent")


def decision(notice: str, **more: object) -> bytes:
    """What a browser posts."""
    return json.dumps(Body(notice)(**more)).encode()


@pytest.mark.parametrize("host", [OWN, SITE, CONSOLE])
def test_what_the_server_says_arrives_unchanged(
    web: WebServer, consent: ConsentServer, host: str, receipt: str, published: str
) -> None:
    script = direct(consent, "GET", OWN, "/widget/shop.js", None, {"Accept-Encoding": "br"})
    held = {"Accept-Encoding": "br", "If-None-Match": script.headers["ETag"]}
    requests: list[tuple[str, str, bytes | None, Mapping[str, str]]] = [
        *(("GET", "/widget/shop.js", None, {"Accept-Encoding": encoding}) for encoding in ("br", "gzip", "identity")),
        ("GET", "/widget/shop.js", None, held),
        ("GET", "/widget/shop.js?lang=fr", None, {"Accept-Encoding": "gzip, br"}),
        ("HEAD", "/widget/shop.js", None, {}),
        ("GET", f"/v1/notices/{published}", None, {"Accept-Encoding": "gzip"}),
        ("GET", receipt, None, {"Accept": "text/html", "Accept-Encoding": "gzip, br"}),
        ("GET", f"{receipt}?format=jws", None, {}),
        ("GET", "/sites/shop/declaration", None, {"Accept": "text/html"}),
        ("GET", "/.well-known/jwks.json", None, {}),
        ("GET", "/assets/page.css", None, {"Accept-Encoding": "gzip"}),
        ("GET", "/docs", None, {"Accept-Encoding": "gzip"}),
        ("GET", "/nowhere", None, {"Accept": "application/json"}),
        ("GET", "/console", None, {}),
        ("GET", "/sign-in", None, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
        ("OPTIONS", "/v1/sites/shop/decisions", None, {"Origin": SHOP, "Access-Control-Request-Method": "POST"}),
        ("POST", "/v1/sites/shop/decisions", decision(published), POSTED),
        ("POST", "/v1/sites/shop/decisions", b"{}".ljust(9_000), POSTED),
        ("POST", "/v1/sites/shop/decisions", b"{}", {"Origin": "https://elsewhere.example"}),
    ]
    for method, path, body, headers in requests:
        expected = direct(consent, method, host, path, body, headers)
        answer = web.ask(method, host, PREFIX[host] + path, body, headers)
        about = f"{method} {path} {headers}"
        # Posted twice, a decision is one.
        assert (answer.status, expected.status) in {(expected.status,) * 2, (200, 201)}, about
        assert said(answer) == said(expected), about
        # A page for a person has a form's token, or says how far the ledger is.
        assert "text/html" in answer.headers.get("Content-Type", "") or answer.body == expected.body, about


def test_a_path_of_the_site_and_the_site_itself(web: WebServer, consent: ConsentServer, published: str) -> None:
    answer = web.ask("POST", SITE, "/_consent/v1/sites/shop/decisions", decision(published), POSTED)
    assert answer.status == 201
    # The choice is the page's own cookie, and what is given out leads back here.
    assert re.search(r"^eu-consent=.*; Secure;.* Path=/;", answer.headers["Set-Cookie"])
    link = json.loads(answer.body)["receipt_url"]
    assert link.startswith(f"https://{SITE}/_consent/")
    opened = web.ask("GET", SITE, urlsplit(link).path, headers={"Accept": "application/jose"})
    assert opened.body.decode() == json.loads(answer.body)["receipt"]
    assert web.ask("GET", SITE, "/index.html").body.decode() == SHOP_PAGE


def test_the_consoles_are_on_their_own_host_and_404_at_the_public_one(web: WebServer) -> None:
    person = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    page = web.ask("GET", CONSOLE, "/sign-in", headers=person)
    assert page.status == 200
    assert page.headers["Set-Cookie"].startswith("__Host-consent-session=")
    assert web.ask("GET", SITE, "/_consent/console", headers=person).status == 404
    led = web.ask("GET", SITE, "/_consent/sign-in", headers=person)
    assert (led.status, led.headers["Location"]) == (303, f"https://{CONSOLE}/sign-in")


def test_a_visitor_names_neither_address_nor_host_nor_scheme_nor_path(web: WebServer) -> None:
    forged = {"Proto": "http", "Host": "evil.example", "Prefix": "/evil", "Port": "1", "For": "203.0.113.7"}
    headers = {f"X-Forwarded-{name}": value for name, value in forged.items()} | {"Forwarded": "for=203.0.113.7"}
    person = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for host in (OWN, SITE, CONSOLE):
        for path in ("/sign-in", "/sites/shop/choice", "/nowhere"):
            true = web.ask("GET", host, PREFIX[host] + path, headers=person)
            answer = web.ask("GET", host, PREFIX[host] + path, headers=person | headers)
            assert (answer.status, said(answer)) == (true.status, said(true))
            assert b"evil" not in answer.body


def test_a_visitor_has_one_limit_whatever_address_he_makes_up(web: WebServer, published: str) -> None:
    number = 10 + ["nginx", "apache", "caddy"].index(web.name)
    sent = json.dumps({"notice": published, "language": "en"}).encode()

    def post(address: str, forged: str) -> int:
        headers = POSTED | {"X-Forwarded-For": forged, "X-Real-IP": forged, "Forwarded": f"for={forged}"}
        return web.ask("POST", SITE, "/_consent/v1/sites/shop/shown", sent, headers, address).status

    visitor, neighbour = f"127.0.1.{number}", f"127.0.2.{number}"
    assert {post(visitor, f"198.51.100.{each}") for each in range(POSTS)} == {204}
    assert post(visitor, "198.51.100.200") == 429
    assert post(neighbour, visitor) == 204


def test_bodies_are_bounded_and_large_ones_are_refused_in_the_server_s_words(web: WebServer) -> None:
    path = "/_consent/v1/sites/shop/decisions"
    refused = web.ask("POST", SITE, path, b"{}".ljust(20_000), POSTED)
    assert (refused.status, refused.headers["Content-Type"]) == (413, "application/problem+json")
    with web.connect(SITE) as connection:
        connection.sendall(post_head(path, 3_000_000).ljust(50_000))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 413


def post_head(path: str, length: int) -> bytes:
    """How a post begins."""
    said = "".join(f"{name}: {value}\r\n" for name, value in {**POSTED, "Content-Length": length}.items())
    return f"POST {path} HTTP/1.1\r\nHost: {SITE}\r\n{said}\r\n".encode()


def test_a_request_that_never_ends_is_no_request(web: WebServer, consent: ConsentServer) -> None:
    log, path = consent.folder / "server.log", "/_consent/v1/sites/nobody/decisions"
    before = log.read_text("utf-8").count("/v1/sites/nobody/")
    for end in (b"{", b"{}"):
        with web.connect(SITE) as connection:
            connection.sendall(post_head(path, 2) + end)
            if len(end) == 2:
                assert connection.recv(4096).startswith(b"HTTP/1.1 404")
    web.wait_for(lambda: log.read_text("utf-8").count("/v1/sites/nobody/") > before)
    assert log.read_text("utf-8").count("/v1/sites/nobody/") == before + 1


@pytest.mark.parametrize("web", ["nginx"], indirect=True)
def test_one_address_has_so_many_connections_and_others_have_their_own(web: WebServer) -> None:
    path, address = "/_consent/v1/sites/shop/decisions", "127.0.4.1"
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(web.connect(SITE, address)).sendall(post_head(path, 2) + b"{")
        web.wait_for(lambda: web.ask("GET", SITE, "/_consent/healthz", address=address).status == 429)
        assert web.ask("GET", SITE, "/_consent/healthz").status == 200


def test_no_log_says_who_asked(web: WebServer, consent: ConsentServer, receipt: str) -> None:
    address = "127.0.3.77"
    headers = {"User-Agent": TELLTALE, "Referer": f"https://{TELLTALE}.example/", "Cookie": f"eu-consent={TELLTALE}"}
    web.ask("GET", SITE, f"/_consent{receipt}?format={TELLTALE}", None, headers, address)
    web.ask("GET", SITE, f"/_consent{receipt}/proof?format={TELLTALE}", None, headers, address)
    web.ask("GET", OWN, f"/reports/{TELLTALE}", None, headers, address)
    web.ask("GET", OWN, f"/widget/shop.js?{TELLTALE}", None, headers, address)
    web.ask("GET", OWN, f"/verify/{web.name}", None, headers, address)
    web.wait_for(lambda: f"/verify/{web.name}" in web.logs())
    logs = web.logs()
    assert "/_consent/v1/receipts/-" in logs
    for trace in (TELLTALE, address, receipt.rpartition(".")[2]):
        assert trace not in logs, trace


def test_who_comes_without_tls_is_led_to_it(web: WebServer) -> None:
    asked = http.client.HTTPConnection("127.0.0.1", web.plain, timeout=30)
    asked.request("GET", "/widget/shop.js?lang=fr", headers={"Host": OWN})
    answer = asked.getresponse()
    assert answer.status in (301, 308)
    assert answer.headers["Location"].startswith(f"https://{OWN}")
    assert answer.headers["Location"].endswith("/widget/shop.js?lang=fr")
    asked.close()
