"""Reports for whoever has their link: the figures of the rates' page, with no way from there into the consoles."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template
from flask.blueprints import BlueprintSetupState

from consent_server.access.credentials import ReportLinks
from consent_server.core.context import context, context_of
from consent_server.core.errors import ExpiredReport, UnknownReport
from consent_server.rates import board
from consent_server.rates.read import By, Span, today
from consent_server.rates.read_dashboard import read_dashboard
from consent_server.rates.read_span import shares_days

bp = Blueprint("reports", __name__)


@bp.record_once
def keep_links(state: BlueprintSetupState) -> None:
    """Links of shared reports are signed with the server's secret."""
    made_for = context_of(state.app)
    made_for.keep(ReportLinks(made_for.settings.secret_key))


@bp.get("/reports/<link>")
def report(link: str) -> Response:
    """A report, as long as its link lasts."""
    ctx = context()
    subject, until = _subject(link)
    span, by, notice = _span(subject), By(subject["by"]), subject["notice"]
    found = read_dashboard(ctx.database, subject["site"], span, by, notice, _other(subject, span))
    html = render_template("rates/report.html", site=found.site, dashboard=found, until=until, **board.values(found))
    response = Response(html, mimetype="text/html")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _subject(link: str) -> tuple[dict[str, Any], datetime]:
    ctx = context()
    found = ctx[ReportLinks].read(link)
    if found is None:
        raise UnknownReport(
            "This link to a report is incomplete. Copy the whole link again, or ask whoever sent it for a new one."
        )
    subject, until = found
    if ctx.now() > until:
        raise ExpiredReport(f"This report was shared until {until:%d %B %Y}. Ask whoever sent it for a new link.")
    return subject, until


def _other(subject: dict[str, Any], span: Span) -> Span | None:
    """The days that it is compared with, unless the latest days have come to share some with them."""
    if "compared" not in subject:
        return None
    other = Span(*map(date.fromisoformat, subject["compared"]))
    return None if shares_days(span, other) else other


def _span(subject: dict[str, Any]) -> Span:
    ctx = context()
    if "days" in subject:
        last = today(ctx.database, subject["site"], ctx.now())
        return Span(last - timedelta(days=subject["days"] - 1), last)
    return Span(date.fromisoformat(subject["from"]), date.fromisoformat(subject["to"]))
