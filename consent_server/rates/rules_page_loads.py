"""What vendors see: of the page loads that were sampled, in how many each of them might run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from operator import itemgetter
from typing import Any, NamedTuple

from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates.rules import Rate, Ratio, Trials, wilson, with_noise
from consent_server.rates.rules_days import student
from consent_server.rates.rules_report import SELECTION_DRAWS, Asked, Counts

SEEN = Ratio("granted", "sampled")
_PAGES, _UNANSWERED = CounterName(Measure.PAGES), CounterName(Measure.PAGES_UNANSWERED)
# With fewer days nobody knows how much they differ.
FEWEST_DAYS = 7


class State(NamedTuple):
    """Of one vendor: page loads of which it might see something, and those in which it was granted or not answered.

    The last two hold so many draws of noise, and may be below 0 or above all on a day.
    """

    sampled: int = 0
    granted: int = 0
    unanswered: int = 0
    draws: int = 0

    def plus(self, other: "State") -> "State":
        """Both together."""
        return State(*map(sum, zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What one vendor sees: of all days together, and its share of page loads.

    That is as wide as the days differ, and at least as Wilson's interval is.
    """

    whole: State
    rate: Rate

    @staticmethod
    def over(days: Collection[State]) -> "Seen":
        """Of these days."""
        sampled, granted, unanswered, draws = map(sum, zip(State(), *days, strict=True))
        granted = min(max(granted, 0), sampled)
        whole = State(sampled, granted, min(max(unanswered, 0), sampled - granted), draws)
        return Seen(whole, over_days([Trials(day.granted, day.sampled) for day in days], draws))

    def to_json(self) -> dict[str, Any]:
        """Page loads by state, and the rate."""
        whole = self.whole
        return {
            "sampled": whole.sampled,
            "granted": whole.granted,
            "refused": whole.sampled - whole.granted - whole.unanswered,
            "unanswered": whole.unanswered,
            "rate": self.rate.to_json(),
        }


@dataclass(frozen=True, slots=True)
class PageLoads:
    """The sample of some days: how many page loads, and what of them each vendor sees, by its key."""

    sampled: int = 0
    vendors: Mapping[str, Seen] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the interface has it."""
        return {"sampled": self.sampled, "vendors": {key: seen.to_json() for key, seen in self.vendors.items()}}


def page_loads(counts: Iterable[Counts], asked: Mapping[str, Asked]) -> PageLoads:
    """Add up the sample; the keys of `counts` are days. A vendor is measured under the notices that ask for it."""
    sampled = 0
    days: dict[str, dict[str, State]] = {}
    for day, notice, counted in sorted(counts, key=itemgetter(0, 1)):
        loads = counted.get(_PAGES, 0)
        sampled += loads
        rest = counted.get(_UNANSWERED, 0), counted.get(SELECTION_DRAWS, 0)
        for key in asked[notice].vendors:
            granted, stand_ins = _of_vendor(key)
            state = State(loads, counted.get(granted, 0), rest[0] - counted.get(stand_ins, 0), rest[1])
            of_day = days.setdefault(key, {})
            of_day[day] = of_day[day].plus(state) if day in of_day else state
    return PageLoads(sampled, {key: Seen.over(of_day.values()) for key, of_day in days.items()})


@lru_cache(maxsize=1024)
def _of_vendor(key: str) -> tuple[CounterName, CounterName]:
    return CounterName(Measure.PAGE_VENDOR, key), CounterName(Measure.PAGE_STAND_IN, key)


def over_days(days: Sequence[Trials], draws: int = 0) -> Rate:
    """The share over all days, with a 95 % interval that takes each day as drawn together.

    The ratio of sums with the days as clusters (Cochran, Sampling Techniques, 3rd ed. 1977, 6.3 and 9A.1), by Student's
    t, since loads of one visitor and of one campaign are alike; never narrower than Wilson's with the noise of `draws`.
    """
    successes, trials = (sum(part) for part in zip(*days, strict=True)) if days else (0, 0)
    if not trials:
        return Rate(None, None, None, str(SEEN))
    successes = min(max(successes, 0), trials)
    share = successes / trials
    low, high = with_noise(share, wilson(successes, trials), trials, draws)
    high = min(high, 1.0)
    if len(days) >= FEWEST_DAYS:
        squares = sum((day.successes - share * day.trials) ** 2 for day in days)
        half = student(len(days) - 1) * sqrt(squares * len(days) / (len(days) - 1)) / trials
        low, high = min(low, max(share - half, 0.0)), max(high, min(share + half, 1.0))
    return Rate(share, low, high, str(SEEN))
