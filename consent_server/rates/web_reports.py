"""Reports for whoever has their link: the figures of the rates' page, with no way from there into the consoles."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, url_for
from flask.blueprints import BlueprintSetupState

from consent_server.access.credentials import ReportLinks
from consent_server.core.context import context, context_of
from consent_server.core.errors import ExpiredReport, UnknownReport
from consent_server.http.answers import HTML, Cache, answer
from consent_server.ledger.read_marked import read_marked
from consent_server.rates import board
from consent_server.rates.read import RatesReader
from consent_server.rates.rules_filters import filters_of_link
from consent_server.rates.share_report import require_shared

bp = Blueprint("reports", __name__)


@bp.record_once
def keep_links(state: BlueprintSetupState) -> None:
    """Links of shared reports are signed with the server's secret."""
    made_for = context_of(state.app)
    made_for.keep(ReportLinks(made_for.settings.secret_key))


@bp.get("/reports/<link>")
def report(link: str) -> Response:
    """A report, as long as its link lasts."""
    subject, until = _subject(link)
    with context()[RatesReader].site(subject["site"]) as site:
        dashboard = site.dashboard(filters_of_link(subject, site.today))
    marked = read_marked(context().database, context().keys.ring, subject["site"])
    links = board.Links(lambda notice: url_for("archive.notice", notice_hash=notice))
    html = render_template(
        "rates/report.html", site=site.site, until=until, marked=marked, **board.values(dashboard, links)
    )
    return answer(html, HTML, cache=Cache.PRIVATE, headers={"X-Robots-Tag": "noindex"})


def _subject(link: str) -> tuple[dict[str, Any], datetime]:
    ctx = context()
    signed = ctx[ReportLinks].read(link)
    if signed is None:
        raise UnknownReport(
            "This link to a report is incomplete. Copy the whole link again, or ask whoever sent it for a new one."
        )
    subject, until = signed
    if ctx.now() > until:
        raise ExpiredReport(f"This report was shared until {until:%d %B %Y}. Ask whoever sent it for a new link.")
    require_shared(ctx.database, subject.pop("number", None))
    return subject, until
