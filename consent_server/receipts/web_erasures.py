"""The operator's pages of requests for erasure: those that are open, the decision on one, and the register."""

import os

from flask import Blueprint, redirect, request, url_for
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.http.fields import Number, read_query
from consent_server.receipts.decide_request import LONGEST_REASON, carry_out, read_register, read_request, refuse
from consent_server.receipts.request_erasure import count_erasure_requests, read_erasure_page
from consent_server.sites.find import find_site
from consent_server.sites.rules_rights import answer_by

bp = Blueprint("erasures", __name__, url_prefix="/console/sites/<key>")
console.frame(bp)


@bp.get("/erasure-requests")
def requests(key: str) -> str:
    """Those that are open, oldest first, with the days that are left to decide."""
    ctx, page = context(), read_query(PAGES, request.args)["page"]
    stored = find_site(ctx.database, key)
    found, more = read_erasure_page(ctx.database, stored.id, page)
    pending = [(asked, answer_by(asked.asked_at)) for asked in found]
    requests = [(asked, until.date(), (until - ctx.now()).days) for asked, until in pending]
    ended = read_register(ctx.database, stored.id)
    return console.page(
        "receipts/erasure_requests.html", site=stored.site, requests=requests, ended=ended, number=page, more=more
    )


@bp.get("/erasure-requests/<receipt_id>")
def decision(key: str, receipt_id: str) -> str:
    """What one request is about, and the two ways to end it."""
    ctx = context()
    stored = find_site(ctx.database, key)
    asked = read_request(ctx.database, stored, receipt_id)
    until = answer_by(asked.request.asked_at)
    return console.page(
        "receipts/erasure_decision.html",
        site=stored.site,
        asked=asked,
        until=until.date(),
        left=(until - ctx.now()).days,
        longest=LONGEST_REASON,
    )


@bp.post("/erasure-requests/<receipt_id>")
def decide(key: str, receipt_id: str) -> AnyResponse:
    """Erase, once somebody has said that they mean it, or refuse with a reason."""
    ctx, who = context(), auth.caller().name
    stored = find_site(ctx.database, key)
    act = request.form.get("act")
    if act == "refuse":
        refuse(ctx.database, stored, receipt_id, request.form.get("reason", ""), ctx.now(), who)
    elif act == "erase" and request.form.get("sure") == "yes":
        carry_out(ctx.database, ctx.keys, ctx.settings.public_url, ctx.now, os.urandom, stored, receipt_id, who)
    else:
        said = "Tick that the records are to be removed for good, or refuse with a reason."
        raise InvalidQuery("Nothing was decided.", [Fault("sure", said)])
    return redirect(url_for("erasures.requests", key=key), 303)


def _open(key: str) -> int:
    database = context().database
    return count_erasure_requests(database, find_site(database, key).id)


console.WAITING["erasures.requests"] = _open


class PagesQuery(Schema):
    """Which page of the list."""

    page = Number(1, 10**6, load_default=1)


PAGES = PagesQuery()
