"""The links to reports of a site: who shared what until when, and how to take one back."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.core.context import context
from consent_server.core.errors import UnknownReport
from consent_server.http.fields import row_number
from consent_server.rates.share_report import list_reports, revoke_report
from consent_server.sites.find import find_site

bp = Blueprint("shared", __name__, url_prefix="/console/sites/<key>/reports")
console.frame(bp)


@bp.get("")
def reports(key: str) -> str:
    """Those that can still be opened, newest first."""
    ctx = context()
    found = [one for one in list_reports(ctx.database, ctx.now()) if one.site == key]
    return console.page("rates/shared.html", site=find_site(ctx.database, key).site, reports=found[::-1])


@bp.post("/<number>/revocation")
def post_revocation(key: str, number: str) -> AnyResponse:
    """Make one link worthless."""
    named = row_number(number)
    if named is None:
        raise UnknownReport("A shared report is named by its number.")
    database = context().database
    revoke_report(database, named, context().now(), find_site(database, key).id)
    return redirect(url_for("shared.reports", key=key), 303)
