"""The one way to rates: counts of a span of a site's days, added up as the definitions say."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from consent_server.audit import store as search
from consent_server.core.database import Database, Session
from consent_server.decisions import store_tallies as tallies
from consent_server.rates import store as splits
from consent_server.rates.rules_report import Asked, Count, Report, report
from consent_server.sites import store as sites
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices


class By(StrEnum):
    """What rows are made of."""

    DAY = "day"
    WEEK = "week"
    HOUR = "hour"
    LANGUAGE = "language"
    DEVICE = "device"
    NOTICE = "notice"
    COUNTRY = "country"

    @property
    def dimension(self) -> str:
        """The roll-up that knows it. Every one of them knows the notice."""
        return "day" if self in (By.NOTICE, By.WEEK) else self.value


# Rows in the order of time.
ALONG = (By.DAY, By.WEEK, By.HOUR)


@cache
def monday(day: str) -> str:
    """The day on which a day's week begins (ISO 8601)."""
    at = date.fromisoformat(day)
    return (at - timedelta(days=at.weekday())).isoformat()


@dataclass(frozen=True, slots=True)
class Span:
    """Days on the site's own clock, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def holds(self, day: str) -> bool:
        """Whether a day ("2026-11-01") is among them."""
        return self.first.isoformat() <= day <= self.last.isoformat()

    @property
    def before(self) -> "Span":
        """As many days that lie just before."""
        days = timedelta(days=self.days)
        return Span(self.first - days, self.last - days)


@dataclass(frozen=True, slots=True)
class Publication:
    """When a notice came into force, in the site's hours: "2026-11-01T13"."""

    notice: str
    at: str


@dataclass(frozen=True, slots=True)
class Rates:
    """What was asked, and the answer. `publications` are those within the span; `demo` says that all is made up."""

    site: str
    span: Span
    by: By
    time_zone: str
    demo: bool
    report: Report
    publications: Sequence[Publication]

    def to_json(self) -> dict[str, Any]:
        """The contract's answer (4.4)."""
        return {
            "site": self.site,
            "from": self.span.first.isoformat(),
            "to": self.span.last.isoformat(),
            "by": self.by.value,
            "time_zone": self.time_zone,
            "demo": self.demo,
            "publications": [{"notice": one.notice, "at": one.at} for one in self.publications],
            **self.report.to_json(),
        }


def today(database: Database, key: str, now: datetime) -> date:
    """The day that it is on a site. Raises UnknownSite."""
    with database.reading() as session:
        return now.astimezone(ZoneInfo(sites.get(session, key).site.time_zone)).date()


def read_rates(database: Database, key: str, span: Span, by: By, notice: str | None = None) -> Rates:
    """Rates of a span, in rows; with `notice` (hash) of that notice alone. Exact at this moment. Raises UnknownSite."""
    with database.snapshot() as session:
        site = SiteCounts(session, key)
        said = site.stored.site
        found = site.report(span, by, notice)
        return Rates(key, span, by, said.time_zone, said.demo, found, site.publications(span))


class SiteCounts:
    """What was counted on a site, read within one snapshot. Raises UnknownSite."""

    def __init__(self, session: Session, key: str) -> None:
        self.stored = sites.get(session, key)
        self._session = session
        self._hashes: dict[int, str] = {}
        self.asked: dict[str, Asked] = {}
        # What people call purposes and vendors, as the newest notice has it.
        self.purposes: dict[str, str] = {}
        self.vendors: dict[str, str] = {}
        for row_id, notice_hash, body in search.notices_of(session, self.stored.id):
            said = json.loads(body)
            self._hashes[row_id] = notice_hash
            self.asked[notice_hash] = Asked(*([one["key"] for one in said[name]] for name in ("purposes", "vendors")))
            texts = said["texts"].get("en") or said["texts"][said["languages"][0]]
            self.purposes |= {purpose: words["title"] for purpose, words in texts["purposes"].items()}
            self.vendors |= {one["key"]: one["name"] for one in said["vendors"]}

    def report(self, span: Span, by: By, notice: str | None = None) -> Report:
        """Rows by one dimension."""
        return report(self.counts(span, by, notice), self.asked)

    def counts(self, span: Span, by: By, notice: str | None = None) -> list[Count]:
        """Counts of a span, under one notice or all; by language and country with what is small merged."""
        first, end = span.first.isoformat(), (span.last + timedelta(days=1)).isoformat()
        asked = (self._session, self.stored.id, by.dimension, first, end)
        if by.dimension in splits.CLOSED:
            found = splits.read(*asked)
        else:
            column = {By.NOTICE: None, **dict.fromkeys(ALONG, "period")}.get(by, "value")
            found = tallies.read(*asked, by=(column,) if column else ())
        return [
            Count(self._key(by, one), self._hashes[one.notice_id], one.counter, one.events)
            for one in found
            if notice in (None, self._hashes[one.notice_id])
        ]

    def publications(self, span: Span | None = None) -> list[Publication]:
        """When notices came into force, oldest first: within a span, or ever."""
        zone = ZoneInfo(self.stored.site.time_zone)
        found = [
            Publication(notice_hash, at.astimezone(zone).strftime("%Y-%m-%dT%H"))
            for notice_hash, at in notices.publications(self._session, self.stored.id)
        ]
        return [one for one in found if span is None or span.holds(one.at[:10])]

    def arms(self) -> list[Publication]:
        """When an experiment began to show notices beside the site's own, oldest first."""
        zone = ZoneInfo(self.stored.site.time_zone)
        found = experiments.shown(self._session, self.stored.id)
        return [Publication(notice_hash, at.astimezone(zone).strftime("%Y-%m-%dT%H")) for notice_hash, _, at in found]

    def first_day(self) -> str | None:
        """The first day on which anything was counted."""
        return tallies.first_period(self._session, self.stored.id)

    def last_answer(self) -> str | None:
        """The last hour in which a banner was answered: "2026-11-01T13"."""
        return tallies.last_answer(self._session, self.stored.id)

    def _key(self, by: By, count: tallies.Count) -> str:
        if by is By.NOTICE:
            return self._hashes[count.notice_id]
        return monday(count.period) if by is By.WEEK else count.period or count.value
