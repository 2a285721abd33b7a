"""What an experiment shows so far, and what may be concluded from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from consent_server.core.errors import UnknownExperiment
from consent_server.core.times import local_day
from consent_server.rates import rules_experiment as judging
from consent_server.rates.read import RatesReader
from consent_server.rates.rules import Totals
from consent_server.rates.rules_experiment import Result
from consent_server.rates.rules_filters import By, Span
from consent_server.rates.rules_report import Counts, Figures, by_key, figures, totals
from consent_server.rates.rules_small_cells import SMALLEST
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


def read_experiment(reader: RatesReader, key: str, experiment: str | None = None) -> ExperimentReport:
    """Of the newest experiment, or of one by its key. Raises UnknownSite, UnknownExperiment."""
    with reader.site(key) as site:
        stored = experiments.get(site.session, site.id, experiment)
        if stored is None:
            raise UnknownExperiment("This site has run no such experiment. [experiment] in its site file starts one.")
        span = counted_days(stored, site.now, site.site.time_zone)
        counts = site.counts(span, By.DAY) if span else []
        known = experiments.keys(site.session, site.id)
        counts_of = {
            arm.name: [count for count in counts if count.notice == arm.notice.notice.hash] for arm in stored.arms
        }
        span = _in_tens(counts_of, span) if span else None
        counts_of = {arm: [count for count in of if span and span.holds(count.key)] for arm, of in counts_of.items()}
        arms = [
            ArmFigures(arm.name, arm.weight, arm.notice.notice.hash, figures(counts_of[arm.name], site.asked))
            for arm in stored.arms
        ]
    days = _totals(counts_of, span) if span else []
    result = judging.conclude({arm.name: arm.weight for arm in arms}, days)
    return ExperimentReport(site.site, stored, _first_day(stored, site.site.time_zone), span, arms, result, known)


def counted_days(stored: StoredExperiment, now: datetime, time_zone: str) -> Span | None:
    """The days on which every view was shared among the arms; None before the first is over."""
    first = _first_day(stored, time_zone)
    last = local_day(stored.ended_at or now, time_zone) - DAY
    return Span(first, last) if first <= last else None


def _first_day(stored: StoredExperiment, time_zone: str) -> date:
    return local_day(stored.started_at + CACHED, time_zone) + DAY


def _in_tens(counts_of: Mapping[str, Sequence[Counts]], span: Span) -> Span | None:
    """The days up to the last that may be told, None where there is none.

    Of days that are told together each arm has ten first choices, and so has what is told tomorrow more than today: an
    arm is exact, and may be of few visitors.
    """
    told, since = None, dict.fromkeys(counts_of, 0)
    for day, arms in zip(span.within(span), _totals(counts_of, span), strict=True):
        for arm, counted in arms.items():
            since[arm] += counted.decisions
        if min(since.values()) >= SMALLEST:
            told, since = Span(span.first, day), dict.fromkeys(counts_of, 0)
    return told


def _totals(counts_of: Mapping[str, Sequence[Counts]], span: Span) -> list[dict[str, Totals]]:
    """Of each counted day what was counted, by arm."""
    days: list[dict[str, Totals]] = [{} for _ in range(span.days)]
    for arm, counts in counts_of.items():
        for day, counted in by_key(counts).items():
            days[(date.fromisoformat(day) - span.first).days][arm] = totals(counted)
    return days
