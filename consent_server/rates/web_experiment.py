"""What an experiment shows: JSON for programs, a page for people, and the one click that ends it."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.core.context import context
from consent_server.core.errors import UnknownExperiment
from consent_server.core.times import rfc3339
from consent_server.http.answers import Cache, answer
from consent_server.http.fields import read_query
from consent_server.rates import words
from consent_server.rates.promote_arm import promote_arm
from consent_server.rates.queries import EXPERIMENT
from consent_server.rates.read import RatesReader
from consent_server.rates.read_experiment import ExperimentReport, read_experiment
from consent_server.rates.rules import RATES
from consent_server.rates.rules_experiment import JUDGED, PAGES, SHARES_LEVEL, projection
from consent_server.sites.find import find_site
from consent_server.sites.rules_site import CONTROL

api = Blueprint("experiment_api", __name__)
bp = Blueprint("experiment", __name__, url_prefix="/console/sites/<key>/experiment")
console.frame(bp)
bp.record_once(lambda state: state.app.jinja_env.filters.update(words.FILTERS))

# What is measured by default (docs/rates.md), and what else is shown of each arm.
SHOWN_RATES = ("opt_in", "interaction", "consent")


@api.get("/v1/sites/<key>/experiment")
def experiment(key: str) -> Response:
    """The newest experiment of a site, or the one that is named: its arms and what may be concluded."""
    return answer(_to_json(_asked(key)), cache=Cache.PRIVATE)


@bp.get("")
def page(key: str) -> str:
    """The same for people; without any experiment, how to begin one."""
    try:
        report = _asked(key)
    except UnknownExperiment:
        if request.args:
            raise
        site = find_site(context().database, key).site
        return console.page("rates/experiment.html", site=site, report=None, control=CONTROL)
    return console.page(
        "rates/experiment.html",
        site=report.site,
        report=report,
        shares_match=report.result.shares_p > SHARES_LEVEL,
        shares_level=SHARES_LEVEL,
        rates={name: (words.RATE_WORDS[name][0], RATES[name]) for name in SHOWN_RATES},
        control=CONTROL,
        pages=PAGES,
        **_values(report),
    )


@bp.post("")
def promote(key: str) -> AnyResponse:
    """Make an arm the notice of the site, and end the experiment. An operator has applied each of them already."""
    ctx, form = context(), request.form
    promote_arm(ctx.database, key, form.get("experiment", ""), form.get("arm", ""), ctx.now())
    return redirect(url_for("experiment.page", key=key), 303)


def _asked(key: str) -> ExperimentReport:
    return read_experiment(context()[RatesReader], key, read_query(EXPERIMENT, request.args)["experiment"])


def _to_json(report: ExperimentReport) -> dict[str, Any]:
    experiment, span = report.experiment, report.span
    return {
        "site": report.site.key,
        "demo": report.site.demo,
        "experiment": experiment.key,
        "started_at": rfc3339(experiment.started_at),
        "ended_at": rfc3339(experiment.ended_at) if experiment.ended_at else None,
        "promoted": experiment.promoted,
        "time_zone": report.site.time_zone,
        **(span.to_json() if span else {"from": None, "to": None}),
        "rate": JUDGED[0],
        "arms": [
            {"name": arm.name, "weight": arm.weight, "notice": arm.notice, **arm.figures.to_json()}
            | {"projection": {str(pages): share for pages, share in projection(arm.figures.totals).items()}}
            for arm in report.arms
        ],
        **report.result.to_json(),
        "experiments": list(report.known),
    }


def _values(report: ExperimentReport) -> dict[str, Any]:
    """What the page of an experiment shows of it."""
    said, zone = report.result.conclusion, ZoneInfo(report.site.time_zone)
    views = sum(arm.figures.totals.shown for arm in report.arms)
    return {
        "started": report.experiment.started_at.astimezone(zone).date(),
        "ended": report.experiment.ended_at and report.experiment.ended_at.astimezone(zone).date(),
        "comparisons": {comparison.arm: comparison for comparison in report.result.comparisons},
        "best": said.params["arm"] if said.key == "better" else None,
        "views": views,
        "shares_set": {arm.name: arm.weight / 100 for arm in report.arms},
        "shares_seen": {arm.name: arm.figures.totals.shown / views if views else None for arm in report.arms},
        "projected": {arm.name: projection(arm.figures.totals) for arm in report.arms},
        "judged": {name: words.RATE_WORDS[name][0] for name in JUDGED},
    }
