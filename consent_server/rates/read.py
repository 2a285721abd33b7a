"""The one way to rates: what was counted on a site, added up as the definitions say, all of one moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import itemgetter

from consent_server.core.database import Database, Session
from consent_server.core.times import local_day, local_hour
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates import store as told
from consent_server.rates import store_alerts as alerts
from consent_server.rates import store_annotations as annotations
from consent_server.rates.read_notices import NoticeReader
from consent_server.rates.rules_compare import History, compare
from consent_server.rates.rules_dashboard import Dashboard, Publication, Rates, RunningTime, Summary
from consent_server.rates.rules_days import HISTORY_DAYS
from consent_server.rates.rules_drop import Effect, effects
from consent_server.rates.rules_filters import By, Filters, Span, fault, monday
from consent_server.rates.rules_page_loads import PageLoads, page_loads
from consent_server.rates.rules_report import (
    OF_TOTALS,
    Asked,
    Counts,
    Days,
    Figures,
    Report,
    by_hour,
    figures,
    in_order,
    report,
)
from consent_server.sites import store as sites
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.notice_titles import notice_titles, titled_publications
from consent_server.sites.rules_places import Rule
from consent_server.sites.rules_site import StoredSite

DAY = timedelta(days=1)
ALERTS_SHOWN_FOR = timedelta(days=14)
# Rows that are made of days.
OF_DAYS = (By.DAY, By.WEEK)
# Rows that are made of notices.
OF_NOTICES = (By.NOTICE, By.RULE)
# The splits that a page shows, and the counters of each that it reads: all of devices alone, whose vendors it shows.
SPLITS: Mapping[By, Sequence[CounterName]] = {
    By.DEVICE: (), By.LANGUAGE: OF_TOTALS, By.COUNTRY: OF_TOTALS, By.NOTICE: OF_TOTALS,
}  # fmt: skip
# What is told of days that are over alone, and where it stands.
OVER = {
    By.HOUR: told.HOURS, By.DEVICE: told.DEVICES, By.LANGUAGE: told.LANGUAGES, By.COUNTRY: told.COUNTRIES,
}  # fmt: skip
_GRANTS = [CounterName(measure) for measure in (Measure.GRANTED, Measure.GRANTED_AGAIN)]


class RatesReader:
    """Opens what was counted, for answers and for what the server looks at by itself."""

    def __init__(self, database: Database, now: Callable[[], datetime], replica: Database | None = None) -> None:
        self.database, self.now = database, now
        self._replica = replica or database
        self._notices = NoticeReader()
        # By site, the last day whose rates this process has compared with its usual ones (watch.py).
        self.judged: dict[int, date] = {}

    @contextmanager
    def site(self, key: str) -> Iterator["SiteRates"]:
        """A site at one moment: all parts of an answer are read in this one block. Raises UnknownSite."""
        with self._replica.snapshot() as session:
            yield SiteRates(session, sites.get(session, key), self._notices, self.now())

    def every_site(self, session: Session) -> list["SiteRates"]:
        """All sites, by key, within a snapshot."""
        now = self.now()
        return [SiteRates(session, stored, self._notices, now) for stored in sites.every(session)]


class SiteRates:
    """What was counted on a site, within one snapshot."""

    def __init__(self, session: Session, stored: StoredSite, reader: NoticeReader, now: datetime) -> None:
        self.session, self.id, self.site, self.now = session, stored.id, stored.site, now
        self._notices = reader

    @property
    def today(self) -> date:
        """The day that it is on the site."""
        return local_day(self.now, self.site.time_zone)

    @cached_property
    def asked(self) -> Mapping[str, Asked]:
        """What each notice of the site asks for, by its hash, oldest first."""
        return self._notices.asked(self.session, self.id, self._hashes)

    def rates(self, filters: Filters) -> Rates:
        """The whole and its rows, and what stands beside them. Raises InvalidQuery for a notice never shown here."""
        before = self.page_loads(filters.other, filters.notice) if filters.other else PageLoads()
        return replace(self._rates(filters), page_loads_before=before)

    def _rates(self, filters: Filters) -> Rates:
        """The same without the page loads of before, which no page shows."""
        span, notice = filters.span, filters.notice
        published = self.publications()
        known = self._known(published)
        if notice is not None:
            self.title(notice)
        inside = [publication for publication in published if span.holds(publication.at)]
        # Under one notice alone no other can have made a difference.
        judged = bool(inside) and notice is None
        read = judged or filters.by in OF_DAYS or filters.other
        days = Days(self.counts(span.with_history, By.DAY, notice) if read else [], self.asked)
        grants = self._grants([one for one in (span, filters.other) if one], notice)
        found = self._report(filters, days)
        whole = found.whole.with_grants_lately(grants[span])
        before = self.whole(filters.other, notice).with_grants_lately(grants[filters.other]) if filters.other else None
        return Rates(
            site=self.site,
            filters=filters,
            report=replace(found, whole=whole),
            before=before,
            differences=compare(whole, before, self._history(filters, days)) if before else None,
            publications=inside,
            experiments=self._experiments(span),
            known=known,
            titles=self.titles,
            annotations=annotations.between(self.session, self.id, span.first.isoformat(), span.last.isoformat()),
            effects=_effects(days, published, span) if judged else [],
            alerts=alerts.recent(self.session, self.id, self.now - ALERTS_SHOWN_FOR),
            counted_apart_from=told.counted_apart_from(self.session, self.id),
            page_loads=self.page_loads(span, notice),
        )

    def summary(self, span: Span) -> Summary:
        """The totals alone, and what changed against as many days before: a fraction of the cost of all rates."""
        filters = Filters(span, other=span.before)
        nothing = dict.fromkeys(self._hashes.values(), Asked({}, {}))
        days = Days(self._kept(span.with_history, _totals(False)[:2], ("period",), None), nothing)
        grants = self._grants([span, span.before], None)
        whole, before = (
            figures(self._kept(of, _totals(False)[:2], (), None), nothing).with_grants_lately(granted)
            for of, granted in grants.items()
        )
        changes = compare(whole, before, self._history(filters, days)).rates
        raised = alerts.recent(self.session, self.id, self.now - ALERTS_SHOWN_FOR)
        return Summary(self.site, whole.totals, changes, raised)

    def dashboard(self, filters: Filters) -> Dashboard:
        """The same for the page, `by` one of ALONG; compared with as many days before where no others are named."""
        span, notice = filters.span, filters.notice
        return Dashboard(
            rates=self._rates(replace(filters, other=filters.other or span.before)),
            splits={by: report(self.counts(span, by, notice, read), self.asked) for by, read in SPLITS.items()},
            rules=report(self.counts(span, By.RULE, notice), self.asked) if self._has_rules else None,
            purposes={key: name for asked in self.asked.values() for key, name in asked.purposes.items()},
            vendors={key: name for asked in self.asked.values() for key, name in asked.vendors.items()},
            first_day=self.first_day(),
            now=self._hour(self.now),
            open_from=(self.today if self.is_over(self.today - DAY) else self.today - DAY).isoformat(),
        )

    @property
    def _has_rules(self) -> bool:
        """Whether something ran, or runs, before a choice."""
        return bool(self.site.regions) or any(asked.rule != Rule.OPT_IN for asked in self.asked.values())

    def counts(
        self, span: Span, by: By, notice: str | None = None, counters: Sequence[CounterName] = ()
    ) -> list[Counts]:
        """Counts as they are told, by day or by a part of it (no week), under one notice or all; of all counters."""
        parts = [OVER[by]] if by in OVER else _totals(notice is not None or by in OF_NOTICES)
        kept_apart = {By.NOTICE: (), By.RULE: (), By.DAY: ("period",), By.HOUR: ("period",)}.get(by, ("value",))
        found = self._kept(span, parts, kept_apart, notice, counters)
        if by is By.NOTICE:
            return [count._replace(key=count.notice) for count in found]
        return [count._replace(key=self.asked[count.notice].rule) for count in found] if by is By.RULE else found

    def whole(self, span: Span, notice: str | None) -> Figures:
        """What is told of all days together, under one notice or all."""
        return figures(self._kept(span, _totals(notice is not None), (), notice), self.asked)

    def pulse(self, span: Span) -> list[Counts]:
        """By hour, what was shown, chosen and recorded, to this moment: for alerts, and told to nobody."""
        found = tallies.read(self.session, self.id, tallies.PULSE, *_ends(span))
        return [Counts(part.period, self._hashes[part.notice_id], part.events) for part in found]

    def page_loads(self, span: Span, notice: str | None) -> PageLoads:
        """The sample of these days, as far as they are over."""
        return page_loads(self._kept(span, [told.PAGES], ("period",), notice), self.asked)

    def is_over(self, day: date) -> bool:
        """Whether all that was counted up to that day is told."""
        return told.is_over(self.session, self.id, day.isoformat())

    def publications(self) -> list[Publication]:
        """When notices came into force, oldest first."""
        return [
            Publication(one.notice, self._hour(one.published_at), one.title)
            for one in titled_publications(self.session, self.id, own=True)
        ]

    def effects(self, first: date, last: date) -> list[Effect]:
        """What the notices did that came into force in these days, as far as the days up to `last` tell."""
        span = Span(first, last)
        days = Days(self.counts(span.with_history, By.DAY), self.asked)
        return _effects(days, self.publications(), span) if first <= last else []

    def first_day(self) -> str | None:
        """The first day on which anything was counted."""
        return tallies.first_period(self.session, self.id)

    def last_answer(self) -> str | None:
        """The last hour in which a banner was answered: "2026-11-01T13"."""
        return tallies.last_answer(self.session, self.id)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """By hash, what each notice that was shown here is called."""
        return notice_titles(self.session, self.id)

    def title(self, notice: str) -> str:
        """What one is called. Raises InvalidQuery for a notice never shown here."""
        if notice not in self.titles:
            raise fault("notice", "No notice of this site has this hash.")
        return self.titles[notice]

    @cached_property
    def _hashes(self) -> Mapping[int, str]:
        return notices.hashes(self.session, self.id)

    def _kept(
        self, span: Span, parts: Sequence[str], by: Sequence[str], notice: str | None,
        counters: Sequence[CounterName] = (),
    ) -> list[Counts]:  # fmt: skip
        ends = _ends(span)
        return [
            Counts(part.period or part.value, notice_hash, part.events)
            for name in parts
            for part in tallies.kept(self.session, self.id, name, *ends, by, counters)
            if notice in (None, notice_hash := self._hashes[part.notice_id])
        ]

    def _report(self, filters: Filters, days: Days) -> Report:
        span, by, notice = filters.span, filters.by, filters.notice
        if by is By.HOUR:
            return by_hour(self.counts(span, by, notice), self.whole(span, notice))
        if by not in OF_DAYS:
            return replace(report(self.counts(span, by, notice), self.asked), whole=self.whole(span, notice))
        if by is By.DAY:
            rows = {day: days[day] for day in days if span.holds(day)}
            return Report(figures(days.within(span), self.asked), in_order(rows))
        return report([count._replace(key=monday(count.key)) for count in days.within(span)], self.asked)

    def _history(self, filters: Filters, days: Days) -> History:
        """What tells how much the days of the last weeks went up and down."""
        span, other, began = filters.span, filters.other, self.first_day()
        if other is None or began is None:
            return History()
        last = min(max(span.last, other.last), self.today - timedelta(days=1))
        history = Span.ending(last, HISTORY_DAYS)
        if history.first < span.with_history.first or last > span.last:
            days = Days(self.counts(history, By.DAY, filters.notice), self.asked)
        found = {date.fromisoformat(day): days[day] for day in days if history.holds(day)}
        counted = Span(date.fromisoformat(began[:10]), self.today)
        return History(found, span.within(counted), other.within(counted))

    def _grants(self, spans: Sequence[Span], notice: str | None) -> dict[Span, int]:
        """Of each, the grants of as many days as a choice lasts, up to its last."""
        days = max((asked.choice_days for asked in self.asked.values()), default=1)
        lasting = {span: Span.ending(span.last, days) for span in spans}
        parts = _totals(notice is not None)[:2]
        found = {span: self._kept(of, parts, (), notice, _GRANTS) for span, of in lasting.items()}
        return {span: max(sum(sum(count.events.values()) for count in counts), 0) for span, counts in found.items()}

    def _known(self, published: Sequence[Publication]) -> dict[str, str]:
        """The first day of every notice that was shown, by publication or as an arm, oldest first."""
        arms = [(key, self._hour(at)) for key, _, at in experiments.shown(self.session, self.id)]
        regional = [(one.notice, self._hour(one.published_at)) for one in notices.publications(self.session, self.id)]
        shown = [*((one.notice, one.at) for one in published), *arms, *regional]
        first_days = {notice: at[:10] for notice, at in reversed(shown)}
        return dict(sorted(first_days.items(), key=itemgetter(1)))

    def _experiments(self, span: Span) -> list[RunningTime]:
        times = [
            RunningTime(key, self._hour(began), self._hour(ended) if ended else None)
            for key, began, ended in experiments.times(self.session, self.id)
        ]
        first, last = span.first.isoformat(), span.last.isoformat()
        return [run for run in times if run.began[:10] <= last and (run.ended is None or first <= run.ended[:10])]

    def _hour(self, at: datetime) -> str:
        return local_hour(at, self.site.time_zone)


def _totals(of_one_notice: bool) -> list[str]:
    """Where totals stand, of days that are over and that go on, and last what was granted on the whole."""
    return [told.NOTICES if of_one_notice else told.DAYS, told.TODAY, told.SELECTIONS]


def _ends(span: Span) -> tuple[str, str]:
    """First period, and the first that is not in it any more."""
    return span.first.isoformat(), (span.last + DAY).isoformat()


def _effects(days: Days, published: Sequence[Publication], span: Span) -> list[Effect]:
    by_day = {date.fromisoformat(day): days.totals(day) for day in days}
    begins = [(publication.notice, date.fromisoformat(publication.at[:10])) for publication in published]
    return [effect for effect in effects(by_day, begins, span.last) if span.holds(effect.day.isoformat())]
