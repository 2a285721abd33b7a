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
    pending = read_erasure_requests(ctx.database, stored.id)
    due = {request.receipt_id: answer_by(request.asked_at) for request in pending}
    left = {receipt_id: (until - ctx.now()).days for receipt_id, until in due.items()}
    return console.page("receipts/erasure_requests.html", site=stored.site, requests=pending, due=due, left=left)
