"""docs/openapi.json is what the application does: routes, forms, examples and refusals."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from werkzeug.test import TestResponse

from consent_server.access.credentials import ReportLinks
from consent_server.access.rules import Role
from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.resources import ROOT
from consent_server.core.settings import Settings
from consent_server.ledger.seal import seal_ledger
from consent_server.people.tokens import create_token
from consent_server.receipts.erase_visitor import erase_requested
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.factories import START
from tests.support.openapi import DOCUMENT, misfits, operations, resolved

ORIGIN = {"Origin": "https://shop.example"}


def shop() -> str:
    """The site file of docs/formats/site.md, with one vendor more."""
    page = (ROOT / "docs" / "formats" / "site.md").read_text("utf-8")
    found = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert found
    return f'{found[1]}\n[[vendors]]\nkey = "google-ads"\nid = "AW-123456789"\n'


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application with the shop of docs/formats/site.md, and one vendor more."""
    settings = Settings.from_env(
        {"CONSENT_INSTANCE": str(tmp_path_factory.mktemp("openapi")), "CONSENT_PUBLIC_URL": "https://consent.example"}
    )
    app = create_app(settings)
    with app.app_context():
        upgrade()
    our = services(app)
    publish_notice(our.database, read_site_file(shop()), settings.public_url, our.now())
    yield app
    our.database.engine.dispose()


def services(app: Flask) -> Context:
    """Its use cases."""
    found: Context = app.extensions["consent"]
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller without cookies."""
    return app.test_client(use_cookies=False)


def example(operation_id: str, client: FlaskClient, **changes: Any) -> bytes:
    """The file's example of a body, about the notice that is in force here."""
    (operation,) = [found for _, _, found in operations() if found["operationId"] == operation_id]
    body = dict(operation["requestBody"]["content"]["application/json"]["example"])
    notice = client.get("/v1/sites/shop/notice").headers["ETag"].strip('"')
    fresh = {"notice": notice, "decision_id": str(uuid4())}
    return json.dumps(body | {key: value for key, value in fresh.items() if key in body} | changes).encode()


def described(answer: TestResponse, operation_id: str) -> TestResponse:
    """The answer, if the file says that this operation may answer so."""
    (operation,) = [found for _, _, found in operations() if found["operationId"] == operation_id]
    said = resolved(operation["responses"][str(answer.status_code)])
    answer.get_data()
    answer.close()
    always = {name for name, header in said.get("headers", {}).items() if header.get("required", True)}
    assert always <= set(answer.headers.keys())
    if "content" not in said:
        assert answer.data == b""
        return answer
    (content,) = [value for kind, value in said["content"].items() if kind in (answer.mimetype, "*/*")]
    if answer.is_json:
        assert misfits(content["schema"], answer.json) == []
    return answer


def post(client: FlaskClient, path: str, body: bytes, **headers: str) -> TestResponse:
    """As the widget posts."""
    kind = headers.pop("content_type", "text/plain")
    return client.post(path, data=body, content_type=kind, headers=ORIGIN | headers)


def link_of(client: FlaskClient) -> str:
    """The path of a new receipt."""
    recorded = post(client, "/v1/sites/shop/decisions", example("recordDecision", client))
    assert recorded.json
    path: str = recorded.json["receipt_url"].removeprefix("https://consent.example")
    return path


def test_every_route_is_described_and_every_description_is_a_route(app: Flask) -> None:
    routes = {
        (method, re.sub(r"<[^>]+>", "{}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        # Pages for people: what programs need of them stands under /v1.
        if not re.match(r"/($|console\b|sign-|previews/)", rule.rule)
    }
    assert {(method, re.sub(r"{\w+}", "{}", path)) for method, path, _ in operations()} == routes


def test_the_example_of_a_decision_is_recorded(client: FlaskClient) -> None:
    body = example("recordDecision", client)
    for kind, status in (("text/plain", 201), ("application/json", 200)):
        answer = post(client, "/v1/sites/shop/decisions", body, content_type=kind)
        assert described(answer, "recordDecision").status_code == status


def test_the_example_of_a_view_is_counted(client: FlaskClient) -> None:
    answer = post(client, "/v1/sites/shop/shown", example("recordShown", client))
    assert described(answer, "recordShown").status_code == 204
    answer = post(client, "/v1/sites/shop/conversions", example("recordConversions", client, blocked={}))
    assert described(answer, "recordConversions").status_code == 204
    answer = post(client, "/v1/sites/shop/page-loads", example("recordPageLoad", client))
    assert described(answer, "recordPageLoad").status_code == 204


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("currentNotice", "/v1/sites/shop/notice"),
        ("widget", "/widget/shop.js?lang=fr"),
        ("preferences", "/widget/shop/preferences.js"),
        ("details", "/widget/shop/details.js?lang=fr"),
        ("choicePage", "/sites/shop/choice?lang=fr"),
        ("declaration", "/sites/shop/declaration?lang=en"),
        ("declaration", "/sites/shop/declaration?format=json&lang=en"),
        ("declaration", "/sites/shop/declaration?format=elements&lang=en"),
        ("declarationScript", "/widget/shop/declaration.js"),
        ("debugScript", "/widget/shop/debug.js"),
        ("verifyPage", "/verify?lang=fr"),
        ("keys", "/.well-known/jwks.json"),
        ("globalPrivacyControl", "/.well-known/gpc.json"),
        ("alive", "/healthz"),
        ("ready", "/readyz"),
        ("problem", "/problems/unknown-site"),
        ("openapi", "/openapi.json"),
        ("docs", "/docs"),
        ("ratesPage", "/docs/rates"),
        ("embeddingPage", "/docs/embedding"),
        ("asset", "/assets/page.css"),
    ],
)
def test_what_is_there_is_answered_as_described(client: FlaskClient, operation: str, path: str) -> None:
    answer = described(client.get(path), operation)
    assert answer.status_code == 200
    if "ETag" in answer.headers:
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert described(again, operation).status_code == 304


def test_archives_answer_by_hash(app: Flask, client: FlaskClient) -> None:
    current = services(app)[CurrentSites].get("shop")
    notice, widget = f"/v1/notices/{current.notice.hash}", current.widget.hash
    for operation, path, kind in (
        ("archivedNotice", notice, "application/json"),
        ("archivedNotice", f"{notice}?format=html&lang=fr&widget={widget}", "text/html"),
        ("noticePreview", f"{notice}/preview?widget={widget}", "text/html"),
        ("previewScript", f"{notice}/preview/{widget}/widget/shop.js", "text/javascript"),
        ("previewScript", f"{notice}/preview/{widget}/widget/shop/preferences.js?lang=fr", "text/javascript"),
        ("archivedWidget", f"/v1/widgets/{widget}", "text/plain"),
    ):
        answer = described(client.get(path), operation)
        assert (answer.status_code, answer.mimetype) == (200, kind)
    assert described(client.get(f"{notice}/preview/{'0' * 64}/widget/shop.js"), "previewScript").status_code == 404


@pytest.mark.parametrize("kind", ["application/json", "application/jose", "text/html", "application/ld+json"])
def test_a_receipt_has_each_form_that_is_described(client: FlaskClient, kind: str) -> None:
    answer = described(client.get(link_of(client), headers={"Accept": kind}), "receipt")
    assert (answer.status_code, answer.mimetype) == (200, kind)


def test_what_auditors_read_is_described(app: Flask, client: FlaskClient) -> None:
    link, our = link_of(client), services(app)
    receipt_id = link.rpartition("/")[2].partition(".")[0]
    paths = {
        "listDecisions": "/v1/sites/shop/decisions",
        "evidence": "/v1/sites/shop/evidence",
        "receipt": f"/v1/receipts/{receipt_id}",
    }
    given = {role: create_token(our.database, role, ("shop",), "a program", our.now()) for role in Role}
    for operation, path in paths.items():
        for role, status in ((Role.AUDITOR, 200), (Role.OPERATOR, 200), (Role.MARKETER, 403), (None, 401)):
            headers = {"Authorization": f"Bearer {given[role]}"} if role else {}
            assert described(client.get(path, headers=headers), operation).status_code == status, (path, role)
    headers = {"Authorization": f"Bearer {given[Role.AUDITOR]}"}
    assert (
        described(client.get(f"{paths['listDecisions']}?limit=0", headers=headers), "listDecisions").status_code == 400
    )
    assert described(client.get(f"{paths['evidence']}?from=today", headers=headers), "evidence").status_code == 400


def test_what_marketers_read_is_described(app: Flask, client: FlaskClient) -> None:
    given = {role: create_token(services(app).database, role, ("shop",), "a program", START) for role in Role}
    for operation, path in (("rates", "/v1/sites/shop/rates"), ("ratesTable", "/v1/sites/shop/rates.csv")):
        for role, status in ((Role.MARKETER, 200), (Role.OPERATOR, 200), (Role.AUDITOR, 403), (None, 401)):
            headers = {"Authorization": f"Bearer {given[role]}"} if role else {}
            for query in ("by=language", "from=2026-11-02&compare_to=2026-11-01"):
                assert described(client.get(f"{path}?{query}", headers=headers), operation).status_code == status
    for until, status in ((START.replace(year=9000), 200), (START.replace(year=2000), 410)):
        link = services(app)[ReportLinks].sign({"site": "shop", "by": "day", "notice": None, "days": 28}, until)
        assert described(client.get(f"/reports/{link}"), "report").status_code == status


def test_what_operators_of_all_sites_read_is_described(app: Flask, client: FlaskClient) -> None:
    our = services(app)
    for role, sites, status in ((Role.OPERATOR, (), 200), (Role.OPERATOR, ("shop",), 403), (Role.AUDITOR, (), 403)):
        given = create_token(our.database, role, sites, "a program", our.now())
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {given}"})
        assert described(answer, "metrics").status_code == status
    assert described(client.get("/metrics"), "metrics").status_code == 401


def test_what_holders_of_a_link_do_is_described(app: Flask, client: FlaskClient) -> None:
    link, our = link_of(client), services(app)
    assert described(client.post(f"{link}/erasure"), "askForErasure").status_code == 202
    as_page = {"Accept": "text/html"}
    assert described(client.post(f"{link}/erasure", headers=as_page), "askForErasure").status_code == 303
    for operation, part in (("withdraw", "withdrawal"), ("askForErasure", "erasure")):
        for wrong, status in (("bare", 401), ("wrong.signature", 404)):
            answer = client.post(f"/v1/receipts/{wrong}/{part}")
            assert described(answer, operation).status_code == status
    assert described(client.post(f"{link}/withdrawal"), "withdraw").status_code == 303
    erase_requested(our.database, our.keys, our.settings.public_url, our.now, our.random, None)
    removed = {
        "receipt": client.get(link), "receiptProof": client.get(f"{link}/proof"),
        "withdraw": client.post(f"{link}/withdrawal"), "askForErasure": client.post(f"{link}/erasure"),
    }  # fmt: skip
    for operation, answer in removed.items():
        assert described(answer, operation).status_code == 410


def test_proofs_and_the_ledger_answer_as_described(app: Flask, client: FlaskClient) -> None:
    link, our = link_of(client), services(app)
    early = described(client.get(f"{link}/proof"), "receiptProof")
    assert early.status_code == 409
    seal_ledger(our.database, our.keys.ring, our.now)
    assert described(client.get(f"{link}/proof"), "receiptProof").status_code == 200
    assert described(client.get("/ledger/shop/checkpoint"), "checkpoint").status_code == 200
    assert described(client.get("/ledger/shop/checkpoints"), "checkpoints").status_code == 200
    assert described(client.get("/ledger/shop/consistency?from=0&to=1"), "consistency").status_code == 200
    assert described(client.get("/ledger/shop/tile/0/000.p/1"), "tile").status_code == 200
    assert described(client.get("/ledger/shop/timestamps"), "timestamps").status_code == 200
    receipt = client.get(f"{link}?format=jws").text
    answer = post(client, "/v1/receipts/verify", json.dumps({"receipt": receipt}).encode())
    assert described(answer, "verifyReceipt").json
    assert answer.json
    assert answer.json["valid"]


def test_a_choice_by_a_form_and_its_refusals_are_described(client: FlaskClient) -> None:
    path, ours = "/sites/shop/choice", {"Origin": "https://consent.example"}
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', client.get(path).text)) | {"action": "refuse_all"}
    answered = {
        200: client.post(path, data=sent, headers=ours),
        400: client.post(path, data=sent | {"action": "x"}, headers=ours),
        403: client.post(path, data=sent, headers=ORIGIN | {"Sec-Fetch-Site": "cross-site"}),
        404: client.post("/sites/nobody/choice", data=sent, headers=ours),
        413: client.post(path, data=sent | {"form": "x" * 9000}, headers=ours),
        415: client.post(path, data=b"{}", content_type="text/csv", headers=ours),
        422: client.post(path, data=sent | {"notice": "0" * 64}, headers=ours),
    }
    assert {described(answer, "chooseByForm").status_code for answer in answered.values()} == set(answered)


def test_refusals_of_decisions_are_described(client: FlaskClient) -> None:
    body = example("recordDecision", client)
    path = "/v1/sites/shop/decisions"
    assert post(client, path, body).status_code == 201
    changed = json.dumps(json.loads(body) | {"language": "en"}).encode()
    refused = {
        400: post(client, path, b"{}"),
        403: client.post(path, data=body, content_type="text/plain"),
        404: post(client, "/v1/sites/nobody/decisions", body),
        409: post(client, path, changed),
        413: post(client, path, b"x" * 9000),
        415: post(client, path, body, content_type="text/csv"),
        422: post(client, path, example("recordDecision", client, action="accept_all")),
    }
    assert {described(answer, "recordDecision").status_code for answer in refused.values()} == set(refused)


@pytest.mark.parametrize(
    ("operation", "path", "status"),
    [
        ("currentNotice", "/v1/sites/nobody/notice", 404),
        ("choicePage", "/sites/nobody/choice", 404),
        ("declaration", "/sites/nobody/declaration", 404),
        ("declaration", "/sites/shop/declaration?format=pdf", 400),
        ("declarationScript", "/widget/nobody/declaration.js", 404),
        ("debugScript", "/widget/nobody/debug.js", 404),
        ("archivedNotice", f"/v1/notices/{'0' * 64}", 404),
        ("archivedWidget", f"/v1/widgets/{'0' * 64}", 404),
        ("widget", "/widget/nobody.js", 404),
        ("receipt", "/v1/receipts/without-signature", 401),
        ("receipt", "/v1/receipts/wrong.signature", 404),
        ("receiptProof", "/v1/receipts/wrong.signature/proof", 404),
        ("checkpoint", "/ledger/nobody/checkpoint", 404),
        ("checkpoints", "/ledger/nobody/checkpoints", 404),
        ("checkpoints", "/ledger/shop/checkpoints?limit=0", 400),
        ("tile", "/ledger/shop/tile/0/999", 404),
        ("consistency", "/ledger/shop/consistency?from=1", 400),
        ("timestamps", "/ledger/nobody/timestamps", 404),
        ("timestamps", "/ledger/shop/timestamps?limit=0", 400),
        ("timestamp", f"/ledger/shop/timestamps/{'0' * 64}.tsr", 404),
        ("consistency", "/ledger/shop/consistency?from=1&to=x", 400),
        ("consistency", "/ledger/shop/consistency?from=1&to=2&size=3", 400),
        ("problem", "/problems/none", 404),
        ("asset", "/assets/none.css", 404),
    ],
)
def test_refusals_are_described(client: FlaskClient, operation: str, path: str, status: int) -> None:
    assert described(client.get(path), operation).status_code == status


def test_a_form_that_is_not_offered_is_refused(client: FlaskClient) -> None:
    assert described(client.get(f"{link_of(client)}?format=xml"), "receipt").status_code == 406


def test_sizes_that_are_no_range_are_refused(app: Flask, client: FlaskClient) -> None:
    link_of(client)
    seal_ledger(services(app).database, services(app).keys.ring, services(app).now)
    assert described(client.get("/ledger/shop/consistency?from=2&to=1"), "consistency").status_code == 422


def test_too_many_posts_and_a_database_that_is_away_are_described(app: Flask, tmp_path: Path) -> None:
    settings = services(app).settings
    strict = create_app(replace(settings, rate_limit="1 per hour")).test_client()
    body = example("recordShown", strict)
    assert post(strict, "/v1/sites/shop/shown", body).status_code == 204
    assert described(post(strict, "/v1/sites/shop/shown", body), "recordShown").status_code == 429
    away = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/none/consent.sqlite3")).test_client()
    assert described(away.get("/readyz"), "ready").status_code == 503
    assert described(post(away, "/v1/sites/shop/shown", body), "recordShown").status_code == 503


def test_the_file_is_served_with_the_address_of_the_server(client: FlaskClient) -> None:
    served = client.get("/openapi.json").json
    assert served == DOCUMENT | {"servers": [{"url": "https://consent.example"}]}


def test_the_page_names_every_operation_and_runs_no_script(client: FlaskClient) -> None:
    page = client.get("/docs").text
    for method, path, operation in operations():
        assert f'id="{operation["operationId"]}"' in page
        assert f"<code>{method} {path}</code>" in page
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="{name}"' in page
    assert "<script" not in page
