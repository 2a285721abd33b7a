"""By a receipt's link alone: withdraw from whatever device."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import RFC_4122, UUID, uuid5

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from consent_server.core.context import Context, context_of
from consent_server.decisions.rows import TallyRow
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.receipts.withdraw import PURPOSE, withdrawal_id
from consent_server.sites.rules_cookie import NAME
from tests.support import jose
from tests.support.cast import token
from tests.support.factories import TOP, Body, Clock, site_file
from tests.support.receipt_page import HTML, has_button, page, path, press
from tests.support.sites import Apply
from tests.support.visitor import post, rows


def withdrawals(services: Context) -> int:
    with services.database.reading() as session:
        query = select(func.coalesce(func.sum(TallyRow.count), 0)).where(TallyRow.outcome == "withdrawal")
        return int(session.scalar(query) or 0)


@pytest.mark.on_both_databases
def test_a_withdrawal_by_link_is_a_decision_like_any_other(
    app: Flask, client: FlaskClient, services: Context, grant: dict[str, Any], clock: Clock
) -> None:
    clock.advance(days=3)
    answer = press(client, grant)
    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"
    # A path: the page's policy lets its forms lead nowhere but to this host.
    assert answer.location.startswith("/v1/receipts/")
    assert answer.location != path(grant)
    first, second = rows(services)
    assert (second.action, second.method, second.change, second.gpc) == ("withdraw", "api", True, False)
    assert (second.visitor, second.notice_id, second.site_id) == (first.visitor, first.notice_id, first.site_id)
    assert (second.granted, second.recorded_at) == ("", clock().replace(microsecond=250_000))
    claims = client.get(answer.location).get_json()
    of_first = jose.claims(grant["receipt"])
    same = ("notice", "language", "page", "widget", "site", "withdraw")
    assert {name: claims[name] for name in same} == {name: of_first[name] for name in same}
    assert "sub" not in claims
    assert set(claims["grants"].values()) == set(claims["vendors"].values()) == {False}
    assert withdrawals(services) == 1
    assert app.test_cli_runner().invoke(args=["ledger", "seal"]).exit_code == 0
    receipt = client.get(f"{answer.location}?format=jws").text
    assert client.post("/v1/receipts/verify", json={"receipt": receipt}).get_json()["valid"]
    assert app.test_cli_runner().invoke(args=["ledger", "check", "shop"]).exit_code == 0


@pytest.mark.on_both_databases
def test_nobody_can_take_the_place_of_a_withdrawal(
    client: FlaskClient, services: Context, body: Body, grant: dict[str, Any]
) -> None:
    # The id that versions up to 0.3 derived from the receipt's, which anybody could.
    earlier = uuid5(UUID("7b3f6d1e-5a0c-5f0e-9b1a-2f4f6c8e0d57"), grant["receipt_id"])
    assert post(client, body.refusal(decision_id=str(earlier))).status_code == 201
    assert press(client, grant).status_code == 303
    assert not has_button(page(client, grant))
    (row,) = [row for row in rows(services) if row.action == "withdraw"]
    assert (row.decision_id.version, row.decision_id.variant) == (8, RFC_4122)
    assert str(row.visitor) == jose.claims(grant["receipt"])["sub"]


def test_a_withdrawal_is_recorded_whatever_stands_under_its_id(
    client: FlaskClient, services: Context, body: Body, grant: dict[str, Any], app: Flask
) -> None:
    key = context_of(app).signer(PURPOSE)
    taken = body.refusal(decision_id=str(withdrawal_id(key, grant["receipt_id"])))
    assert post(client, taken).status_code == 201
    assert press(client, grant).status_code == 303
    assert not has_button(page(client, grant))
    assert [row.action for row in rows(services)] == ["save", "refuse_all", "withdraw"]


def test_pressed_twice_it_counts_once(client: FlaskClient, services: Context, grant: dict[str, Any]) -> None:
    assert has_button(page(client, grant))
    assert press(client, grant).status_code == 303
    again = press(client, grant)
    assert (again.status_code, again.location) == (303, path(grant))
    assert len(rows(services)) == 2
    assert withdrawals(services) == 1
    shown = page(client, grant)
    assert not has_button(shown)
    assert "plus rien n’est accepté" in shown


@pytest.mark.on_both_databases
def test_each_receipt_of_a_visitor_withdraws_what_stands(
    client: FlaskClient, services: Context, body: Body, grant: dict[str, Any]
) -> None:
    later = post(client, body(visitor=grant["visitor"], change=True)).get_json()
    shown = page(client, grant)
    assert "a remplacé celui-ci" in shown
    assert has_button(shown)
    press(client, grant)
    assert not has_button(page(client, later))
    # Granted anew in the browser that kept its copy: the same link withdraws that too.
    post(client, body(visitor=grant["visitor"], change=True))
    assert has_button(page(client, grant))
    press(client, later)
    assert [row.action for row in rows(services)] == ["save", "accept_all", "withdraw", "accept_all", "withdraw"]
    assert withdrawals(services) == 2


def test_what_grants_nothing_has_no_button(
    client: FlaskClient, services: Context, body: Body, grant: dict[str, Any], clock: Clock
) -> None:
    refusal = post(client, body.refusal(language="fr")).get_json()
    assert "Vous n’avez rien accepté" in page(client, refusal)
    clock.advance(days=180)
    expired = page(client, grant)
    assert "Ce choix a pris fin le" in expired
    for said, shown in ((refusal, page(client, refusal)), (grant, expired)):
        assert not has_button(shown)
        answer = press(client, said)
        assert (answer.status_code, answer.location) == (303, path(said))
    assert len(rows(services)) == 2


def test_a_withdrawal_in_the_browser_is_told_by_the_page(
    client: FlaskClient, body: Body, grant: dict[str, Any]
) -> None:
    sent = body.refusal(visitor=grant["visitor"], change=True)
    taken_back = post(client, sent | {"action": "withdraw", "method": "preferences"}).get_json()
    for said in (grant, taken_back):
        shown = page(client, said)
        assert not has_button(shown)
        # What is said of another browser's copy is for who withdrew here.
        assert "Ce que cette page ne peut pas faire" not in shown


def test_looking_changes_nothing(client: FlaskClient, services: Context, grant: dict[str, Any]) -> None:
    for what in ("", "/withdrawal", "/erasure", "/proof", "?format=html"):
        for headers in (HTML, {"Purpose": "prefetch"}, {"User-Agent": "Googlebot/2.1"}):
            client.get(path(grant) + what, headers=headers)
            client.head(path(grant) + what, headers=headers)
    assert client.get(path(grant) + "/withdrawal").status_code == 405
    assert len(rows(services)) == 1
    assert read_erasure_requests(services.database) == []


@pytest.mark.parametrize("what", ["withdrawal", "erasure"])
def test_only_the_signed_link_is_enough(
    app: Flask, client: FlaskClient, services: Context, body: Body, grant: dict[str, Any], what: str
) -> None:
    other = post(client, body()).get_json()
    signature = path(grant).rpartition(".")[2]
    bare = f"/v1/receipts/{grant['receipt_id']}"
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    for wrong, status in (
        (bare, 401), (f"{bare}.", 404), (f"{bare}.{signature[:-1]}x", 404),
        (f"/v1/receipts/{other['receipt_id']}.{signature}", 404), ("/v1/receipts/x", 401),
    ):  # fmt: skip
        assert client.post(f"{wrong}/{what}", headers=foreign).status_code == status, wrong
    # Who may read a receipt for their work may not act for the visitor.
    assert client.post(f"{bare}/{what}", headers=token(app, "operator")).status_code == 401
    assert "<form" not in client.get(f"{bare}?format=html", headers=token(app, "auditor")).text
    assert len(rows(services)) == 2
    assert read_erasure_requests(services.database) == []


def test_a_browser_s_signal_is_recorded(client: FlaskClient, services: Context, grant: dict[str, Any]) -> None:
    press(client, grant, **{"Sec-GPC": "1"})
    assert rows(services)[-1].gpc is True


def choice_set(response: TestResponse) -> dict[str, str] | None:
    header = response.headers.get("Set-Cookie")
    return dict(parse_qsl(header.partition("=")[2].partition(";")[0])) if header else None


def test_the_copy_on_the_site_s_own_host_follows(
    client: FlaskClient, body: Body, grant: dict[str, Any], clock: Clock
) -> None:
    def opened(identifier: str) -> TestResponse:
        cookie = f"{NAME}=v=1&t=1&n=0123456789abcdef&p.analytics=1&p.advertising=0&i={identifier}"
        return client.get(path(grant), headers=HTML | {"Cookie": cookie})

    assert choice_set(opened(grant["visitor"])) is None
    clock.advance(days=2)
    press(client, grant)
    # Of a refusal the day alone is kept.
    withdrawn_on = int(clock().timestamp()) // 86400 * 86400
    clock.advance(days=5)
    told = opened(grant["visitor"])
    assert choice_set(told) == {
        "v": "1", "t": str(withdrawn_on), "p.analytics": "0", "p.advertising": "0",
        "n": (choice_set(told) or {})["n"],
    }  # fmt: skip
    assert len((choice_set(told) or {})["n"]) == 16
    lifetime = int(told.headers["Set-Cookie"].partition("Max-Age=")[2].partition(";")[0])
    assert lifetime == 175 * 86400 - 1  # a receipt ends at a whole second
    assert "follow.js" in told.text
    # Another's choice, none, and what is no identifier are left alone.
    other = post(client, body()).get_json()
    for identifier in (other["visitor"], "", "x", "%00"):
        assert choice_set(opened(identifier)) is None
    assert choice_set(client.get(path(grant), headers=HTML)) is None


@pytest.mark.parametrize(("host", "domain"), [("consent.shop.example", "shop.example"), ("hop.example", None)])
def test_the_copy_of_a_whole_domain_follows(
    client: FlaskClient, apply_site: Apply, host: str, domain: str | None
) -> None:
    notice = apply_site(site_file(TOP + 'cookie_domain = "shop.example"\n'))
    grant = post(client, Body(notice)()).get_json()
    press(client, grant)
    cookie = f"{NAME}=v=1&t=1&n=0123456789abcdef&p.analytics=1&i={grant['visitor']}"
    told = client.get(path(grant), base_url=f"https://{host}", headers=HTML | {"Cookie": cookie})
    *before, last = told.headers.getlist("Set-Cookie")
    assert last.startswith(f"{NAME}=v=1&")
    assert ("Domain=shop.example" in last) == (domain is not None)
    assert "Secure" in last
    # The host's own one from before there was a domain.
    assert ["Max-Age=0" in one for one in before] == [True] * (domain is not None)


def test_the_receipt_can_be_saved_by_a_link(client: FlaskClient, grant: dict[str, Any]) -> None:
    named = {"jws": "jws", "json": "json", "jsonld": "jsonld"}
    for form, suffix in named.items():
        response = client.get(f"{path(grant)}?format={form}", headers=HTML)
        expected = f'attachment; filename="receipt-2026-11-23-{grant["receipt_id"]}.{suffix}"'
        assert response.headers["Content-Disposition"] == expected
    for plain in (path(grant), f"{path(grant)}?format=html"):
        assert "Content-Disposition" not in client.get(plain, headers=HTML).headers
