"""How two periods differ, and by how much more than a site's days go up and down by themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import Any

from consent_server.rates.rules import RATES, REACH, SHARE, Difference, Ratio, Share, Swing, Totals, difference
from consent_server.rates.rules_days import day_to_day
from consent_server.rates.rules_report import Figures


@dataclass(frozen=True, slots=True)
class ShareDifference:
    """Of a purpose or vendor that both periods asked for."""

    rate: Difference
    reach: Difference

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"rate": self.rate.to_json(), "reach": self.reach.to_json()}


@dataclass(frozen=True, slots=True)
class Differences:
    """How much each rate of the one period exceeds that of the other."""

    rates: Mapping[str, Difference]
    purposes: Mapping[str, ShareDifference]
    vendors: Mapping[str, ShareDifference]

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {
            "rates": {name: change.to_json() for name, change in self.rates.items()},
            "purposes": {key: change.to_json() for key, change in self.purposes.items()},
            "vendors": {key: change.to_json() for key, change in self.vendors.items()},
        }


@dataclass(frozen=True, slots=True)
class History:
    """Complete days of the last weeks, and the days of both periods on which anything could be counted."""

    days: Mapping[date, Figures] = field(default_factory=dict)
    after: Sequence[date] = ()
    before: Sequence[date] = ()

    def swing(self, ratio: Ratio, part: Callable[[Figures], Totals | Share | None]) -> Swing | None:
        """How far the days alone let a rate of the two periods differ; None where that is not known."""
        if not self.after or not self.before:
            return None
        counted = {day: of_day for day, figures in self.days.items() if (of_day := part(figures))}
        trials = {day: made for day, of_day in counted.items() if (made := ratio.proportion(of_day))}
        usual = day_to_day(trials, max(self.after[0], self.before[0]))
        return usual.swing(self.after, self.before) if usual else None


def compare(after: Figures, before: Figures, history: History) -> Differences:
    """Each of the rates, and `rate` and `reach` of what both periods asked for."""
    now, then = after.totals, before.totals
    rates = {
        name: difference(now.rate(name), then.rate(name), history.swing(ratio, attrgetter("totals")))
        for name, ratio in RATES.items()
    }
    return Differences(
        rates,
        {key: _share(key, "purposes", after, before, history) for key in after.purposes if key in before.purposes},
        {key: _share(key, "vendors", after, before, history) for key in after.vendors if key in before.vendors},
    )


def _share(key: str, kind: str, after: Figures, before: Figures, history: History) -> ShareDifference:
    def part(figures: Figures) -> Share | None:
        shares: Mapping[str, Share] = getattr(figures, kind)
        return shares.get(key)

    now, then = part(after), part(before)
    assert now
    assert then
    return ShareDifference(
        difference(now.rate, then.rate, history.swing(SHARE, part)),
        difference(now.reach, then.reach, history.swing(REACH, part)),
    )
