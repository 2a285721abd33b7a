"""What stands beside the rates of a span: those of another span, falls with a notice, experiments on the axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from consent_server.core.database import Database, Session
from consent_server.rates.read import By, Publication, SiteCounts, Span
from consent_server.rates.rules import Rate, difference
from consent_server.rates.rules_drop import WEEK, Drop, drops
from consent_server.rates.rules_report import Count, Figures, by_key, compare, figures, totals
from consent_server.sites import store_experiments as experiments


@dataclass(frozen=True, slots=True)
class Trial:
    """When an experiment began and ended, in the site's hours: "2026-11-01T13"; it has no end while it runs."""

    key: str
    began: str
    ended: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """`other` is the span to compare with and `before` its figures, both None when none was asked for.

    `publications` and `trials` are those of which something lies within the span; `known` has every notice of the
    site with its first day, oldest first.
    """

    other: Span | None
    before: Figures | None
    publications: Sequence[Publication]
    trials: Sequence[Trial]
    known: Mapping[str, str]
    drops: Sequence[Drop]

    def to_json(self, whole: Figures) -> dict[str, Any]:
        """`compared`, `experiments` and `drops`; `whole` are the figures of the span itself."""
        compared = None
        if self.other is not None and self.before is not None:
            compared = {
                "from": self.other.first.isoformat(),
                "to": self.other.last.isoformat(),
                **self.before.to_json(),
                "differences": differences(whole, self.before),
            }
        return {
            "compared": compared,
            "experiments": [{"key": one.key, "began": one.began, "ended": one.ended} for one in self.trials],
            "drops": [one.to_json() for one in self.drops],
        }


def differences(after: Figures, before: Figures) -> dict[str, Any]:
    """How much each rate differs, in JSON: `rates`, and `rate` and `reach` of what both periods asked for."""
    found = compare(after, before)
    reach = reach_changes(after, before)
    for name in ("purposes", "vendors"):
        found[name] = {key: {"rate": rate, "reach": reach[name][key].to_json()} for key, rate in found[name].items()}
    return found


def reach_changes(after: Figures, before: Figures) -> dict[str, dict[str, Rate]]:
    """How much the reach of each purpose and vendor differs that both periods asked for."""
    both = {"purposes": (after.purposes, before.purposes), "vendors": (after.vendors, before.vendors)}
    return {
        name: {key: difference(one[key].reach, other[key].reach) for key in one if key in other}
        for name, (one, other) in both.items()
    }


def read_context(database: Database, key: str, span: Span, other: Span | None, notice: str | None) -> Context:
    """With `notice` (hash) of that notice alone. Exact at this moment. Raises UnknownSite."""
    with database.snapshot() as session:
        site = SiteCounts(session, key)
        return context_of(session, site, span, other, notice)


def with_week_before(span: Span) -> Span:
    """The days that tell whether a rate fell with a notice, also with one of the span's first day."""
    return Span(span.first - timedelta(days=WEEK), span.last)


def context_of(
    session: Session,
    site: SiteCounts,
    span: Span,
    other: Span | None,
    notice: str | None,
    days: Sequence[Count] | None = None,
) -> Context:
    """The same within a snapshot; `days` are counts by day of `with_week_before(span)`, where they are read already."""
    published = site.publications()
    inside = [one for one in published if span.holds(one.at[:10])]
    # Under one notice alone no other can have made a difference.
    if inside and notice is None and days is None:
        days = site.counts(with_week_before(span), By.DAY)
    known = {one.notice: one.at[:10] for one in reversed([*published, *site.arms()])}
    return Context(
        other=other,
        before=figures(site.counts(other, By.NOTICE, notice), site.asked) if other else None,
        publications=inside,
        trials=_trials(session, site, span),
        known=dict(sorted(known.items(), key=lambda one: one[1])),
        drops=_drops(days, published, span) if inside and notice is None and days else [],
    )


def _trials(session: Session, site: SiteCounts, span: Span) -> list[Trial]:
    zone = ZoneInfo(site.stored.site.time_zone)

    def hour(at: datetime) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%dT%H")

    found = [
        Trial(key, hour(began), hour(ended) if ended else None)
        for key, began, ended in experiments.times(session, site.stored.id)
    ]
    first, last = span.first.isoformat(), span.last.isoformat()
    return [one for one in found if one.began[:10] <= last and (one.ended is None or first <= one.ended[:10])]


def _drops(counts: Sequence[Count], published: Sequence[Publication], span: Span) -> list[Drop]:
    days = {date.fromisoformat(day): totals(of) for day, of in by_key(counts).items()}
    found = drops(days, [(one.notice, date.fromisoformat(one.at[:10])) for one in published], span.last)
    return [one for one in found if span.holds(one.day.isoformat())]
