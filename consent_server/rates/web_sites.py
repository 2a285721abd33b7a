"""The rates of all sites that a marketer may see, on one page."""

from typing import Any

from flask import Blueprint, request
from marshmallow import Schema

from consent_server.access import console
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.http.fields import Number, read_query
from consent_server.rates import board
from consent_server.rates.read import RatesReader
from consent_server.rates.read_sites import read_sites
from consent_server.rates.rules import RATES
from consent_server.rates.rules_dashboard import Summary
from consent_server.rates.rules_filters import USUAL_DAYS

bp = Blueprint("sites_rates", __name__, url_prefix="/console")
console.frame(bp)


@bp.get("/rates")
def sites() -> str:
    """Four numbers of each site, with what changed."""
    number = read_query(PAGES, request.args)["page"]
    keys = [site.key for site in console.sites_of_caller(Role.MARKETER)]
    found, more = read_sites(context()[RatesReader], keys, number)
    heads = [(words, part, RATES[name]) for name, (words, part, _) in board.HEADLINES.items()]
    rows = [_row(summary) for summary in found]
    return console.page("rates/sites.html", sites=rows, heads=heads, number=number, more=more, span_days=USUAL_DAYS)


def _row(summary: Summary) -> dict[str, Any]:
    headlines = [] if summary.totals.is_empty else board.headlines(summary.totals, summary.changes)
    return {"site": summary.site, "alerts": len(summary.alerts), "headlines": headlines}


class PagesQuery(Schema):
    """Which page of the list."""

    page = Number(1, 10**6, load_default=1)


PAGES = PagesQuery()
