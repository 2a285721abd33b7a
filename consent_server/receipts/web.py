"""Receipts: in the form that the caller asks for, and checked for whoever shows one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, json, request
from marshmallow import Schema, fields
from werkzeug.exceptions import NotAcceptable

from consent_server.core.context import context
from consent_server.core.errors import RemovedReceipt, Unauthenticated
from consent_server.http.answers import DAY, JSON, Cache, answer, open_to_every_page, with_headers
from consent_server.http.bodies import posted_bytes
from consent_server.http.fields import read_body
from consent_server.http.rate_limit import limited
from consent_server.receipts.may_read import may_read_receipt
from consent_server.receipts.open_link import of_link
from consent_server.receipts.page import receipt_page, removed_page
from consent_server.receipts.pasted import receipt_in
from consent_server.receipts.prove import prove_receipt, signed_anew
from consent_server.receipts.read import ReadReceipt, read_receipt
from consent_server.receipts.rules_dpv import dpv_receipt
from consent_server.receipts.verify import verify_receipt

bp = Blueprint("receipts", __name__)
open_to_every_page(bp, "GET", headers=["Content-Type"], ask_again_after=DAY)
bp.register_error_handler(RemovedReceipt, removed_page)
verification = Blueprint("verification", __name__)
open_to_every_page(verification, "POST", headers=["Content-Type"], ask_again_after=DAY)

# A receipt of a site with fifty vendors and a long page.
RECEIPT_LIMIT = 64 * 1024
# The form that a query names, for links on the page itself; programs send Accept.
LD_JSON = "application/ld+json"
FORMATS = {
    "jws": "application/jose",
    "json": "application/json",
    "jsonld": LD_JSON,
    "html": "text/html",
}
# What a form is called when it is saved.
SUFFIXES = {"jws": ".jws", "json": ".json", "jsonld": ".jsonld"}
DATA = Path(__file__).parent / "data"


@bp.get("/v1/receipts/<link>")
def receipt(link: str) -> Response:
    """A receipt by its signed link."""
    ctx, form, day = context(), _wanted_form(), ""
    with _opened(link) as receipt_id:
        if form == "text/html":
            response = receipt_page(receipt_id, held=receipt_id != link)
        else:
            read = read_receipt(ctx.database, ctx.keys.ring, receipt_id)
            response, day = _as(form, read), f"{read.recorded_at:%Y-%m-%d}"
    # The link is the visitor's key to the receipt: no cache keeps it, no other site learns it.
    headers = {"Referrer-Policy": "no-referrer"}
    if request.args.get("format") in SUFFIXES:
        # A link cannot send Accept, and across origins it cannot say "download" either.
        name = f"receipt-{day}-{receipt_id}{SUFFIXES[request.args['format']]}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return with_headers(response, Cache.PRIVATE, vary=["Accept"], headers=headers)


@bp.get("/v1/receipts/<link>/proof")
def proof(link: str) -> Response:
    """The proof that a receipt stands in its site's ledger."""
    with _opened(link) as receipt_id:
        proved = prove_receipt(context().database, receipt_id)
        checkpoint = signed_anew(proved, context().keys.ring)
    body = {
        "leaf_index": proved.leaf_index,
        "tree_size": proved.tree_size,
        "hashes": [value.hex() for value in proved.hashes],
        "checkpoint": checkpoint,
        "salt": proved.salt.hex(),
    }
    name = {"Content-Disposition": f'attachment; filename="proof-{context().now():%Y-%m-%d}-{receipt_id}.json"'}
    return answer(body, cache=Cache.PRIVATE, headers=name)


@contextmanager
def _opened(link: str) -> Iterator[str]:
    """The receipt id of a signed link, or a bare one for an auditor."""
    if "." in link:
        with of_link(link) as receipt_id:
            yield receipt_id
    elif may_read_receipt(link):
        yield link
    else:
        raise Unauthenticated("A receipt is shown to whoever holds its signed link. Use the whole receipt_url.")


def _wanted_form() -> str:
    if "format" in request.args:
        return FORMATS.get(request.args["format"], "")
    # application/json first: it is what a caller without a preference gets.
    forms = ["application/json", "application/jose", "text/html", LD_JSON]
    return request.accept_mimetypes.best_match(forms, default="") if request.accept_mimetypes else forms[0]


def _as(form: str, read: ReadReceipt) -> Response:
    if form == "application/jose":
        return answer(read.receipt, form)
    if form == JSON:
        return answer(read.claims)
    if form == LD_JSON:
        return _document(dpv_receipt(read.claims, read.notice, read.notice_at, _dpv_context()), LD_JSON)
    raise NotAcceptable(f"Receipts do not come in this form. `format` may be one of: {', '.join(FORMATS)}.")


def _document(document: dict[str, Any], mimetype: str) -> Response:
    # For people too: accents stay letters, and the order is that of the standard.
    return answer(json.dumps(document, ensure_ascii=False, sort_keys=False), mimetype)


@cache
def _dpv_context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((DATA / "dpv-context.json").read_text("utf-8"))
    return context


@verification.after_request
def say_what_is_allowed(response: Response) -> Response:
    """By its form this is the address of a receipt too, and none has this name."""
    if request.method == "OPTIONS":
        response.headers["Allow"] = "OPTIONS, POST"
    return response


@verification.post("/v1/receipts/verify")
@limited
def verify() -> Response:
    """Check a receipt: key, signature, record; says which step failed."""
    body = read_body(RECEIPT_TO_CHECK_IN, posted_bytes(RECEIPT_LIMIT))
    verification = verify_receipt(receipt_in(body["receipt"]), context().keys.ring, context().database, context().now)
    found = {
        "valid": verification.valid,
        "readable": verification.readable,
        "checks": [asdict(check) for check in verification.checks],
        "claims": verification.claims,
    }
    return answer(found, cache=Cache.NO_STORE)


class ReceiptToCheckIn(Schema):
    """The body of POST /v1/receipts/verify."""

    receipt = fields.String(required=True)


RECEIPT_TO_CHECK_IN = ReceiptToCheckIn()
