"""Which days and which notice an answer is about, what its rows are, and what it is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from consent_server.core.errors import Fault, InvalidQuery
from consent_server.rates.rules_days import HISTORY_DAYS

USUAL_DAYS = 28
LONGEST = 1100
# Of hours: one row each.
LONGEST_BY_HOUR = 31


class By(StrEnum):
    """What rows are made of."""

    DAY = "day"
    WEEK = "week"
    HOUR = "hour"
    LANGUAGE = "language"
    DEVICE = "device"
    NOTICE = "notice"
    COUNTRY = "country"
    RULE = "rule"


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

    @staticmethod
    def ending(last: date, days: int) -> "Span":
        """So many days, up to that one."""
        return Span(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def holds(self, at: str) -> bool:
        """Whether a day or an hour ("2026-11-01T13") is within them."""
        return self.first.isoformat() <= at[:10] <= self.last.isoformat()

    def overlaps(self, other: "Span") -> bool:
        """Whether a day lies in both."""
        return self.first <= other.last and other.first <= self.last

    def within(self, other: "Span") -> list[date]:
        """Its days that lie in both, in order."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return [first + timedelta(days=step) for step in range((last - first).days + 1)]

    @property
    def before(self) -> "Span":
        """As many days that lie just before."""
        return Span.ending(self.first - timedelta(days=1), self.days)

    @property
    def with_history(self) -> "Span":
        """With the days that tell the usual ups and downs, also for a notice of the first day."""
        return Span(self.first - timedelta(days=HISTORY_DAYS), self.last)

    def to_json(self) -> dict[str, str]:
        """Both ends, as addresses and answers name them."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


@dataclass(frozen=True, slots=True)
class Filters:
    """What an answer is about: with `notice` (hash) that notice alone; `other` are the days to compare with."""

    span: Span
    by: By = By.DAY
    notice: str | None = None
    other: Span | None = None

    def to_query(self) -> dict[str, str]:
        """The parameters of an address that asks for the same."""
        values = {**self.span.to_json(), "by": self.by.value}
        values |= {"notice": self.notice} if self.notice else {}
        compared = self.other.to_json() if self.other else {}
        return values | {f"compare_{name}": day for name, day in compared.items()}

    def to_link(self, latest: bool) -> dict[str, Any]:
        """What a shared link keeps: these days, or as many that are the latest when it is opened."""
        days: dict[str, Any] = {"days": self.span.days} if latest else self.span.to_json()
        compared = {"compared": list(self.other.to_json().values())} if self.other else {}
        return {"by": self.by, "notice": self.notice, **days, **compared}


def filters_of_link(kept: Mapping[str, Any], today: date) -> Filters:
    """The inverse of `to_link`. Days to compare with are left out once the latest days have come to share some."""
    span = Span.ending(today, kept["days"]) if "days" in kept else _span(kept["from"], kept["to"])
    other = _span(*kept["compared"]) if "compared" in kept else None
    return Filters(span, By(kept["by"]), kept["notice"], None if other and span.overlaps(other) else other)


def filters_of_query(values: Mapping[str, Any], today: date) -> Filters:
    """From an address's parameters: by default the last 28 days, today included. Raises InvalidQuery."""
    last = values["last"] or today
    span = Span(values["first"] or Span.ending(last, USUAL_DAYS).first, last)
    if span.days > LONGEST:
        raise fault("to", f"Ask for at most {LONGEST} days.")
    if span.first > span.last:
        raise fault("to", "Must not be before `from`.")
    if values["by"] is By.HOUR and span.days > LONGEST_BY_HOUR:
        raise fault("to", f"By hour, ask for at most {LONGEST_BY_HOUR} days.")
    return Filters(span, values["by"], values["notice"], _other(values["compare_first"], values["compare_last"], span))


def fault(name: str, detail: str) -> InvalidQuery:
    """What is wrong with one parameter."""
    return InvalidQuery("The query parameters are invalid; nothing was looked up.", [Fault(f"#/{name}", detail)])


def _other(first: date | None, last: date | None, span: Span) -> Span | None:
    """The days to compare with, None when none are named. With one end alone, as many as the span has."""
    if last is None:
        if first is None:
            return None
        last = first + timedelta(days=span.days - 1)
    other = Span(first or Span.ending(last, span.days).first, last)
    if other.days > LONGEST:
        raise fault("compare_to", f"Ask for at most {LONGEST} days.")
    if other.first > other.last:
        raise fault("compare_to", "Must not be before `compare_from`.")
    if span.overlaps(other):
        # The interval of a difference is that of two periods which have nothing in common.
        raise fault("compare_from", "The two periods must not overlap.")
    return other


def _span(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))
