"""A vendor that is let in at a stand-in before the banner was answered: nothing is said of the rest."""

import re
from pathlib import Path
from urllib.parse import parse_qs

from flask import Flask
from flask.testing import FlaskClient

from consent_server.access.rules import Role
from consent_server.core.context import Context
from consent_server.people.tokens import create_token
from consent_server.sites.current_site import CurrentSites
from tests.support import jose
from tests.support.factories import PUBLIC_URL, SHOP, TYPEFORM, VENDORS, Body, site_file
from tests.support.rates_page import end_days
from tests.support.sites import Apply
from tests.support.visitor import post, rows


def test_one_vendor_let_in_at_a_stand_in(client: FlaskClient, apply_site: Apply, services: Context) -> None:
    apply_site(site_file(vendors=VENDORS + TYPEFORM))
    body = Body(services[CurrentSites].get("shop").notice.hash)
    act = {"action": "save", "method": "placeholder", "grants": {}, "vendors": {"typeform": True}}
    response = post(client, body(**act), headers={"Sec-Fetch-Site": "same-origin"})
    said = response.get_json()
    claims, state = jose.claims(said["receipt"]), jose.claims(said["state"])
    assert (claims["grants"], claims["vendors"], claims["change"]) == ({}, {"typeform": True}, False)
    assert (state["grants"], state["vendors"]) == ({}, {"typeform": True})
    kept = parse_qs(response.headers["Set-Cookie"].partition("=")[2].partition(";")[0])
    assert {key for key in kept if key[:2] in ("p.", "v.")} == {"v.typeform"}
    assert rows(services)[0].granted == " typeform "
    # Its forms tell of nothing else, and not that anything was chosen for each purpose.
    link = said["receipt_url"].removeprefix(PUBLIC_URL)
    page = client.get(f"{link}?format=html").text
    assert "Always show Typeform" in page
    assert "You chose for each purpose" not in page
    assert re.findall(r'data-of="(\w+)" data-key="([\w-]+)"', page) == [("vendors", "typeform")]
    (process,) = client.get(f"{link}?format=jsonld").get_json()["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    assert process["dct:title"].endswith(": Typeform")
    assert client.post("/v1/receipts/verify", json={"receipt": said["receipt"]}).get_json()["valid"] is True
    # The banner is answered later: that is the first choice, of the same visitor.
    later = post(client, body.refusal(visitor=said["visitor"], page=f"{SHOP}/later") | {"grants": {}}).get_json()
    assert set(jose.claims(later["receipt"])["grants"].values()) == {False}
    again = post(client, body(**act | {"grants": {"media": True}})).get_json()
    assert jose.claims(again["receipt"])["grants"] == {"media": True}
    shown = client.get(again["receipt_url"].removeprefix(PUBLIC_URL) + "?format=html").text
    assert "Always allow: Videos, maps and forms" in shown


def test_the_ledger_and_an_evidence_pack_hold_with_it(
    app: Flask, client: FlaskClient, apply_site: Apply, services: Context, tmp_path: Path
) -> None:
    apply_site(site_file(vendors=VENDORS + TYPEFORM))
    body = Body(services[CurrentSites].get("shop").notice.hash)
    for grants, vendors in (
        ({}, {"typeform": True}),
        ({"media": True}, {}),
        ({"analytics": False}, {"typeform": True}),
    ):
        act = {"action": "save", "method": "placeholder", "grants": grants, "vendors": vendors}
        assert post(client, body(**act)).status_code == 201
    pack = str(tmp_path / "pack.zip")
    for args in (
        ["ledger", "seal"],
        ["ledger", "check", "shop"],
        ["evidence", "export", "shop", "--from", "2026-11-23", "--to", "2026-11-23", "-o", pack],
        ["evidence", "verify", pack],
    ):
        result = app.test_cli_runner().invoke(args=args)
        assert result.exit_code == 0, result.output


def test_what_is_let_in_at_a_stand_in_is_in_no_rate(client: FlaskClient, apply_site: Apply, services: Context) -> None:
    apply_site(site_file(vendors=VENDORS + TYPEFORM))
    body = Body(services[CurrentSites].get("shop").notice.hash)
    act = {"action": "save", "method": "placeholder", "grants": {}, "vendors": {"typeform": True}}
    for _ in range(12):
        post(client, body(**act))
    post(client, body.refusal() | {"grants": {}})
    end_days(services)
    token = create_token(services.database, Role.OPERATOR, None, "test", services.now())
    counted = client.get(
        "/v1/sites/shop/rates?from=2026-11-23&to=2026-11-23", headers={"Authorization": f"Bearer {token}"}
    ).get_json()
    totals = counted["totals"]
    assert (totals["placeholders"], totals["decisions"], totals["changes"], totals["granted"]) == (12, 1, 0, 0)
    listed = client.get("/v1/sites/shop/decisions", headers={"Authorization": f"Bearer {token}"}).get_json()["items"]
    assert [item["grants"] for item in listed[1:]] == [{}] * 12
    assert [item["vendors"] for item in listed[1:]] == [{"typeform": True}] * 12
