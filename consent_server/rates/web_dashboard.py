"""The marketers' console: consent rates of a site on one page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.datastructures import MultiDict

from consent_server.access import console
from consent_server.access.credentials import ReportLinks
from consent_server.access.guard import needs
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.http.fields import read_query, without_empty
from consent_server.rates import board
from consent_server.rates.queries import DASHBOARD
from consent_server.rates.read import By, Span, today
from consent_server.rates.read_alerts import recent_alerts
from consent_server.rates.read_dashboard import Dashboard, read_dashboard
from consent_server.rates.read_span import LONGEST_BY_HOUR, asked_other, asked_span, require_known, shares_days
from consent_server.sites.find import find_site
from consent_server.sites.rules_site import Site

bp = Blueprint("dashboard", __name__, url_prefix="/console/sites/<key>/rates")
console.frame(bp)
bp.record_once(lambda state: state.app.jinja_env.filters.update(board.FILTERS))
console.LINKS += [(Role.MARKETER, "Rates", "dashboard.rates")]

QUICK = {7: "7 days", 28: "28 days", 90: "90 days", 365: "A year"}
FILTERS = ("from", "to", "by", "notice", "compare_from", "compare_to")
# Longer than this, the quick links show weeks.
MOST_DAYS = 120
# Days after which a shared link ends.
LIFETIMES = {7: "a week", 30: "30 days", 90: "90 days"}


@bp.get("")
@needs(Role.MARKETER)
def rates(key: str) -> str | tuple[str, int]:
    """Rates of a span of days; the address keeps what was asked for."""
    ctx, given = context(), without_empty(request.args)
    site = find_site(ctx.database, key).site
    try:
        asked = read_asked(key, given)
        found = read_dashboard(ctx.database, key, asked.span, asked.by, asked.notice, asked.other)
        require_known(asked.notice, found.beside)
    except InvalidQuery as refusal:
        faults = {fault.pointer[2:]: fault.detail for fault in refusal.faults}
        return _page(site, faults=faults, given=given, dashboard=None), 400
    alerts = recent_alerts(ctx.database, key, ctx.now())
    shown: dict[str, Any] = {"asked": asked, "quick": _quick(key, asked), "alerts": alerts}
    return _page(site, dashboard=found, faults={}, given=asked.to_query(), **shown)


@bp.post("/link")
@needs(Role.MARKETER)
def share(key: str) -> str:
    """Make a link to a report that anyone may read who has it, for a time."""
    ctx, form = context(), request.form
    site = find_site(ctx.database, key).site
    sent = MultiDict({name: form.get(name, "") for name in FILTERS})
    asked = read_asked(key, without_empty(sent))
    lifetime = {str(days): days for days in LIFETIMES}.get(form.get("lifetime", ""))
    if lifetime is None or form.get("days") not in ("these", "latest"):
        detail = "Choose one of the options in the form."
        raise InvalidQuery("Nothing was shared.", [Fault("#/lifetime", detail)])
    until = ctx.now() + timedelta(days=lifetime)
    latest = form["days"] == "latest"
    subject: dict[str, Any] = {"site": key, "by": asked.by, "notice": asked.notice}
    subject |= {"days": asked.span.days} if latest else {"from": f"{asked.span.first}", "to": f"{asked.span.last}"}
    subject |= {"compared": [f"{asked.other.first}", f"{asked.other.last}"]} if asked.other else {}
    link = f"{ctx.settings.public_url}/reports/{ctx[ReportLinks].sign(subject, until)}"
    return console.page("rates/report_link.html", site=site, link=link, until=until, asked=asked, latest=latest)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for; without `other`, the days before are compared."""

    span: Span
    by: By
    notice: str | None
    other: Span | None

    def to_query(self) -> dict[str, str]:
        """As the parameters of an address that asks for the same."""
        values = {"from": f"{self.span.first}", "to": f"{self.span.last}", "by": self.by.value}
        values |= {"notice": self.notice} if self.notice else {}
        return values | (compare_with(self.other) if self.other else {})


def read_asked(key: str, given: MultiDict[str, str]) -> Asked:
    """Raises InvalidQuery, UnknownSite."""
    values, ctx = read_query(DASHBOARD, given), context()
    span = asked_span(values, today(ctx.database, key, ctx.now()))
    return Asked(span, values["by"], values["notice"], asked_other(values, span))


def compare_with(other: Span) -> dict[str, str]:
    """The parameters that name the days to compare with."""
    return {"compare_from": f"{other.first}", "compare_to": f"{other.last}"}


def _quick(key: str, asked: Asked) -> list[dict[str, Any]]:
    """Links to the days up to today, with the other filters kept."""
    ctx = context()
    last = today(ctx.database, key, ctx.now())
    found = []
    for days, words in QUICK.items():
        span = Span(last - timedelta(days=days - 1), last)
        # A year of days is more noise than line.
        by = By.WEEK if days > MOST_DAYS else asked.by if days <= LONGEST_BY_HOUR else By.DAY
        other = asked.other if asked.other and not shares_days(span, asked.other) else None
        query: dict[str, Any] = Asked(span, by, asked.notice, other).to_query()
        address = url_for("dashboard.rates", key=key, **query)
        found.append({"words": words, "address": address, "current": span == asked.span})
    return found


def _page(site: Site, dashboard: Dashboard | None, **values: Any) -> str:
    shown: dict[str, Any] = {}
    if dashboard:
        compared = compare_with(dashboard.beside.other) if dashboard.beside.other else {}
        shown = {**board.values(dashboard), "data": {**values["given"], **compared}}
    tag = f'<script async src="{context().settings.public_url}/widget/{site.key}.js"></script>'
    return console.page(
        "rates/rates.html", site=site, dashboard=dashboard, tag=tag, lifetimes=LIFETIMES, **shown, **values
    )
