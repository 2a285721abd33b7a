"""Receipts: what they say, who reads them, and in which form (contract 4.2)."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.decisions.rules import Action
from tests.support import jose
from tests.support.factories import TABLES, TOP, Body, site_file
from tests.support.sites import Apply
from tests.support.visitor import BROWSER, identifier, post

CLAIMS: dict[str, type] = {
    "iss": str, "iat": int, "jti": str, "schema": str, "site": str, "controller": dict, "decision_id": str,
    "action": str, "method": str, "change": bool, "grants": dict, "vendors": dict, "notice": str, "policy": dict,
    "widget": str, "language": str, "page": str, "gpc": bool, "valid_until": int, "withdraw": str, "ledger": str,
}  # fmt: skip
# As browsers send it.


@pytest.fixture
def said(client: FlaskClient, body: Body) -> dict[str, Any]:
    """The answer to a grant."""
    found: dict[str, Any] = post(client, body.choice(True, False, language="fr")).get_json()
    return found


@pytest.fixture
def link(said: dict[str, Any]) -> str:
    """Where its receipt is."""
    return urlsplit(str(said["receipt_url"])).path


def published(client: FlaskClient) -> dict[str, dict[str, Any]]:
    return {key["kid"]: key for key in client.get("/.well-known/jwks.json").get_json()["keys"]}


@pytest.mark.on_both_databases
def test_the_claims_are_those_of_the_contract(client: FlaskClient, body: Body) -> None:
    sent = body()
    said = post(client, sent).get_json()
    claims = jose.claims(said["receipt"])
    assert {name: type(value) for name, value in claims.items()} == CLAIMS | {"sub": str}
    widget, jti = claims.pop("widget"), claims.pop("jti")
    assert re.fullmatch("[0-9a-f]{64}", widget)
    assert jti == said["receipt_id"]
    assert claims == {
        "iss": "https://consent.example",
        "iat": 1795453200,
        "sub": str(identifier(said["visitor"])),
        "schema": "1",
        "site": "shop",
        "controller": {"name": "Example Shop Ltd", "contact": "privacy@shop.example"},
        "decision_id": sent["decision_id"],
        "action": "accept_all",
        "method": "banner",
        "change": False,
        "grants": {"analytics": True, "advertising": True},
        "vendors": {"google-analytics": True, "google-ads": True, "meta-pixel": True},
        "notice": body.notice,
        "policy": {
            "privacy": {"version": "2026-03-01", "url": "https://shop.example/privacy"},
            "cookies": {"version": "2026-03-02", "url": "https://shop.example/cookies"},
        },
        "language": "en",
        "page": "https://shop.example/pricing",
        "gpc": False,
        "valid_until": 1811005200,
        "withdraw": "https://shop.example/pricing#consent",
        "ledger": "consent.example/ledger/shop",
    }


@pytest.mark.parametrize("action", [action.value for action in Action])
def test_every_action_has_the_same_claims(client: FlaskClient, body: Body, action: str) -> None:
    granted = {"accept_all": [True, True], "save": [True, False]}.get(action, [False, False])
    sent = body.choice(*granted, action=action, change=action in ("withdraw", "gpc"))
    claims = jose.claims(post(client, sent).get_json()["receipt"])
    assert claims.keys() == CLAIMS.keys() | ({"sub"} if any(granted) else set())


def test_a_stranger_verifies_it_with_published_keys(client: FlaskClient, said: dict[str, Any]) -> None:
    for token, kind in ((said["receipt"], "consent-receipt+jwt"), (said["state"], "consent-state+jwt")):
        header = jose.header(token)
        assert header.keys() == {"alg", "typ", "kid"}
        assert (header["alg"], header["typ"]) == ("EdDSA", kind)
        key = published(client)[header["kid"]]
        assert key["alg"] == header["alg"]
        assert jose.verifies(token, key)
        assert not jose.verifies(token[:-8] + "AAAAAAAA", key)


def test_openssl_verifies_it(client: FlaskClient, said: dict[str, Any], tmp_path: Path) -> None:
    key = published(client)[jose.header(said["receipt"])["kid"]]
    signed, _, signature = said["receipt"].rpartition(".")
    pem = jose.public_key(key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, content in (("key", pem), ("in", signed.encode()), ("sig", jose.decode(signature))):
        (tmp_path / name).write_bytes(content)
    command = [
        "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key", "-in", "in", "-sigfile", "sig",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Signature Verified Successfully" in done.stdout, done.stdout + done.stderr
    (tmp_path / "in").write_bytes(signed.encode()[:-1] + b"A")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_the_published_keys(client: FlaskClient) -> None:
    response = client.get("/.well-known/jwks.json")
    assert response.mimetype in ("application/jwk-set+json", "application/json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    for key in response.get_json()["keys"]:
        assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")


def test_after_a_rotation_old_and_new_receipts_verify(
    app: Flask, client: FlaskClient, body: Body, said: dict[str, Any], services: Context, link: str
) -> None:
    file = services.settings.signing_keys_file
    retired = json.loads(file.read_text())["keys"][0]
    assert app.test_cli_runner().invoke(args=["key", "rotate"]).exit_code == 0
    # The same application, not started again.
    newer = post(client, body()).get_json()
    keys = published(client)
    assert len(keys) == 2
    assert jose.header(newer["receipt"])["kid"] != jose.header(said["receipt"])["kid"]
    seal(app)
    for receipt in (said["receipt"], newer["receipt"]):
        assert jose.verifies(receipt, keys[jose.header(receipt)["kid"]])
        assert client.post("/v1/receipts/verify", json={"receipt": receipt}).get_json()["valid"]
    assert client.get(link, headers={"Accept": "application/jose"}).text == said["receipt"]
    assert retired["d"] not in file.read_text()
    assert ["d" in key for key in json.loads(file.read_text())["keys"]] == [False, True]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "d" not in client.get("/.well-known/jwks.json").get_json()["keys"][1]


def test_only_the_signed_link_shows_it(client: FlaskClient, said: dict[str, Any], link: str) -> None:
    bare = f"/v1/receipts/{said['receipt_id']}"
    response = client.get(bare)
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers
    assert client.get("/v1/receipts/00000000-0000-7000-8000-000000000000").status_code == 401
    signature = link.rpartition(".")[2]
    other = said["receipt_id"].replace("0", "1")
    for wrong in (
        f"{bare}.", f"{bare}.x", f"{bare}.{signature[:-1]}", f"{bare}.{signature}=",
        f"/v1/receipts/{other}.{signature}", f"/v1/receipts/.{signature}", f"{bare}.{signature}.{signature}",
        f"{bare}..{signature}", f"{link}%00",
        f"{link}%0a", f"{bare}.%F0%9F%8D%AA", f"/v1/receipts/{said['receipt_id'].upper()}.{signature}",
    ):  # fmt: skip
        assert client.get(wrong).status_code == 404, wrong
    assert client.get(link, headers={"Accept": "*/*"}).status_code == 200


def test_each_other_last_character_of_a_link_is_wrong(client: FlaskClient, link: str) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in letters.replace(link[-1], ""):
        assert client.get(link[:-1] + letter).status_code == 404


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/jose", "application/jose"), ("application/json", "application/json"),
        ("text/html", "text/html; charset=utf-8"), (BROWSER, "text/html; charset=utf-8"),
        ("*/*", "application/json"), (None, "application/json"), ("application/*", "application/json"),
        ("application/jose;q=0.9, application/json;q=0.1", "application/jose"),
    ],
)  # fmt: skip
def test_the_form_is_the_one_asked_for(
    client: FlaskClient, said: dict[str, Any], link: str, accept: str | None, content_type: str
) -> None:
    response = client.get(link, headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Accept" in response.vary
    if content_type == "application/jose":
        assert response.text == said["receipt"]
    if content_type == "application/json":
        assert response.get_json() == jose.claims(said["receipt"])


def test_a_form_that_does_not_exist(client: FlaskClient, link: str) -> None:
    response = client.get(link, headers={"Accept": "image/png"})
    assert (response.status_code, response.content_type) == (406, "application/problem+json")
    for unknown in ("pdf", "kantara"):  # receipt pages of before 0.2.0 had a link to the latter
        refused = client.get(f"{link}?format={unknown}")
        assert refused.status_code == 406
        assert "jws, json, jsonld, html" in refused.get_json()["detail"]
    assert client.get(f"{link}?format=jws", headers={"Accept": BROWSER}).mimetype == "application/jose"


def test_the_page_is_in_the_visitors_language(client: FlaskClient, link: str, said: dict[str, Any]) -> None:
    response = client.get(link, headers={"Accept": BROWSER, "Accept-Language": "en"})
    page = response.text
    assert '<html lang="fr"' in page
    assert page.count('class="state granted"') >= 2
    granted = re.findall(r'<span class="state (granted|denied)"', page)[:5]
    # Two purposes, three vendors: analytics alone.
    assert granted == ["granted", "denied", "granted", "denied", "denied"]
    visitor = str(identifier(said["visitor"]))
    for shown in (visitor, said["receipt_id"], "Google Analytics", "Meta", "23 novembre 2026", "2026-03-01"):
        assert shown in page
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<(style|script)>|\sstyle=|\son\w+=", page)


def test_what_it_links_to_is_there(client: FlaskClient, link: str) -> None:
    page = client.get(link, headers={"Accept": "text/html"}).text
    own = [url for url in re.findall(r'(?:href|src)="([^"]+)"', page) if url.startswith("/")]
    assert len(own) >= 4
    for url in own:
        with client.get(url, headers={"Accept": "*/*"}) as response:
            assert response.status_code == 200, url


HOSTILE = "</title><script>alert(1)</script>{{1000003*7}}"


def test_hostile_names_are_shown_and_not_run(client: FlaskClient, apply_site: Apply) -> None:
    tables = TABLES.replace("Example Shop Ltd", f"{HOSTILE} Ltd").replace("2026-03-01", "<img src=x>")
    notice = apply_site(site_file(TOP.replace("Example Shop", HOSTILE), tables))
    path = "https://shop.example/\"><script>alert(2)</script>{{1000003*7}}'"
    said = post(client, Body(notice)(page=path)).get_json()
    page = client.get(urlsplit(said["receipt_url"]).path, headers={"Accept": "text/html"}).text
    assert "<script>" not in page
    assert "<img" not in page
    assert "7000021" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


def test_a_host_is_no_place_for_markup(client: FlaskClient, body: Body) -> None:
    response = post(client, body(page='https://"><script>alert(1)<.example/'))
    assert jose.claims(response.get_json()["receipt"])["page"] is None


def seal(app: Flask) -> None:
    """What happens by itself a moment after each decision."""
    assert app.test_cli_runner().invoke(args=["ledger", "seal"]).exit_code == 0


def test_a_receipt_that_waits_for_its_checkpoint_is_not_called_invalid(
    client: FlaskClient, said: dict[str, Any]
) -> None:
    found = client.post("/v1/receipts/verify", json={"receipt": said["receipt"]}).get_json()
    assert found["valid"] is True


@pytest.mark.on_both_databases
def test_a_receipt_that_holds(app: Flask, client: FlaskClient, said: dict[str, Any]) -> None:
    seal(app)
    response = client.post("/v1/receipts/verify", json={"receipt": said["receipt"]})
    found = response.get_json()
    assert response.status_code == 200
    assert found["valid"] is True
    assert {check["name"] for check in found["checks"]} == {"signature", "key", "record", "inclusion"}
    assert all(check["ok"] is True and check["detail"] for check in found["checks"])
    assert found["claims"] == jose.claims(said["receipt"])


@pytest.mark.on_both_databases
def test_a_receipt_that_nobody_recorded(client: FlaskClient, said: dict[str, Any], services: Context) -> None:
    forged = jose.claims(said["receipt"]) | {"jti": "01a20959-a77a-7518-936b-f2062a57b346"}
    token = services.keys.ring.sign(forged, "consent-receipt+jwt")
    found = client.post("/v1/receipts/verify", json={"receipt": token}).get_json()
    assert found["valid"] is False
    assert {check["name"]: check["ok"] for check in found["checks"]} == {
        "signature": True, "key": True, "record": False, "inclusion": False,
    }  # fmt: skip


def test_a_state_is_no_receipt(client: FlaskClient, said: dict[str, Any]) -> None:
    found = client.post("/v1/receipts/verify", json={"receipt": said["state"]}).get_json()
    assert (found["valid"], found["claims"]) == (False, {})


@pytest.mark.parametrize("junk", ["", "x", "..", "a.b.c", "é.é.é", "eyJhbGciOiJub25lIn0..", "\x00"])
def test_junk_is_no_receipt(client: FlaskClient, junk: str) -> None:
    response = client.post("/v1/receipts/verify", json={"receipt": junk})
    assert response.status_code == 200
    found = response.get_json()
    assert (found["valid"], found["claims"]) == (False, {})


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"receipt": 1}', b'{"receipt": "a", "receipt": "b"}'])
def test_a_question_that_is_none(client: FlaskClient, raw: bytes) -> None:
    assert client.post("/v1/receipts/verify", data=raw, content_type="application/json").status_code == 400


def test_the_longest_receipt_can_be_checked(client: FlaskClient, apply_site: Apply) -> None:
    own = "".join(
        f'[[vendors]]\nkey = "vendor-{n:02}-{"x" * 53}"\nname = "V"\npurposes = ["media"]\n'
        'policy_url = "https://v.example/"\n[vendors.operator]\nname = "V"\naddress = "A"\ncountry = "DE"\n'
        for n in range(30)
    )
    notice = apply_site(site_file(vendors=own))
    page = "https://shop.example/" + "a" * 1900
    said = post(client, Body(notice)(action="save", grants={"media": True}, page=page)).get_json()
    response = client.post("/v1/receipts/verify", json={"receipt": said["receipt"]})
    assert response.status_code == 200
    assert {name: response.get_json()["checks"][0][name] for name in ("name", "ok")} == {
        "name": "signature",
        "ok": True,
    }
