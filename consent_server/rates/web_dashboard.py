"""The marketers' console: consent rates of a site on one page."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.datastructures import MultiDict

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.access.credentials import ReportLinks
from consent_server.core.context import context
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.core.times import local_day
from consent_server.http.fields import read_query, without_empty
from consent_server.ledger.read_marked import read_marked
from consent_server.rates import board
from consent_server.rates.queries import DASHBOARD, PARAMETERS
from consent_server.rates.read import Dashboard, RatesReader
from consent_server.rates.rules_filters import LONGEST_BY_HOUR, By, Filters, Span, filters_of_query
from consent_server.rates.share_report import share_report
from consent_server.sites.find import find_site
from consent_server.sites.rules_site import Site

bp = Blueprint("dashboard", __name__, url_prefix="/console/sites/<key>/rates")
console.frame(bp)
bp.record_once(lambda state: state.app.jinja_env.filters.update(board.FILTERS))

QUICK = {7: "7 days", 28: "28 days", 90: "90 days", 365: "A year"}
# Longer than this, the quick links show weeks.
MOST_DAYS = 120
# Days after which a shared link ends.
LIFETIMES = {7: "a week", 30: "30 days", 90: "90 days"}


@bp.get("")
def rates(key: str) -> str | tuple[str, int]:
    """Rates of a span of days; the address keeps what was asked for."""
    given = without_empty(request.args)
    with context()[RatesReader].site(key) as site:
        try:
            filters = _filters(given, site.today)
            dashboard = site.dashboard(filters)
        except InvalidQuery as refusal:
            faults = {fault.pointer[2:]: fault.detail for fault in refusal.faults}
            return _page(site.site, faults=faults, given=given, dashboard=None), 400
    # What stands in the table names the days that it is compared with, also where the address names none.
    data = dashboard.rates.filters.to_query()
    quick = _quick(key, filters, site.today)
    return _page(site.site, dashboard, faults={}, given=filters.to_query(), data=data, quick=quick)


@bp.post("/link")
def share(key: str) -> str:
    """Make a link to a report that anyone may read who has it, for a time."""
    ctx, form = context(), request.form
    stored = find_site(ctx.database, key)
    site = stored.site
    sent = without_empty(MultiDict({name: form[name] for name in PARAMETERS if name in form}))
    filters = _filters(sent, local_day(ctx.now(), site.time_zone))
    lifetime = {str(days): days for days in LIFETIMES}.get(form.get("lifetime", ""))
    if lifetime is None or form.get("days") not in ("these", "latest"):
        detail = "Choose one of the options in the form."
        raise InvalidQuery("Nothing was shared.", [Fault("#/lifetime", detail)])
    until, latest = ctx.now() + timedelta(days=lifetime), form["days"] == "latest"
    subject = {"site": key, **filters.to_link(latest)}
    token = share_report(ctx.database, ctx[ReportLinks], stored.id, auth.caller().name, subject, until, ctx.now())
    link = f"{ctx.settings.public_url}/reports/{token}"
    return console.page("rates/report_link.html", site=site, link=link, until=until, filters=filters, latest=latest)


def _filters(given: MultiDict[str, str], today: date) -> Filters:
    return filters_of_query(read_query(DASHBOARD, given), today)


def _quick(key: str, filters: Filters, today: date) -> list[dict[str, Any]]:
    """Links to the days up to today, with the other filters kept."""
    links = []
    for days, words in QUICK.items():
        span = Span.ending(today, days)
        # A year of days is more noise than line.
        by = By.WEEK if days > MOST_DAYS else filters.by if days <= LONGEST_BY_HOUR else By.DAY
        other = filters.other if filters.other and not span.overlaps(filters.other) else None
        query: dict[str, Any] = replace(filters, span=span, by=by, other=other).to_query()
        address = url_for("dashboard.rates", key=key, **query)
        links.append({"words": words, "address": address, "current": span == filters.span})
    return links


def _page(site: Site, dashboard: Dashboard | None, **values: Any) -> str:
    shown: dict[str, Any] = board.values(dashboard) if dashboard else {"dashboard": None}
    shown["marked"] = read_marked(context().database, context().keys.ring, site.key)
    tag = f'<script async src="{context().settings.public_url}/widget/{site.key}.js"></script>'
    return console.page("rates/rates.html", site=site, tag=tag, lifetimes=LIFETIMES, **shown, **values)
