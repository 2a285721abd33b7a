"""What vendors see: of the page loads that were sampled, in how many each of them might run."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, NamedTuple

from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates.rules import Rate, Ratio, Trials, wilson, with_noise
from consent_server.rates.rules_days import student
from consent_server.rates.rules_report import SELECTION_DRAWS, Asked, Count

SEEN = Ratio("granted", "sampled")
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
    """What one vendor sees, day by day."""

    days: Sequence[State]

    @property
    def whole(self) -> State:
        """Of all days together."""
        sampled, granted, unanswered, draws = map(sum, zip(State(), *self.days, strict=True))
        granted = min(max(granted, 0), sampled)
        return State(sampled, granted, min(max(unanswered, 0), sampled - granted), draws)

    @property
    def rate(self) -> Rate:
        """Its share of page loads, as wide as the days differ and at least as Wilson's interval is."""
        return over_days([Trials(day.granted, day.sampled) for day in self.days], self.whole.draws)

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


def page_loads(counts: Iterable[Count], asked: Mapping[str, Asked]) -> PageLoads:
    """Add up the sample; the keys of `counts` are days. A vendor is measured under the notices that ask for it."""
    units: dict[tuple[str, str], dict[CounterName, int]] = defaultdict(dict)
    for day, notice, counter, events in counts:
        units[day, notice][counter] = events
    sampled = 0
    days: dict[str, dict[str, State]] = {}
    for (day, notice), counted in sorted(units.items()):
        loads = counted.get(CounterName(Measure.PAGES), 0)
        sampled += loads
        for key in asked[notice].vendors:
            of_day = days.setdefault(key, {})
            of_day[day] = of_day.get(day, State()).plus(_state(key, loads, counted))
    return PageLoads(sampled, {key: Seen(tuple(of_day.values())) for key, of_day in days.items()})


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


def _state(key: str, loads: int, counted: Mapping[CounterName, int]) -> State:
    granted, stand_ins = (
        counted.get(CounterName(measure, key), 0) for measure in (Measure.PAGE_VENDOR, Measure.PAGE_STAND_IN)
    )
    unanswered = counted.get(CounterName(Measure.PAGES_UNANSWERED), 0) - stand_ins
    return State(loads, granted, unanswered, counted.get(SELECTION_DRAWS, 0))
