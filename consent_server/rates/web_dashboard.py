"""The marketers' console: consent rates of a site on one page."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import MultiDict

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.access.credentials import ReportLinks
from consent_server.core.context import context
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.core.times import local_day
from consent_server.http.answers import HTML, answer
from consent_server.http.fields import read_query, without_empty
from consent_server.ledger.read_marked import read_marked
from consent_server.rates import board, words
from consent_server.rates.queries import DASHBOARD, NOTICE, PARAMETERS
from consent_server.rates.read import RatesReader
from consent_server.rates.read_alerts import count_open_alerts
from consent_server.rates.read_change import read_change
from consent_server.rates.rules_dashboard import Dashboard
from consent_server.rates.rules_filters import LONGEST_BY_HOUR, By, Filters, Span, filters_of_query
from consent_server.rates.share_report import share_report
from consent_server.sites.find import find_site
from consent_server.sites.missing_pictures import SIZES
from consent_server.sites.rules_site import Site
from consent_server.widget.replay_notice import pictures_of, widgets_of

bp = Blueprint("dashboard", __name__, url_prefix="/console/sites/<key>/rates")
console.frame(bp)
bp.record_once(lambda state: state.app.jinja_env.filters.update(words.FILTERS))

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
            return _page(site.site, faults=faults, given=given, dashboard=None, span_name="Which days"), 400
    # What stands in the table names the days that it is compared with, also where the address names none.
    data = dashboard.rates.filters.to_query()
    quick = _quick(key, filters, site.today)
    name = next((link["words"] for link in quick if link["current"]), words.span_words(filters.span))
    return _page(site.site, dashboard, faults={}, given=filters.to_query(), data=data, quick=quick, span_name=name)


@bp.get("/notice")
def notice(key: str) -> Response:
    """What a notice changed, the newest by default: in words, in numbers, and in two pictures."""
    asked = read_query(NOTICE, request.args)["notice"]
    found = read_change(context()[RatesReader], key, asked)
    pictures = {
        one.notice: _picture(one.notice, found.site.default_language) for one in (found.new, found.before) if one
    }
    html = console.page(
        "rates/notice_change.html", pictures=pictures, rate_words=words.RATE_WORDS, site=found.site, change=found
    )
    return answer(html, HTML, headers={"Content-Security-Policy": console.FRAMES_POLICY})


def _picture(notice_hash: str, language: str) -> dict[str, Any]:
    """The picture of a banner on a desktop; where none was taken, the frame in which its archived code shows it."""
    database = context().database
    widget = next(iter(widgets_of(database, notice_hash)), None)
    if widget is None:
        return {}
    for taken in pictures_of(database, notice_hash, widget, language)[:1]:
        width, address = taken.motif.width, url_for("notices.picture", notice_hash=notice_hash, picture=taken.hash)
        return {"address": address, "width": width, "height": SIZES[width]}
    return {"frame": url_for("notices.preview", notice_hash=notice_hash, widget=widget, lang=language)}


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
    with ctx[RatesReader].site(key) as read:
        title = read.title(filters.notice) if filters.notice else None
    token = share_report(ctx.database, ctx[ReportLinks], stored.id, auth.caller().name, subject, until, ctx.now())
    link = f"{ctx.settings.public_url}/reports/{token}"
    shown = {"link": link, "until": until, "filters": filters, "latest": latest, "title": title}
    return console.page("rates/report_link.html", site=site, **shown)


def _alerts(key: str) -> int:
    made = context()
    return count_open_alerts(made.database, find_site(made.database, key).id, made.now())


console.WAITING["dashboard.rates"] = _alerts


def _filters(given: MultiDict[str, str], today: date) -> Filters:
    return filters_of_query(read_query(DASHBOARD, given), today)


def _quick(key: str, filters: Filters, today: date) -> list[dict[str, Any]]:
    """Links to the days up to today, with the other filters kept."""
    links = []
    for days, name in QUICK.items():
        span = Span.ending(today, days)
        # A year of days is more noise than line.
        by = By.WEEK if days > MOST_DAYS else filters.by if days <= LONGEST_BY_HOUR else By.DAY
        other = filters.other if filters.other and not span.overlaps(filters.other) else None
        query: dict[str, Any] = replace(filters, span=span, by=by, other=other).to_query()
        address = url_for("dashboard.rates", key=key, **query)
        links.append({"words": name, "address": address, "current": span == filters.span})
    return links


def _page(site: Site, dashboard: Dashboard | None, **values: Any) -> str:
    links = board.Links(
        lambda notice: url_for("dashboard.notice", key=site.key, notice=notice),
        lambda experiment: url_for("experiment.page", key=site.key, experiment=experiment),
    )
    shown: dict[str, Any] = board.values(dashboard, links) if dashboard else {"dashboard": None}
    shown["marked"] = read_marked(context().database, context().keys.ring, site.key)
    tag = f'<script async src="{context().settings.public_url}/widget/{site.key}.js"></script>'
    return console.page("rates/rates.html", site=site, tag=tag, lifetimes=LIFETIMES, **shown, **values)
