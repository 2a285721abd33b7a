"""The consoles' own address, and requests that no person made: what a vendor's script on the same host can try."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.access.guard import COOKIE, FORM_TOKEN_HEADER
from consent_server.access.routes import RIGHTS, ROLES, Right
from consent_server.core.context import Context
from tests.support.cast import token
from tests.support.factories import PUBLIC_URL
from tests.support.people import CAST, OPENED, PASSWORD, Person, token_of

CONSOLES = "https://intern.example:8443"
OWN_COOKIE = f"__Host-{COOKIE}"
# What a browser says of each way in which a script can ask for a page (Fetch Metadata).
BY_SCRIPT = {
    "fetch": ("cors", "empty"),
    "fetch same-origin": ("same-origin", "empty"),
    "fetch no-cors": ("no-cors", "empty"),
    "frame": ("navigate", "iframe"),
    "object": ("navigate", "object"),
    "embed": ("navigate", "embed"),
    "script": ("no-cors", "script"),
    "image": ("no-cors", "image"),
    "half": ("navigate", ""),
}


# What a form of ours fills a frame with.
FRAMED = "/console/sites/shop/settings/preview"


def said(way: str) -> dict[str, str]:
    mode, into = BY_SCRIPT[way]
    return {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": into, "Sec-Fetch-Site": "same-origin"}


def of_consoles(receipt_id: str) -> Iterator[tuple[str, str]]:
    """Every route that a session opens, and every page of the way in."""
    for route, right in RIGHTS.items():
        method, rule = route.split()
        if right in ROLES or right is Right.HOLDER_OR_AUDITOR or rule.startswith("/sign"):
            there = rule.replace("<key>", "shop").replace("<receipt_id>", receipt_id).replace("<link>", receipt_id)
            yield method, there


@pytest.fixture
def apart(app: Flask, services: Context) -> Person:
    """The shop's auditor, signed in on a server whose consoles have an address of their own."""
    services.settings = replace(services.settings, console_url=CONSOLES)
    result = app.test_cli_runner().invoke(args=["user", "create", "ada@example.org", *CAST["ada"]])
    assert result.stdout.startswith(f"{CONSOLES}/sign-in/link?t=")
    ada = Person(app, "ada")
    sent = result.stdout.strip().partition("?t=")[2]
    page = ada.browser.get(f"/sign-in/link?t={sent}", base_url=CONSOLES)
    data = {"form_token": token_of(page.text), "t": sent, "password": PASSWORD, "again": PASSWORD}
    answer = ada.browser.post("/sign-in/link", data=data, base_url=CONSOLES)
    assert (answer.status_code, answer.location) == (303, "/console")
    return ada


def test_a_script_of_the_site_reads_nothing_with_somebodys_session(
    people: dict[str, Person], recorded: list[dict[str, Any]]
) -> None:
    olga = people["olga"]
    form = token_of(olga.open("/console").text)
    receipt_id = recorded[0]["receipt_id"]
    for method, there in of_consoles(receipt_id):
        for way in BY_SCRIPT:
            data = {"form_token": form} if method == "POST" else None
            answer = olga.browser.open(there, method=method, headers=said(way), data=data)
            if (way, there) == ("frame", FRAMED):
                # Of no origin: whoever put it there cannot look into it.
                assert "sandbox allow-scripts; " in answer.headers["Content-Security-Policy"]
                continue
            assert answer.status_code == 403, (way, there)
            assert "form_token" not in answer.text
            assert receipt_id not in answer.text
            assert "Set-Cookie" not in answer.headers
        opened = olga.browser.open(there, method=method, headers=OPENED)
        if opened.status_code == 200 and not there.startswith("/sign"):
            # A window that a script opened is out of its reach, and none of its frames shows it.
            assert opened.headers["Cross-Origin-Opener-Policy"] == "same-origin", there


def test_a_script_without_a_session_learns_no_form_token(app: Flask) -> None:
    for way in BY_SCRIPT:
        answer = app.test_client().get("/sign-in", headers=said(way))
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (403, None), way


def test_a_browser_that_says_nothing_has_no_session_over_https(ada: Person, services: Context) -> None:
    silent = ada.app.test_client()
    silent.set_cookie(COOKIE, ada.cookie)
    assert silent.get("/console").status_code == 403
    assert silent.get("/v1/sites/shop/decisions").status_code == 403
    # Browsers say it to hosts that they trust, and nobody is kept out of a plain http://192.168.0.7.
    services.settings = replace(services.settings, public_url="http://192.168.0.7:8000")
    assert silent.get("/console").status_code == 200
    assert silent.get("/console", headers=said("fetch")).status_code == 403


def test_a_script_of_our_own_page_reads_the_receipt_that_it_checks(ada: Person, recorded: list[dict[str, Any]]) -> None:
    receipt = f"/v1/receipts/{recorded[0]['receipt_id']}"
    page = ada.open(receipt)
    shown = page.text.partition('data-token="')[2].partition('"')[0]
    asked = said("fetch same-origin")
    assert ada.browser.get(f"{receipt}?format=jws", headers=asked | {FORM_TOKEN_HEADER: shown}).status_code == 200
    for sent in ("", "x" * 43, "é"):
        refused = ada.browser.get(f"{receipt}?format=jws", headers=asked | {FORM_TOKEN_HEADER: sent})
        assert refused.get_json()["type"] == "/problems/not-opened"
    # Who holds the link needs no session, and their page gives none away.
    held = ada.open(recorded[0]["receipt_url"].removeprefix(PUBLIC_URL))
    assert "data-token" not in held.text


def test_a_token_needs_no_window(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    headers = token(app, "auditor", "shop") | said("fetch")
    assert client.get("/v1/sites/shop/decisions", headers=headers).status_code == 200


def test_two_sessions_are_none(ada: Person) -> None:
    # A page of a sibling host, or of another path, can add a cookie: whose session it is would be anybody's guess.
    browser = ada.app.test_client(use_cookies=False)
    for pair in (f"{COOKIE}={ada.cookie}; {COOKIE}={'x' * 43}", f"{COOKIE}={'x' * 43}; {COOKIE}={ada.cookie}"):
        answer = browser.get("/console", headers={"Cookie": pair, **OPENED})
        assert (answer.status_code, answer.location) == (303, "/sign-in?next=/console")


def test_consoles_answer_at_their_own_address_and_nowhere_else(
    apart: Person, client: FlaskClient, recorded: list[dict[str, Any]]
) -> None:
    receipt_id = recorded[0]["receipt_id"]
    cookie = apart.browser.get_cookie(OWN_COOKIE, domain="intern.example")
    assert cookie
    assert (cookie.secure, cookie.http_only, cookie.path, cookie.origin_only) == (True, True, "/", True)
    assert apart.browser.get("/console", base_url=CONSOLES).status_code == 200
    assert apart.browser.get("/v1/sites/shop/decisions", base_url=CONSOLES).status_code == 200
    everywhere_else = (PUBLIC_URL, "https://intern.example", "https://intern.example:8444", "https://evil.example:8443")
    for base in everywhere_else:
        for name in (COOKIE, OWN_COOKIE):
            headers = {"Cookie": f"{name}={cookie.value}", **OPENED}
            for method, there in of_consoles(receipt_id):
                answer = client.open(there, method=method, headers=headers, base_url=base)
                if there == "/sign-in" and method == "GET":
                    assert (answer.status_code, answer.location) == (303, f"{CONSOLES}/sign-in")
                else:
                    page = there.startswith(("/console", "/sign"))
                    assert answer.status_code == (404 if page else 401), (base, there)
                assert "Set-Cookie" not in answer.headers


def test_what_is_public_stays_public_and_programs_come_by_either_address(
    apart: Person, client: FlaskClient, recorded: list[dict[str, Any]]
) -> None:
    headers = token(apart.app, "auditor", "shop")
    assert recorded[0]["receipt_url"].startswith(f"{PUBLIC_URL}/v1/receipts/")
    for base in (PUBLIC_URL, CONSOLES):
        for there in (recorded[0]["receipt_url"].removeprefix(PUBLIC_URL), "/widget/shop.js", "/verify", "/docs"):
            assert client.get(there, base_url=base).status_code == 200
        assert client.get("/v1/sites/shop/decisions", headers=headers, base_url=base).status_code == 200


def test_sign_out_and_in_at_the_own_address(apart: Person) -> None:
    page = apart.browser.get("/console", base_url=CONSOLES)
    apart.browser.post("/sign-out", data={"form_token": token_of(page.text)}, base_url=CONSOLES)
    assert apart.browser.get_cookie(OWN_COOKIE, domain="intern.example") is None
    page = apart.browser.get("/sign-in", base_url=CONSOLES)
    data = {"form_token": token_of(page.text), "email": apart.email, "password": PASSWORD}
    assert apart.browser.post("/sign-in", data=data, base_url=CONSOLES).status_code == 303
    assert apart.browser.get("/console", base_url=CONSOLES).status_code == 200


def test_commands_lead_to_the_own_address(apart: Person) -> None:
    runner = apart.app.test_cli_runner()
    assert f"{CONSOLES}/sign-in/link?t=" in runner.invoke(args=["user", "link", apart.email]).stdout
    said = runner.invoke(args=["welcome"]).stdout
    assert f"{CONSOLES}/sign-in/link?t=" in said
    assert f'src="{PUBLIC_URL}/widget/shop.js"' in said
