"""By a receipt's link alone: withdraw from whatever device, and ask for erasure."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import RFC_4122, UUID, uuid5

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from consent_server.core.context import Context, context_of
from consent_server.decisions.rows import TallyRow
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.receipts.store import ErasureRequestRow
from consent_server.receipts.withdraw import PURPOSE, withdrawal_id
from consent_server.sites.rules_cookie import NAME
from consent_server.sites.rules_rights import answer_by
from tests.support import jose
from tests.support.cast import token
from tests.support.factories import RIVAL, TOP, Body, Clock, site_file
from tests.support.people import Person
from tests.support.sites import Apply
from tests.support.visitor import post, rows

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def grant(client: FlaskClient, body: Body) -> dict[str, Any]:
    """The answer to a grant, in French."""
    found: dict[str, Any] = post(client, body.choice(True, False, language="fr")).get_json()
    return found


def path(said: dict[str, Any]) -> str:
    """Where a receipt is."""
    return urlsplit(str(said["receipt_url"])).path


def press(client: FlaskClient, said: dict[str, Any], what: str = "withdrawal", **headers: str) -> TestResponse:
    """Press a button of the receipt's page, as any browser does: no script, no cookie."""
    origin = {"Origin": "https://consent.example", "Sec-Fetch-Site": "same-origin"}
    return client.post(f"{path(said)}/{what}", headers=HTML | origin | headers)


def page(client: FlaskClient, said: dict[str, Any], **headers: str) -> str:
    response = client.get(path(said), headers=HTML | headers)
    assert response.status_code == 200
    return response.text


def has_button(text: str, what: str = "withdrawal") -> bool:
    return f'/{what}"><button' in text


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
        expected = f'attachment; filename="receipt-{grant["receipt_id"]}.{suffix}"'
        assert response.headers["Content-Disposition"] == expected
    for plain in (path(grant), f"{path(grant)}?format=html"):
        assert "Content-Disposition" not in client.get(plain, headers=HTML).headers


# Erasure


def ask(client: FlaskClient, said: dict[str, Any]) -> dict[str, Any]:
    """As the panel does, from the site's page."""
    answer = client.post(f"{path(said)}/erasure", headers={"Origin": "https://shop.example", "Accept": "*/*"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (202, "*")
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.on_both_databases
def test_asking_twice_is_one_request(
    client: FlaskClient, services: Context, grant: dict[str, Any], clock: Clock
) -> None:
    assert has_button(page(client, grant), "erasure")
    first = ask(client, grant)
    assert first == {"asked_at": "2026-11-23T17:00:00.250Z", "answer_by": "2026-12-23T17:00:00.250Z"}
    clock.advance(days=1)
    assert ask(client, grant) == first
    answer = press(client, grant, "erasure")
    assert (answer.status_code, answer.location) == (303, path(grant))
    shown = page(client, grant)
    assert not has_button(shown, "erasure")
    assert "Vous avez demandé l’effacement le 23 novembre 2026" in shown
    assert "23 décembre 2026" in shown
    with services.database.reading() as session:
        found = list(session.execute(text("SELECT * FROM erasure_requests")).mappings())
    assert [set(row) for row in found] == [{"decision_row", "asked_at"}]


@pytest.mark.on_both_databases
def test_a_request_covers_all_records_of_the_visitor(
    client: FlaskClient, services: Context, body: Body, grant: dict[str, Any]
) -> None:
    later = post(client, body(visitor=grant["visitor"], change=True)).get_json()
    ask(client, later)
    assert not has_button(page(client, grant), "erasure")
    assert ask(client, grant) == ask(client, later)
    (request,) = read_erasure_requests(services.database)
    assert str(request.receipt_id) == later["receipt_id"]


@pytest.mark.on_both_databases
def test_from_the_request_to_the_erasure(
    app: Flask, client: FlaskClient, services: Context, body: Body, grant: dict[str, Any], clock: Clock
) -> None:
    run = app.test_cli_runner().invoke
    post(client, body(visitor=grant["visitor"], change=True))
    refusal, bystander = (post(client, sent).get_json() for sent in (body.refusal(), body.refusal()))
    ask(client, grant)
    clock.advance(days=2)
    ask(client, refusal)
    listed = run(args=["visitor", "requests"]).stdout.splitlines()
    assert listed == [
        f"{grant['receipt_id']}\tshop\tasked 2026-11-23\tdecide by 2026-12-23\t28 days left",
        f"{refusal['receipt_id']}\tshop\tasked 2026-11-25\tdecide by 2026-12-25\t30 days left",
    ]
    assert run(args=["visitor", "requests", "rival"]).stdout == ""
    assert run(args=["visitor", "erase", "--requested", "rival"]).stdout == "0 removed\n"
    clock.advance(days=40)
    assert "overdue" in run(args=["visitor", "requests", "shop"]).stdout
    assert run(args=["visitor", "erase", "--requested"]).stdout == "3 removed\n"
    assert [str(row.receipt_id) for row in rows(services)] == [bystander["receipt_id"]]
    assert run(args=["visitor", "requests"]).stdout == ""
    assert run(args=["ledger", "check", "shop"]).exit_code == 0
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ErasureRequestRow)) == 0
    assert page(client, bystander)


def test_what_was_erased_says_so(app: Flask, client: FlaskClient, grant: dict[str, Any]) -> None:
    ask(client, grant)
    assert app.test_cli_runner().invoke(args=["visitor", "erase", "--requested", "shop"]).exit_code == 0
    for response in (
        client.get(path(grant)), client.get(f"{path(grant)}/proof"), client.get(f"{path(grant)}?format=jws"),
        client.post(f"{path(grant)}/erasure"), client.post(f"{path(grant)}/withdrawal"),
    ):  # fmt: skip
        assert response.status_code == 410
        assert response.get_json()["type"] == "/problems/removed-receipt"
    shown = client.get(path(grant), headers=HTML | {"Accept-Language": "es-ES,es;q=0.9"})
    assert shown.status_code == 410
    assert '<html lang="es"' in shown.text
    assert "Este registro se ha eliminado" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


@pytest.mark.on_both_databases
def test_retention_takes_the_request_with_the_record(
    app: Flask, client: FlaskClient, services: Context, grant: dict[str, Any], clock: Clock
) -> None:
    ask(client, grant)
    clock.advance(days=4 * 366)
    assert app.test_cli_runner().invoke(args=["retention", "run"]).stdout == "1 removed\n"
    assert read_erasure_requests(services.database) == []


@pytest.mark.parametrize("arguments", [[], ["01a20959-a77a-7518-936b-f2062a57b346", "--requested"], ["x"]])
def test_erasing_whom(app: Flask, arguments: list[str]) -> None:
    result = app.test_cli_runner().invoke(args=["visitor", "erase", *arguments])
    assert result.exit_code == 2
    assert "Usage" in result.output


def test_an_unknown_site_has_no_requests(app: Flask) -> None:
    for arguments in (["requests", "nowhere"], ["erase", "--requested", "nowhere"]):
        assert app.test_cli_runner().invoke(args=["visitor", *arguments]).exit_code == 1


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("2026-11-23", "2026-12-23"), ("2026-12-31", "2027-01-30"), ("2027-01-31", "2027-02-28"),
     ("2027-02-10", "2027-03-10"), ("2028-01-30", "2028-02-29"), ("2027-02-28", "2027-03-28")],
)  # fmt: skip
def test_the_days_to_answer(asked: str, answered: str) -> None:
    at = datetime.fromisoformat(asked).replace(tzinfo=UTC)
    assert answer_by(at).date().isoformat() == answered


def test_the_rival_withdraws_at_the_rival(client: FlaskClient, services: Context, body: Body) -> None:
    notice = client.get("/v1/sites/rival/notice").headers["ETag"].strip('"')
    said = post(client, body(notice=notice, page=f"{RIVAL}/"), site="rival", origin=RIVAL).get_json()
    claims = client.get(press(client, said).location).get_json()
    assert (claims["site"], claims["action"]) == ("rival", "withdraw")
    assert json.dumps(claims).count("shop.example") == json.dumps(jose.claims(said["receipt"])).count("shop.example")


def test_the_list_of_requests_has_pages(
    client: FlaskClient, body: Body, olga: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent_server.receipts.request_erasure.PAGE", 2)
    ids = []
    for _ in range(5):
        answer = post(client, body()).get_json()
        ids.append(answer["receipt_id"])
        assert client.post(f"{urlsplit(answer['receipt_url']).path}/erasure").status_code == 202
    there, seen = "/console/sites/shop/erasure-requests", []
    for page, ways in ((1, ["Newer"]), (2, ["Older", "Newer"]), (3, ["Older"])):
        text = olga.open(f"{there}?page={page}").text
        seen += re.findall(r"<code>([0-9a-f-]{36})</code>", text)
        assert re.findall(r'<a class="button"[^>]*>(Older|Newer)</a>', text) == ways
    assert seen == ids
    assert "To the oldest" in olga.open(f"{there}?page=4").text
    assert olga.open(f"{there}?page=0").status_code == 400
