"""Status and headers of every route, as headers.json has them: who may keep an answer, whose pages may read it.

Without that file a run writes it, and fails: what changed is then seen in its difference.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.access.credentials import ReportLinks
from consent_server.access.rules import Role
from consent_server.core.context import Context
from consent_server.core.hashes import sha256_hex
from consent_server.ledger.rows import TimestampRow
from consent_server.ledger.seal import seal_ledger
from consent_server.people.tokens import create_token
from consent_server.receipts.erase_visitor import erase_requested
from consent_server.sites import store_pictures as pictures
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import SHOP, START, Body
from tests.support.visitor import post

TABLE = Path(__file__).with_name("headers.json")
HTML = {"Accept": "text/html"}
FOREIGN = {"Origin": "https://elsewhere.example"}
PNG = b"a picture"
DIGEST = "d" * 64
ABSENT = {"site": "nobody", "notice": "0" * 64, "widget": "0" * 64, "picture": "0" * 64, "link": "wrong.signature",
          "report": "wrong", "digest": "0" * 64, "path": "tile/0/999", "script": "none.js", "file": "none.css",
          "slug": "none", "number": "0", "receipt": "00000000-0000-7000-8000-000000000000"}  # fmt: skip
# The name that a rule gives a part of its address, where it is not the part's own.
NAMES = {"key": "site", "notice_hash": "notice", "widget_hash": "widget", "receipt_id": "receipt", "filename": "file"}
# The same in every request, or another in every run.
UNSAID = ("Authorization", "If-None-Match", "Access-Control-Request-Headers")
# Beside what every route is asked.
MORE: list[tuple[str, str, Mapping[str, str]]] = [
    *(("GET", f"/v1/receipts/{{link}}?format={form}", {}) for form in ("jws", "json", "jsonld", "html", "xml")),
    *(("GET", "/v1/receipts/{link}", {"Accept": kind}) for kind in ("text/html", "application/ld+json")),
    ("GET", "/v1/receipts/{removed}", {}),
    ("GET", "/v1/receipts/{removed}", HTML),
    ("POST", "/v1/receipts/{link}/erasure", HTML),
    ("GET", "/v1/notices/{notice}", HTML),
    ("GET", "/v1/notices/{notice}?format=html&lang=fr", {}),
    *(("GET", f"/sites/{{site}}/declaration?format={form}", {}) for form in ("html", "json", "elements", "pdf")),
    *(("GET", "/widget/{site}.js", {"Accept-Encoding": encoding}) for encoding in ("br", "gzip", "identity")),
    ("GET", "/ledger/{site}/checkpoints?limit=1", {}),
    ("GET", "/ledger/{site}/consistency?from=0&to=1", {}),
    ("GET", "/v1/notices/{notice}/preview/{widget}/widget/{script}?lang=fr", {}),
    ("GET", "/widget/{site}.js", FOREIGN),
    ("GET", "/v1/receipts/{link}/proof", FOREIGN),
    ("GET", "/nowhere", {}),
    ("GET", "/nowhere", HTML),
    ("PUT", "/v1/sites/{site}/decisions", {}),
]
# Kept by caches and asked again with what they were given.
REVALIDATED = (
    "/v1/sites/{site}/notice", "/v1/notices/{notice}", "/v1/notices/{notice}/pictures/{picture}.png",
    "/widget/{site}.js", "/widget/{site}/details.js", "/sites/{site}/declaration", "/assets/{file}",
)  # fmt: skip


def addresses(app: Flask) -> Iterator[tuple[str, str, set[str]]]:
    """Of every route: its address with names for what varies, its rule, and its methods."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        yield re.sub(r"<(?:path:)?(\w+)>", named, rule.rule), rule.rule, set(rule.methods or ())


def named(part: re.Match[str]) -> str:
    """The name of a part of an address; a report's link opens no receipt."""
    return "{report}" if part.string.startswith("/reports/") else f"{{{NAMES.get(part[1], part[1])}}}"


def answered(answer: TestResponse) -> str:
    """Status and headers, without what differs between two answers of the same kind."""
    answer.get_data()
    headers = [(name, in_order(name, masked(value))) for name, value in answer.headers if name != "Content-Length"]
    lines = [f"{name}: {value}" for name, value in headers]
    answer.close()
    return " | ".join([str(answer.status_code), *sorted(lines)])


def masked(value: str) -> str:
    """A header without hashes, ids, signatures and times."""
    value = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "(id)", value)
    value = re.sub(r"[\w-]{3,}\.[\w-]{43}\b|\(id\)\.[\w-]{43}\b|(?<![\w-])[\w-]{43}(?![\w-])", "(signed)", value)
    value = re.sub(r"[0-9]{10}\.[0-9.]+-[0-9]+-[0-9]+", "(file)", value)
    value = re.sub(r"eu-consent=[^;]+", "eu-consent=(choice)", value)
    value = re.sub(r"(Expires=|^)\w{3}, [^;]+ GMT", r"\1(time)", value)
    return re.sub(r"[0-9a-f]{16,64}", "(hash)", value)


def in_order(name: str, value: str) -> str:
    """A header's value; methods come in any order."""
    return ", ".join(sorted(value.split(", "))) if name == "Allow" else value


class Asked:
    """What was asked so far, and how it was answered."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values, self.answers = values, dict[str, str]()

    def __call__(
        self, client: FlaskClient, who: str, method: str, address: str, headers: Mapping[str, str], **more: Any
    ) -> TestResponse:
        """Ask, and write down the answer."""
        said = (f"{name}: {value}" for name, value in headers.items() if name not in UNSAID)
        request = " ".join([who, method, address, *said])
        given = self.values if who != "astray" else ABSENT
        answer = client.open(address.format_map(given), method=method, headers=headers, **more)
        self.answers[request] = answered(answer)
        return answer


def test_every_route_answers_with_the_headers_of_the_table(
    app: Flask, client: FlaskClient, services: Context, body: Body
) -> None:
    asked = Asked(values(client, services, body))
    operator = {"Authorization": f"Bearer {create_token(services.database, Role.OPERATOR, (), 'a program', START)}"}
    for address, _, methods in addresses(app):
        for method in sorted(methods - {"OPTIONS"}):
            asked(client, "anybody", method, address, {})
            asked(client, "astray", method, address, {})
        if "GET" in methods:
            asked(client, "operator", "GET", address, operator)
            asked(client, "person", "GET", address, HTML)
        for method in ("GET", "POST"):
            wished = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type, x-own"}
            asked(client, "page", "OPTIONS", address, FOREIGN | wished)
    for method, address, headers in MORE:
        asked(client, "anybody", method, address, headers)
    for address in REVALIDATED:
        with client.get(address.format_map(asked.values)) as first:
            held = {"If-None-Match": first.headers["ETag"]}
        assert asked(client, "cache", "GET", address, held).status_code == 304
    posts(client, asked, body)
    compare(asked.answers)


def values(client: FlaskClient, services: Context, body: Body) -> dict[str, str]:
    """What is there to be asked for."""
    answers = [post(client, body()).get_json() for _ in range(3)]
    links = [answer["receipt_url"].rpartition("/")[2] for answer in answers]
    seal_ledger(services.database, services.keys.ring, services.now)
    assert client.post(f"/v1/receipts/{links[1]}/erasure").status_code == 202
    erase_requested(services.database, services.keys, services.settings.public_url, services.now, services.random, None)
    current = services[CurrentSites].get("shop")
    motif = pictures.Motif(current.notice.hash, current.widget.hash, "en", 1280)
    with services.database.transaction() as session:
        pictures.add(session, motif, PNG, "a browser", services.now())
        row = {"site_id": current.site_id, "kind": "checkpoint", "size": 3, "digest": bytes.fromhex(DIGEST)}
        session.add(TimestampRow(**row, reply=b"a reply", stamped_at=services.now()))
    report = {"site": "shop", "by": "day", "notice": None, "days": 28}
    return {
        "site": "shop", "notice": current.notice.hash, "widget": current.widget.hash, "picture": sha256_hex(PNG),
        "link": links[0], "removed": links[1], "receipt": answers[0]["receipt_id"], "digest": DIGEST,
        "report": services[ReportLinks].sign(report, START.replace(year=2027)), "path": "tile/0/000.p/4",
        "script": "shop.js", "file": "page.css", "slug": "unknown-site", "number": "1",
    }  # fmt: skip


def posts(client: FlaskClient, asked: Asked, body: Body) -> None:
    """Bodies that are taken."""
    decision, banner = body(), {"notice": body.notice, "language": "en"}
    for headers in ({"Origin": SHOP}, {"Origin": SHOP, "Sec-Fetch-Site": "same-origin"}):
        asked(client, "visitor", "POST", "/v1/sites/{site}/decisions", headers, json=decision)
    asked(client, "another visitor", "POST", "/v1/sites/{site}/decisions", {"Origin": SHOP}, json=body())
    asked(client, "visitor", "POST", "/v1/sites/{site}/shown", {"Origin": SHOP}, json=banner)
    conversions = banner | {"sent": {"google-ads": 1}, "blocked": {}}
    asked(client, "visitor", "POST", "/v1/sites/{site}/conversions", {"Origin": SHOP}, json=conversions)
    page_load = banner | {"answered": True, "granted": ["google-ads"]}
    asked(client, "visitor", "POST", "/v1/sites/{site}/page-loads", {"Origin": SHOP}, json=page_load)
    receipt = {"receipt": client.get(f"/v1/receipts/{asked.values['link']}?format=jws").text}
    asked(client, "visitor", "POST", "/v1/receipts/verify", {}, json=receipt)
    form = {"notice": body.notice, "action": "refuse_all", "language": "en"}
    asked(client, "visitor", "POST", "/sites/{site}/choice", {"Sec-Fetch-Site": "same-origin"}, data=form)
    asked(client, "visitor", "POST", "/sites/{site}/choice", {"Sec-Fetch-Site": "cross-site"}, data=form)


def compare(answers: dict[str, str]) -> None:
    """With the table, in which requests stand under the answer that they share."""
    if not TABLE.exists():
        shared: dict[str, list[str]] = {}
        for request, answer in answers.items():
            shared.setdefault(answer, []).append(request)
        TABLE.write_text(json.dumps(shared, indent=1) + "\n", "utf-8")
        pytest.fail(f"{TABLE.name} was not there, and is written: look at it, and keep it.")
    table = json.loads(TABLE.read_text("utf-8"))
    assert answers == {request: answer for answer, requests in table.items() for request in requests}
