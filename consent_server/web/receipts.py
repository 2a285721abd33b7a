"""Receipts: in the form that the caller asks for, and checked for whoever shows one."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import Blueprint, Response, json, render_template, request
from flask_cors import CORS
from werkzeug.exceptions import NotAcceptable

from consent_server import catalogue
from consent_server.config import ROOT
from consent_server.domain.dpv import dpv_receipt
from consent_server.domain.errors import FormUnavailable, NotSealedYet, Unauthenticated, UnknownReceipt
from consent_server.domain.kantara import kantara_receipt
from consent_server.extensions import services
from consent_server.usecases.prove_receipt import Proof, prove_receipt
from consent_server.usecases.read_receipt import ReadReceipt, read_receipt
from consent_server.usecases.verify_receipt import verify_receipt
from consent_server.web.auth import may_read_receipt
from consent_server.web.public import posted_bytes
from consent_server.web.rate_limit import limited
from consent_server.web.schemas import VERIFY_IN, read_body
from consent_server.wording import Wording

bp = Blueprint("receipts", __name__)
CORS(bp, origins="*", send_wildcard=True, methods=["GET", "POST"], allow_headers=["Content-Type"], max_age=86400)

# A receipt of a site with fifty vendors and a long page.
RECEIPT_LIMIT = 64 * 1024
# The form that a query names, for links on the page itself; programs send Accept.
LD_JSON, KANTARA = "application/ld+json", "kantara"
FORMATS = {
    "jws": "application/jose",
    "json": "application/json",
    "jsonld": LD_JSON,
    "html": "text/html",
    "kantara": KANTARA,
}
DATA = ROOT / "consent_server" / "data"


@bp.get("/v1/receipts/<link>")
def receipt(link: str) -> Response:
    """A receipt by its signed link."""
    found = read_receipt(services().database, services().keys.ring, _receipt_id(link))
    response = _as(_wanted_form(), found)
    # The link is the visitor's key to the receipt: no cache keeps it, no other site learns it.
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.vary.add("Accept")
    return response


@bp.get("/v1/receipts/<link>/proof")
def proof(link: str) -> Response:
    """The proof that a receipt stands in its site's ledger."""
    found = prove_receipt(services().database, _receipt_id(link))
    body = {
        "leaf_index": found.leaf_index,
        "tree_size": found.tree_size,
        "hashes": [value.hex() for value in found.hashes],
        "checkpoint": found.checkpoint,
        "salt": found.salt.hex(),
    }
    response = Response(json.dumps(body), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _receipt_id(link: str) -> str:
    if "." not in link:
        if may_read_receipt(link):
            return link
        raise Unauthenticated("A receipt is shown to who holds its signed link. Use the receipt_url in full.")
    receipt_id = services().receipt_links.read(link)
    if receipt_id is None:
        raise UnknownReceipt("There is no receipt at this address. Check that the link is complete.")
    return receipt_id


def _wanted_form() -> str:
    if "format" in request.args:
        return FORMATS.get(request.args["format"], "")
    # application/json first: it is what a caller without a preference gets.
    forms = ["application/json", "application/jose", "text/html", LD_JSON]
    return request.accept_mimetypes.best_match(forms, default="") if request.accept_mimetypes else forms[0]


def _as(form: str, found: ReadReceipt) -> Response:
    if form == "application/jose":
        return Response(found.receipt, content_type="application/jose")
    if form == "application/json":
        return Response(json.dumps(found.claims), mimetype="application/json")
    if form == LD_JSON:
        return _document(dpv_receipt(found.claims, found.notice, found.notice_at, _dpv_context()), LD_JSON)
    if form == KANTARA:
        return _document(kantara_receipt(found.claims, found.notice), "application/json")
    if form == "text/html":
        return Response(_page(found), mimetype="text/html")
    raise NotAcceptable


def _document(document: dict[str, Any], mimetype: str) -> Response:
    # For people too: accents stay letters, and the order is that of the standard.
    return Response(json.dumps(document, ensure_ascii=False, sort_keys=False), mimetype=mimetype)


@cache
def _dpv_context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((DATA / "dpv-context.json").read_text("utf-8"))
    return context


@bp.get("/schemas/kantara-cr-1.1.json")
def kantara_schema() -> Response:
    """The JSON Schema of the Kantara form, written from the specification's field table."""
    schema = (DATA / "kantara-cr-1.1.json").read_bytes()
    response = Response(schema, mimetype="application/schema+json")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _page(found: ReadReceipt) -> str:
    claims, language = found.claims, found.claims["language"]
    locale = catalogue.locales().get(language) or catalogue.locales()["en"]
    wording = Wording(language if language in catalogue.locales() else "en")
    return render_template(
        "receipt.html",
        claims=claims,
        language=language,
        direction=locale["meta"]["direction"],
        language_name=locale["meta"]["name"],
        texts=locale["receipt"],
        check=locale["check"],
        policies=locale["banner"],
        purposes=_purposes(claims, found.notice),
        vendors=[(v["key"], v["name"], claims["vendors"][v["key"]]) for v in found.notice["vendors"]],
        proof=(proof := _proof_if_sealed(claims["jti"])),
        sealed_at=wording.moment(proof.sealed_at) if proof else None,
        kantara=_has_kantara_form(found),
        site_name=found.notice["name"],
        recorded_at=wording.moment(found.recorded_at),
        valid_until=wording.moment(datetime.fromtimestamp(claims["valid_until"], UTC)),
        link=request.script_root + request.path,
    )


def _purposes(claims: dict[str, Any], notice: dict[str, Any]) -> list[tuple[str, dict[str, str], bool]]:
    texts = notice["texts"][claims["language"]]["purposes"]
    return [(p["key"], texts[p["key"]], claims["grants"][p["key"]]) for p in notice["purposes"]]


def _proof_if_sealed(receipt_id: str) -> Proof | None:
    try:
        return prove_receipt(services().database, receipt_id)
    except NotSealedYet:
        return None


def _has_kantara_form(found: ReadReceipt) -> bool:
    try:
        return bool(kantara_receipt(found.claims, found.notice))
    except FormUnavailable:
        return False


@bp.post("/v1/receipts/verify")
@limited
def verify() -> Response:
    """Check a receipt: key, signature, record; says which step failed."""
    body = read_body(VERIFY_IN, posted_bytes(RECEIPT_LIMIT))
    verification = verify_receipt(body["receipt"], services().keys.ring, services().database, services().now)
    answer = {
        "valid": verification.valid,
        "checks": [asdict(check) for check in verification.checks],
        "claims": verification.claims,
    }
    response = Response(json.dumps(answer), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
