"""The operator's page of open requests for erasure."""

from flask import Blueprint, request
from marshmallow import Schema

from consent_server.access import console
from consent_server.core.context import context
from consent_server.http.fields import Number, read_query
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
    return console.page("receipts/erasure_requests.html", site=stored.site, requests=requests, number=page, more=more)


def _open(key: str) -> int:
    database = context().database
    return count_erasure_requests(database, find_site(database, key).id)


console.WAITING["erasures.requests"] = _open


class PagesQuery(Schema):
    """Which page of the list."""

    page = Number(1, 10**6, load_default=1)


PAGES = PagesQuery()
