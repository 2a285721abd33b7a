"""The pages of the consoles, asked by everybody. That no route is forgotten is for test_routes.py."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.access.routes import RIGHTS, Right
from consent_server.access.rules import Access, Role, grants_of
from consent_server.core.context import Context
from consent_server.people import store as users
from tests.support.cast import token
from tests.support.factories import Clock
from tests.support.people import HTML, Person, browser_of, token_of

# Status for each of the cast, on the shop.
ANSWERED = {
    Right.SIGNED_IN: {"olga": 200, "max": 200, "ada": 200, "rita": 200},
    Right.OPERATOR: {"olga": 200, "max": 403, "ada": 403, "rita": 403},
    Right.AUDITOR: {"olga": 200, "max": 403, "ada": 200, "rita": 403},
    Right.MARKETER: {"olga": 200, "max": 200, "ada": 403, "rita": 403},
}
# What needs more than a site with records: an experiment, a scan, a request, and to be read to its end.
ELSEWHERE = (
    "GET /v1/sites/<key>/experiment",
    "GET /v1/sites/<key>/evidence",
    "GET /console/sites/<key>/scans/<number>",
    "GET /console/sites/<key>/erasure-requests/<receipt_id>",
)
PAGES = {
    route.removeprefix("GET "): right
    for route, right in RIGHTS.items()
    if right in ANSWERED and route.startswith("GET ") and route not in ELSEWHERE
}
FORMS = {"/console/sites/shop/find", "/console/sites/shop/rates/link"}


def of(path: str, site: str, answer: dict[str, Any]) -> str:
    return path.replace("<number>", "1").replace("<key>", site).replace("<receipt_id>", answer["receipt_id"])


def test_everybody_sees_what_their_role_allows(people: dict[str, Person], recorded: list[dict[str, Any]]) -> None:
    for path, right in PAGES.items():
        for name, status in ANSWERED[right].items():
            response = people[name].browser.get(of(path, "shop", recorded[0]), headers=HTML, follow_redirects=True)
            # Whatever her role may do, the shop is not hers.
            expected = 403 if name == "rita" and "<key>" in path else status
            assert response.status_code == expected, (name, path)
            assert response.headers["Cache-Control"] in ("no-store", "private, no-store"), path


def test_only_the_rivals_auditor_sees_the_rival(people: dict[str, Person], recorded: list[dict[str, Any]]) -> None:
    for path, right in ((path, right) for path, right in PAGES.items() if "<key>" in path):
        rita = 200 if right in (Right.AUDITOR, Right.SIGNED_IN) else 403
        for name, status in {"olga": 200, "max": 403, "ada": 403, "rita": rita}.items():
            response = people[name].browser.get(of(path, "rival", recorded[-1]), headers=HTML, follow_redirects=True)
            assert response.status_code == status, (name, path)
    assert "rival" not in people["ada"].open("/console").text
    assert "Example Shop" in people["ada"].open("/console").text


def test_a_record_of_another_site_is_not_there(people: dict[str, Person], recorded: list[dict[str, Any]]) -> None:
    theirs = recorded[-1]
    assert people["ada"].open(f"/console/sites/shop/records/{theirs['receipt_id']}").status_code == 404
    page = people["ada"].send(
        "/console/sites/shop/find", {"receipt": theirs["receipt"]}, at="/console/sites/shop/records"
    )
    assert page.status_code == 422
    assert "of another site" in page.text


def test_nobody_gets_nothing(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    for path in PAGES:
        there = of(path, "shop", recorded[0])
        response = client.get(there, headers=HTML)
        if not path.startswith("/console"):
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="consent"'
            problem = client.get(there).get_json()
            assert (problem["type"], problem["status"]) == ("/problems/unauthenticated", 401)
        else:
            assert response.status_code == 303
            assert response.location.startswith("/sign-in?next=%2Fconsole") or response.location.startswith(
                "/sign-in?next=/console"
            )
    form = token_of(browser_of(app).get("/sign-in").text)
    for path in FORMS:
        assert client.post(path, data={"form_token": form}).status_code == 403


def test_wrong_role_and_wrong_site_are_said_alike(people: dict[str, Person]) -> None:
    for name, path in (("max", "shop"), ("rita", "shop"), ("rita", "nowhere"), ("ada", "%00"), ("ada", "<b>")):
        response = people[name].browser.get(f"/v1/sites/{path}/decisions")
        problem = response.get_json()
        assert (response.status_code, problem["type"]) == (403, "/problems/forbidden")
    # Whether a site is there at all is told to nobody who may not see it.
    details = {people["rita"].browser.get(f"/v1/sites/{key}/decisions").get_json()["detail"] for key in ("shop", "no")}
    assert len(details) == 1
    assert people["olga"].browser.get("/v1/sites/nowhere/decisions").status_code == 404


@pytest.mark.parametrize(
    ("role", "sites", "status"),
    [
        ("operator", (), 200), ("auditor", (), 200), ("auditor", ("shop",), 200), ("auditor", ("rival", "shop"), 200),
        ("auditor", ("rival",), 403), ("marketer", (), 403), ("operator", ("rival",), 403),
        ("operator", ("shop",), 200),
    ],
)  # fmt: skip
def test_tokens(app: Flask, client: FlaskClient, role: str, sites: tuple[str, ...], status: int) -> None:
    response = client.get("/v1/sites/shop/decisions", headers=token(app, role, *sites))
    assert response.status_code == status


@pytest.mark.on_both_databases
def test_a_token_is_kept_as_a_hash_and_its_use_as_a_day(
    app: Flask, client: FlaskClient, services: Context, clock: Clock
) -> None:
    headers = token(app, "auditor")
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert len(secret.removeprefix("consent_")) == 43
    for _ in range(2):
        clock.advance(minutes=3)
        assert client.get("/v1/sites/shop/decisions", headers=headers).status_code == 200
    database = services.settings.instance / "consent.sqlite3"
    for file in services.settings.instance.glob("consent.sqlite3*"):
        assert secret.encode() not in file.read_bytes()
        assert secret.removeprefix("consent_").encode() not in file.read_bytes()
    with services.database.reading() as session:
        (row,) = users.tokens(session)
        assert secret not in repr(vars(row))
        assert row.last_used_on == clock().date()
    assert database.exists() == services.database.embedded


@pytest.mark.on_both_databases
def test_a_revoked_token_is_worthless_at_once(app: Flask, client: FlaskClient) -> None:
    headers, runner = token(app, "auditor"), app.test_cli_runner()
    assert client.get("/v1/sites/shop/decisions", headers=headers).status_code == 200
    number = runner.invoke(args=["token", "list"]).stdout.partition("\t")[0]
    assert runner.invoke(args=["token", "revoke", number]).stdout == "a program revoked\n"
    response = client.get("/v1/sites/shop/decisions", headers=headers)
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers
    assert runner.invoke(args=["token", "list"]).stdout == (
        f"{number}\ta program\tauditor\tall sites\tmade 2026-11-23\tused 2026-11-23\trevoked 2026-11-23\n"
    )


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "Bearer x", "Bearer é", "bearer \x7f", "Bearer " + "a" * 5000])
def test_what_is_no_token(client: FlaskClient, sent: str) -> None:
    assert client.get("/v1/sites/shop/decisions", headers={"Authorization": sent}).status_code == 401


def test_a_wrong_token_is_not_mended_by_a_session(ada: Person) -> None:
    path = "/v1/sites/shop/decisions"
    assert ada.browser.get(path).status_code == 200
    assert ada.browser.get(path, headers={"Authorization": "Bearer x"}).status_code == 401
    # A proxy's own password is none of ours.
    assert ada.browser.get(path, headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_public_routes_stay_free_of_it(people: dict[str, Person], client: FlaskClient, body: Any) -> None:
    response = client.post(
        "/v1/sites/shop/decisions", json=body(), headers={"Origin": "https://shop.example", "Authorization": "Bearer x"}
    )
    assert response.status_code == 201
    assert "Set-Cookie" not in response.headers
    found = people["ada"].browser.get("/v1/sites/shop/decisions", headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in found.headers


@pytest.mark.parametrize("role", list(Role))
def test_roles(role: Role) -> None:
    assert Access("x", grants_of(role, None)).sees("any")
    assert not Access("x", grants_of(role, [])).sees("any")
    assert [wanted for wanted in Role if Access("x", grants_of(role, None)).has(wanted)] == (
        list(Role) if role is Role.OPERATOR else [role]
    )


OF_ALL_SITES = ("Home", "People", "Tokens", "Look-ups")


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("olga", ["Rates", "Experiment", "Records", "Spot check", "Gaps", "Erasure", "Scans", "Settings"]),
        ("max", ["Rates", "Experiment"]),
        ("ada", ["Records", "Spot check", "Gaps"]),
    ],
)
def test_what_a_role_is_offered_stands_in_one_order(people: dict[str, Person], name: str, offered: list[str]) -> None:
    bar = people[name].open("/console/sites/shop").text.partition("<nav")[2].partition("</nav>")[0]
    named = [words for words in re.findall(r"<span>([^<]+)</span>", bar) if words not in OF_ALL_SITES]
    assert named == offered
