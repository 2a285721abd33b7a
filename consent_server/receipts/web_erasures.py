"""The operator's page of open requests for erasure."""

from flask import Blueprint

from consent_server.access import console
from consent_server.core.context import context
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.sites.find import find_site
from consent_server.sites.rules_rights import answer_by

bp = Blueprint("erasures", __name__, url_prefix="/console/sites/<key>")
console.frame(bp)


@bp.get("/erasure-requests")
def requests(key: str) -> str:
    """Those that are open, oldest first, with the days that are left to decide."""
    ctx = context()
    stored = find_site(ctx.database, key)
    pending = [(asked, answer_by(asked.asked_at)) for asked in read_erasure_requests(ctx.database, stored.id)]
    requests = [(asked, until.date(), (until - ctx.now()).days) for asked, until in pending]
    return console.page("receipts/erasure_requests.html", site=stored.site, requests=requests)
