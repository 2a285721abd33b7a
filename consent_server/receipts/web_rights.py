"""What a receipt's signed link is enough for: to withdraw, and to ask for erasure. No account, no session, no script.

Only a POST does anything: programs that open links in mails, and browsers that fetch ahead, send none.
"""

from contextlib import AbstractContextManager

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.core.context import context
from consent_server.core.errors import RemovedReceipt, Unauthenticated
from consent_server.core.times import rfc3339
from consent_server.decisions.read_request import visit
from consent_server.decisions.record import RecordDecision
from consent_server.http.answers import DAY, Cache, answer, open_to_every_page, with_headers
from consent_server.http.rate_limit import limited
from consent_server.receipts.open_link import of_link
from consent_server.receipts.page import removed_page
from consent_server.receipts.request_erasure import request_erasure
from consent_server.receipts.withdraw import read_standing, withdraw_receipt
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.rules_rights import answer_by

bp = Blueprint("rights", __name__, url_prefix="/v1/receipts/<link>")
# The panel asks from the site's own pages. Who knows the link may use it, from whatever page.
open_to_every_page(bp, "POST", ask_again_after=DAY)
bp.register_error_handler(RemovedReceipt, removed_page)


@bp.post("/withdrawal")
@limited
def withdraw(link: str) -> AnyResponse:
    """Withdraw what stands granted, and go to the receipt of that; to this receipt where nothing is granted."""
    ctx = context()
    with _held(link) as receipt_id:
        standing = read_standing(ctx.database, ctx.keys.ring, receipt_id, ctx.now())
    gpc = request.headers.get("Sec-GPC") == "1"
    recorded = withdraw_receipt(standing, ctx[CurrentSites], ctx[RecordDecision], ctx.signer, gpc, visit())
    return _to_receipt((recorded and recorded.link) or link)


@bp.post("/erasure")
@limited
def ask_for_erasure(link: str) -> AnyResponse:
    """Ask the controller for erasure: a request, on which a person decides. Asked again, it is the same request."""
    ctx = context()
    with _held(link) as receipt_id:
        asked_at = request_erasure(ctx.database, receipt_id, ctx.now())
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return _to_receipt(link)
    body = {"asked_at": rfc3339(asked_at), "answer_by": rfc3339(answer_by(asked_at))}
    return answer(body, status=202, cache=Cache.NO_STORE)


def _held(link: str) -> AbstractContextManager[str]:
    # A session or a token of an auditor may read a receipt; only its holder may act on it.
    if "." not in link:
        raise Unauthenticated("Only whoever holds the signed link of a receipt may do this. Use the whole receipt_url.")
    return of_link(link)


def _to_receipt(link: str) -> AnyResponse:
    # As a path of this host, since the form may lead nowhere else (form-action 'self').
    there = redirect(url_for("receipts.receipt", link=link), 303)
    return with_headers(there, Cache.NO_STORE, headers={"Referrer-Policy": "no-referrer"})
