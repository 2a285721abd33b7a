"""What a new notice did to the rates, and whether one fell on the day on which it came into force."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum
from typing import Any, NamedTuple

from consent_server.rates.rules import RATES, Difference, Rate, Totals, Trials, difference
from consent_server.rates.rules_days import HISTORY_DAYS, day_to_day

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
# Twice the logarithm of how much likelier another day must be for a fall not to be the notice's; 19 of 20 stay below.
CLEARLY = 3.84
# A fall that is not clearly more than this, in points of a hundred, is not worth a note.
LEAST = 0.01
WATCHED = ("interaction", "consent", "opt_in")


@dataclass(frozen=True, slots=True)
class Effect:
    """A rate before and from the day of a publication, over the same days of the week.

    `fell` where the whole interval lies below -LEAST, and the fall began on that day as far as the days can tell.
    """

    rate: str
    notice: str
    day: date
    before: Rate
    after: Rate
    change: Difference
    fell: bool

    def to_json(self) -> dict[str, Any]:
        """What the note says, for programs."""
        rates = {name: getattr(self, name).to_json() for name in ("before", "after", "change")}
        return {"rate": self.rate, "notice": self.notice, "day": self.day.isoformat(), **rates}


def effects(days: Mapping[date, Totals], published: Sequence[tuple[str, date]], last: date) -> list[Effect]:
    """What each notice did to the rates that are watched: `published` are notices and their days, oldest first.

    Compared are the days from a publication up to the next or to `last`, a week at most, with the same days
    of the week before. The interval knows the usual ups and downs of eight weeks.
    """
    ends = [day - timedelta(days=1) for _, day in published[1:]] + [last]
    return [
        effect
        for (notice, day), end in zip(published, ends, strict=False)
        for name in WATCHED
        if (effect := _effect(name, notice, days, day, min(end, day + _WEEK - _DAY))) is not None
    ]


def drops(days: Mapping[date, Totals], published: Sequence[tuple[str, date]], last: date) -> list[Effect]:
    """The falls among them."""
    return [effect for effect in effects(days, published, last) if effect.fell]


def _effect(name: str, notice: str, days: Mapping[date, Totals], day: date, end: date) -> Effect | None:
    after = list(_days(day, end))
    if not after:
        return None
    before = [near - _WEEK for near in after]
    rates = _sum(days, after).rate(name), _sum(days, before).rate(name)
    history = history_of(days, name, end)
    usual = day_to_day(history, day)
    change = difference(*rates, usual.swing(after, before) if usual else None)
    lower = change.high is not None and change.high < -LEAST
    fell = lower and _began_then(history, after, usual.variance if usual else 0.0)
    return Effect(name, notice, day, rates[1], rates[0], change, fell)


def history_of(days: Mapping[date, Totals], name: str, last: date) -> dict[date, Trials]:
    """What there was of a rate in the eight weeks up to a day; nothing where views were lost."""
    near = ((day, days[day]) for day in _days(last - timedelta(days=HISTORY_DAYS - 1), last) if day in days)
    return {day: counted for day, totals in near if (counted := RATES[name].proportion(totals))}


def _began_then(history: Mapping[date, Trials], after: Sequence[date], variance: float) -> bool:
    """Whether no other day explains clearly better, of those near, when the rate fell: on the first, or one later.

    Each day is compared with the same weekday of the week before: after a fall seven of these differences are low, and
    no more. A notice of the evening shows on the next day, and of a short history the earlier days say nothing.
    """
    near = _days(after[0] - _WEEK, after[-1])
    steps = {day: step for day in near if (step := _step(history, day, variance)) is not None}
    fits = {day: _fit(steps, day) for day in _days(after[0] - _WEEK + _DAY, after[-1])}
    return max(fits.get(day, 0.0) for day in (after[0], after[0] + _DAY)) > max(fits.values()) - CLEARLY


class _Step(NamedTuple):
    low: float
    weight: float


def _step(history: Mapping[date, Trials], day: date, variance: float) -> _Step | None:
    if day not in history or day - _WEEK not in history:
        return None
    after, before = history[day], history[day - _WEEK]
    both = (after.successes + before.successes) / (after.trials + before.trials)
    chance = both * (1 - both) * (1 / after.trials + 1 / before.trials)
    # Where both are of one outcome there is no difference to weigh.
    weight = 1 / (2 * variance + chance) if chance else 0.0
    return _Step(before.successes / before.trials - after.successes / after.trials, weight)


def _fit(steps: Mapping[date, _Step], began: date) -> float:
    """How much better a fall on this day explains the differences than none: twice a logarithm of likelihoods."""
    fallen = [step for day in _days(began, began + _WEEK - _DAY) if (step := steps.get(day))]
    weight = fsum(step.weight for step in fallen)
    low = fsum(step.low * step.weight for step in fallen)
    return low * low / weight if low > 0 else 0.0


def _sum(days: Mapping[date, Totals], of: Iterable[date]) -> Totals:
    return sum((days.get(day, Totals()) for day in of), Totals())


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))
