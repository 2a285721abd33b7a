"""A decision that the contract allows is recorded once and answered with a receipt (contract 4.1)."""

import hashlib
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.decisions.rows import DecisionRow
from consent_server.sites import widget_code as widget_build
from consent_server.sites.current_site import CurrentSites
from tests.support import jose
from tests.support.factories import SHOP, START, TYPEFORM, VENDORS, Body, Clock, site_file
from tests.support.sites import Apply
from tests.support.visitor import post, rows

ANSWER_KEYS = [
    "decision_id", "receipt_id", "receipt", "receipt_url", "state", "visitor", "recorded_at", "expires_at",
]  # fmt: skip


@pytest.mark.on_both_databases
def test_a_grant_is_answered_with_everything_that_the_contract_names(client: FlaskClient, body: Body) -> None:
    sent = body()
    response = post(client, sent)
    assert response.status_code == 201
    said = response.get_json()
    assert list(said) == ANSWER_KEYS
    assert said["decision_id"] == sent["decision_id"]
    assert said["recorded_at"] == "2026-11-23T17:00:00.250Z"
    assert said["expires_at"] == "2027-05-22T17:00:00.250Z"
    assert said["receipt_url"].startswith(f"https://consent.example/v1/receipts/{said['receipt_id']}.")
    assert UUID(said["receipt_id"]).version == 7
    identifier, _, tag = said["visitor"].partition(".")
    assert str(UUID(identifier)) == identifier == jose.claims(said["receipt"])["sub"]
    assert len(tag) == 22
    assert said["state"].count(".") == 2
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content_type == "application/json"


def test_a_refusal_carries_no_identifier(client: FlaskClient, body: Body, services: Context) -> None:
    said = post(client, body.refusal()).get_json()
    assert (said["visitor"], said["state"]) == (None, None)
    assert "sub" not in jose.claims(said["receipt"])
    assert [row.visitor for row in rows(services)] == [None]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/plain;charset=UTF-8"])
def test_both_content_types_are_read(client: FlaskClient, body: Body, content_type: str) -> None:
    response = client.post(
        "/v1/sites/shop/decisions", data=json.dumps(body()), content_type=content_type, headers={"Origin": SHOP}
    )
    assert response.status_code == 201


@pytest.mark.on_both_databases
def test_the_same_decision_again_is_answered_with_the_same_body(
    client: FlaskClient, body: Body, clock: Clock, services: Context
) -> None:
    sent = body()
    first = post(client, sent)
    clock.advance(hours=23)
    again = post(client, sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert len(rows(services)) == 1


@pytest.mark.parametrize("microsecond", [0, 1, 499, 500, 999, 123_456, 999_499, 999_500, 999_999])
def test_a_replay_says_the_same_times_whatever_the_clock_said(
    client: FlaskClient, body: Body, clock: Clock, microsecond: int
) -> None:
    clock.at = START.replace(microsecond=microsecond)
    sent = body()
    assert post(client, sent).get_json() == post(client, sent).get_json()


def test_the_same_decision_in_another_spelling_is_the_same(client: FlaskClient, body: Body) -> None:
    sent = body()
    first = post(client, sent)
    turned = dict(reversed(sent.items())) | {"decision_id": sent["decision_id"].upper()}
    assert post(client, turned).get_json() == first.get_json()


@pytest.mark.on_both_databases
def test_another_decision_under_the_same_id_is_a_conflict(client: FlaskClient, body: Body, services: Context) -> None:
    sent = body()
    first = post(client, sent).get_json()
    response = post(client, body.refusal(decision_id=sent["decision_id"]))
    assert response.status_code == 409
    assert first["receipt"] not in response.text
    assert len(rows(services)) == 1


@pytest.mark.parametrize("field", ["method", "language", "page", "change", "gpc", "visitor", "vendors"])
def test_a_single_other_field_is_another_decision(client: FlaskClient, body: Body, field: str) -> None:
    other: dict[str, Any] = {
        "method": "api", "language": "fr", "page": "https://shop.example/other", "change": True, "gpc": True,
        "visitor": str(uuid4()), "vendors": {"meta-pixel": True},
    }  # fmt: skip
    sent = body()
    post(client, sent)
    assert post(client, sent | {field: other[field]}).status_code == 409


@pytest.mark.on_both_databases
def test_two_sites_may_meet_the_same_decision_id(client: FlaskClient, body: Body, services: Context) -> None:
    sent = body()
    post(client, sent)
    theirs = services[CurrentSites].get("rival").notice.hash
    response = post(client, sent | {"notice": theirs}, site="rival", origin="https://rival.example")
    assert response.status_code == 201
    assert len(rows(services)) == 2


def test_silence_is_denied(client: FlaskClient, body: Body, services: Context) -> None:
    said = post(client, body(action="save", grants={"analytics": True})).get_json()
    claims = jose.claims(said["receipt"])
    assert claims["grants"] == {"analytics": True, "advertising": False}
    assert claims["vendors"] == {"google-analytics": True, "google-ads": False, "meta-pixel": False}
    assert rows(services)[0].granted == " analytics google-analytics "


def test_a_vendor_of_its_own_mind(client: FlaskClient, body: Body) -> None:
    said = post(client, body.choice(False, True, vendors={"meta-pixel": False, "google-ads": True})).get_json()
    assert jose.claims(said["receipt"])["vendors"] == {
        "google-analytics": False, "google-ads": True, "meta-pixel": False,
    }  # fmt: skip
    assert jose.claims(said["state"])["vendors"] == {"meta-pixel": False}


@pytest.mark.on_both_databases
def test_a_returning_visitor_keeps_the_identifier(client: FlaskClient, body: Body) -> None:
    visitor = post(client, body()).get_json()["visitor"]
    again = post(client, body(visitor=visitor, change=True)).get_json()
    assert again["visitor"] == visitor
    assert jose.claims(again["receipt"])["sub"] == visitor.partition(".")[0]


def test_an_identifier_that_is_not_ours_is_replaced(client: FlaskClient, body: Body) -> None:
    stranger = str(uuid4())
    visitor = post(client, body(visitor=stranger)).get_json()["visitor"]
    assert visitor
    assert visitor != stranger


def test_an_identifier_of_another_site_is_replaced(client: FlaskClient, body: Body, services: Context) -> None:
    theirs = body(notice=services[CurrentSites].get("rival").notice.hash)
    visitor = post(client, theirs, site="rival", origin="https://rival.example").get_json()["visitor"]
    assert post(client, body(visitor=visitor)).get_json()["visitor"] != visitor


@pytest.mark.on_both_databases
def test_a_withdrawal_is_linked_on_record_but_its_receipt_names_nobody(
    client: FlaskClient, body: Body, services: Context
) -> None:
    visitor = post(client, body()).get_json()["visitor"]
    withdrawal = body.refusal(visitor=visitor, change=True) | {"action": "withdraw", "method": "api"}
    said = post(client, withdrawal).get_json()
    assert (said["visitor"], said["state"]) == (None, None)
    identifier = visitor.partition(".")[0]
    assert identifier not in json.dumps(jose.claims(said["receipt"]))
    assert [str(row.visitor) for row in rows(services)] == [identifier, identifier]


def test_global_privacy_control_is_recorded(client: FlaskClient, body: Body, services: Context) -> None:
    sent = body.choice(True, False, action="gpc", method="signal", change=True, gpc=True)
    claims = jose.claims(post(client, sent).get_json()["receipt"])
    assert (claims["action"], claims["method"], claims["gpc"]) == ("gpc", "signal", True)
    assert rows(services)[0].gpc


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("https://shop.example/a?email=a%40b.example&x=SECRET", "https://shop.example/a"),
        ("https://shop.example/a#SECRET", "https://shop.example/a"),
        ("https://SECRET:SECRET@shop.example/a", "https://shop.example/a"),
        ("https://shop.example?SECRET", "https://shop.example/"),
        ("https://shop.example/é ö?SECRET", "https://shop.example/%C3%A9%20%C3%B6"),
        ("http://127.0.0.1:8001/x?SECRET", "http://127.0.0.1:8001/x"),
    ],
)
def test_what_may_identify_in_an_address_is_never_stored(
    client: FlaskClient, body: Body, page: str, kept: str, services: Context
) -> None:
    receipt = post(client, body(page=page)).get_json()["receipt"]
    assert jose.claims(receipt)["page"] == kept
    assert "SECRET" not in receipt
    everything = repr(rows(services))
    assert "SECRET" not in everything


def test_no_file_of_the_instance_holds_query_address_or_browser(
    client: FlaskClient, body: Body, services: Context, tmp_path: Path
) -> None:
    headers = {"User-Agent": "Mozilla TELLTALE", "X-Forwarded-For": "203.0.113.77"}
    sent = body(page="https://pass:TELLTALE@shop.example/?q=TELLTALE#TELLTALE")
    assert post(client, sent, headers=headers, environ={"REMOTE_ADDR": "203.0.113.78"}).status_code == 201
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    # The record is really in one of them, so that finding no trace says something.
    with services.database.reading() as session:
        content = session.scalars(select(DecisionRow.content)).one()
    assert content
    assert any(content[:1000] in path.read_bytes() for path in files)
    for path in files:
        held = path.read_bytes()
        for trace in (b"TELLTALE", b"203.0.113.7", jose.encode(b"TELLTALE").encode()):
            assert trace not in held, path


@pytest.mark.on_both_databases
def test_a_superseded_notice_is_recorded_as_shown(
    client: FlaskClient, body: Body, apply_site: Apply, services: Context
) -> None:
    newer = apply_site(site_file(vendors=VENDORS + TYPEFORM))
    assert newer != body.notice
    sent = body()
    response = post(client, sent)
    assert response.status_code == 201
    said = response.get_json()
    assert said["stale"] is True
    assert jose.claims(said["receipt"])["notice"] == body.notice
    assert rows(services)[0].stale
    assert post(client, sent).get_json() == said


def test_a_page_on_the_same_host_gets_the_cookie_by_header(client: FlaskClient, body: Body) -> None:
    response = post(client, body.choice(True, False, gpc=True), headers={"Sec-Fetch-Site": "same-origin"})
    said = response.get_json()
    value, *attributes = response.headers["Set-Cookie"].split("; ")
    name, _, content = value.partition("=")
    revision = re.search(r"&n=([0-9a-f]{16})&", content)
    assert revision
    assert name == "eu-consent"
    assert content == (
        f"v=1&t=1795453200&n={revision[1]}&p.analytics=1&p.advertising=0&g=1&i={said['visitor']}&s={said['state']}"
    )
    assert {"Path=/", "SameSite=Lax", "Max-Age=15552000"} <= set(attributes)
    assert not any(attribute.lower() in ("httponly", "secure") for attribute in attributes)
    assert not any(attribute.lower().startswith("domain") for attribute in attributes)


def test_the_cookie_is_secure_on_https(client: FlaskClient, body: Body) -> None:
    environ = {"wsgi.url_scheme": "https"}
    response = post(client, body(), headers={"Sec-Fetch-Site": "same-origin"}, environ=environ)
    assert "Secure" in response.headers["Set-Cookie"].split("; ")


def test_the_cookie_of_a_refusal_names_nobody(client: FlaskClient, body: Body) -> None:
    response = post(client, body.refusal(), headers={"Sec-Fetch-Site": "same-origin"})
    fields = parse_qs(response.headers["Set-Cookie"].partition("=")[2].partition(";")[0])
    assert list(fields) == ["v", "t", "n", "p.analytics", "p.advertising"]


@pytest.mark.parametrize("sent_from", ["cross-site", "same-site", "none", None])
def test_no_cookie_is_set_from_elsewhere(client: FlaskClient, body: Body, sent_from: str | None) -> None:
    headers = {"Sec-Fetch-Site": sent_from} if sent_from else {}
    assert "Set-Cookie" not in post(client, body(), headers=headers).headers


def test_the_cookie_names_what_was_answered_and_not_what_came_after(
    client: FlaskClient, body: Body, apply_site: Apply
) -> None:
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    before = _revision(post(client, body(), headers=same_origin).headers["Set-Cookie"])
    # A vendor more: who granted under the old notice never heard of it and has to be asked again.
    apply_site(site_file(vendors=VENDORS + '[[vendors]]\nkey = "microsoft-uet"\nid = "12345678"\n'))
    late = _revision(post(client, body(), headers=same_origin).headers["Set-Cookie"])
    assert late == before


def _revision(set_cookie: str) -> str:
    return parse_qs(set_cookie.partition("=")[2].partition(";")[0])["n"][0]


def test_state_and_receipt_expire_with_the_choice(client: FlaskClient, body: Body) -> None:
    said = post(client, body()).get_json()
    until = int((START + timedelta(days=180)).timestamp())
    assert jose.claims(said["receipt"])["valid_until"] == until
    assert jose.claims(said["state"])["exp"] == until


def test_the_receipt_names_code_that_is_archived(client: FlaskClient, body: Body) -> None:
    served = client.get("/widget/shop.js").text.split("\n")
    named = json.loads(served[1])["widget"]
    said = post(client, body(widget=named)).get_json()
    claimed = jose.claims(said["receipt"])["widget"]
    assert re.fullmatch("[0-9a-f]{64}", claimed)
    assert claimed.startswith(named)
    code = client.get(f"/v1/widgets/{claimed}")
    assert hashlib.sha256(code.data).hexdigest() == claimed
    later = (client.get(f"/widget/shop/{part}.js").text.split("\n") for part in ("preferences", "details"))
    assert code.text == "\n".join(lines[0][:-1] for lines in (served, *later))


@pytest.mark.on_both_databases
def test_code_that_came_with_an_upgrade_is_archived_too(
    services: Context, body: Body, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An upgrade of the server brings new code; nobody has applied a site file since.
    newer = shutil.copytree(widget_build.DIST, tmp_path / "dist")
    (newer / "widget.js").write_text(f"(0,{(newer / 'widget.js').read_text('utf-8')})", "utf-8")
    monkeypatch.setattr(widget_build, "DIST", newer)
    widget_build._joined.cache_clear()
    upgraded = create_app(services.settings, now=services.now)
    client = upgraded.test_client(use_cookies=False)
    try:
        served = json.loads(client.get("/widget/shop.js").text.split("\n")[1])["widget"]
        said = post(client, body(widget=served)).get_json()
        claimed = jose.claims(said["receipt"])["widget"]
        assert claimed.startswith(served)
        assert client.get(f"/v1/widgets/{claimed}").status_code == 200
    finally:
        widget_build._joined.cache_clear()
        upgraded.extensions["consent"].database.engine.dispose()


@pytest.mark.on_both_databases
def test_nothing_but_the_decision_is_kept(client: FlaskClient, body: Body, services: Context) -> None:
    post(client, body())
    with services.database.reading() as session:
        row = session.scalars(select(DecisionRow)).one()
    assert set(DecisionRow.__table__.columns.keys()) == {
        "id", "site_id", "notice_id", "decision_id", "receipt_id", "visitor", "action", "method", "change", "gpc",
        "stale", "language", "granted", "recorded_at", "request_hash", "salt", "receipt",
        "content", "key_chunk", "key_slot", "commitment",
    }  # fmt: skip
    assert (row.plain_salt, row.plain_request_hash, row.plain_receipt) == (b"", b"", "")
    assert row.content


def test_no_receipt_leads_to_another_host(client: FlaskClient, body: Body) -> None:
    response = post(client, body(page="https://evil.example/"))
    claims = jose.claims(response.get_json()["receipt"])
    assert claims["page"] is None
    assert claims["withdraw"] == f"{SHOP}/#consent"


def test_a_page_of_our_own_host_that_hides_its_origin_is_known_all_the_same(client: FlaskClient, body: Body) -> None:
    def answer(**headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post("/v1/sites/shop/decisions", base_url=SHOP, data=json.dumps(body()),
                           content_type="text/plain", headers=sent)  # fmt: skip

    taken = answer(Origin="null", Sec_Fetch_Site="same-origin")
    assert taken.status_code == 201
    assert "eu-consent=v=1" in taken.headers["Set-Cookie"]
    for other in ("cross-site", "same-site", "none"):
        assert answer(Origin="null", Sec_Fetch_Site=other).status_code == 403
    assert answer(Origin="null").status_code == 403
    assert answer(Origin="https://evil.example", Sec_Fetch_Site="same-origin").status_code == 403
