"""What an experiment shows so far, and what may be concluded from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from consent_server.core.database import Database
from consent_server.core.errors import UnknownExperiment
from consent_server.rates import rules_experiment as judging
from consent_server.rates.read import By, SiteCounts, Span
from consent_server.rates.rules import Trials
from consent_server.rates.rules_experiment import Arm, Result
from consent_server.rates.rules_report import Count, Figures, figures
from consent_server.sites import store_experiments as experiments
from consent_server.sites.rules_site import Site
from consent_server.sites.store_experiments import StoredExperiment

DAY = timedelta(days=1)
# As long may a browser go on with a script of before: max-age and stale-while-revalidate of the tag (contract 2).
CACHED = timedelta(seconds=300 + 86400)


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """An arm with its notice (hash), its share of 100 views, and its figures over the counted days."""

    name: str
    weight: int
    notice: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """An experiment, the control first among its `arms`.

    `span` are the counted days, None before there is one: whole days of the site, from `first_day` on, when no page
    can have the script of before, to the last before the experiment's end. `known` are all experiments of the site,
    oldest first.
    """

    site: Site
    experiment: StoredExperiment
    first_day: date
    span: Span | None
    arms: Sequence[ArmFigures]
    result: Result
    known: Sequence[str]


def read_experiment(database: Database, key: str, now: datetime, experiment: str | None = None) -> ExperimentReport:
    """Of the newest experiment, or of one by its key. Raises UnknownSite, UnknownExperiment."""
    with database.snapshot() as session:
        site = SiteCounts(session, key)
        found = experiments.get(session, site.stored.id, experiment)
        if found is None:
            raise UnknownExperiment("This site has run no such experiment. [experiment] in its site file starts one.")
        span = counted_days(found, now, site.stored.site.time_zone)
        names = {arm.notice.notice.hash: arm.name for arm in found.arms}
        counts = [one for one in site.counts(span, By.DAY) if one.notice in names] if span else []
        known = experiments.keys(session, site.stored.id)
    arms = [
        ArmFigures(
            arm.name,
            arm.weight,
            arm.notice.notice.hash,
            figures([one for one in counts if one.notice == arm.notice.notice.hash], site.asked),
        )
        for arm in found.arms
    ]
    days = _trials(counts, names, site, span)
    result = judging.conclude([Arm(arm.name, arm.weight) for arm in arms], days)
    first_day = _first_day(found, site.stored.site.time_zone)
    return ExperimentReport(site.stored.site, found, first_day, span, arms, result, known)


def counted_days(found: StoredExperiment, now: datetime, time_zone: str) -> Span | None:
    """The days on which every view was shared among the arms; None before the first is over."""
    first = _first_day(found, time_zone)
    last = (found.ended_at or now).astimezone(ZoneInfo(time_zone)).date() - DAY
    return Span(first, last) if first <= last else None


def _first_day(found: StoredExperiment, time_zone: str) -> date:
    return (found.started_at + CACHED).astimezone(ZoneInfo(time_zone)).date() + DAY


def _trials(
    counts: Sequence[Count], names: Mapping[str, str], site: SiteCounts, span: Span | None
) -> list[dict[str, Trials]]:
    """Of each counted day: by arm, how many views there were and how many of them ended in accepting all."""
    if span is None:
        return []
    cells: dict[tuple[str, str], list[Count]] = {}
    for one in counts:
        cells.setdefault((one.key, one.notice), []).append(one)
    days: list[dict[str, Trials]] = [{} for _ in range(span.days)]
    for (day, notice), its in cells.items():
        totals = figures(its, site.asked).totals
        place = (datetime.fromisoformat(day).date() - span.first).days
        days[place][names[notice]] = Trials(totals.accept_all, totals.shown)
    return days
