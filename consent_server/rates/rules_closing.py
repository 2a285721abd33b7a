"""What is told of a day that is over: small values merged, and noise drawn once on all but the totals of the site.

Each unit is a day under one notice, because nobody can ask for less.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from consent_server.decisions.rules_tally import HOURLY, CounterName, Measure
from consent_server.rates.rules import COUNTED
from consent_server.rates.rules_report import SELECTION_DRAWS, Asked
from consent_server.rates.rules_small_cells import joined_hours, merge_small

Cells = Mapping[tuple[str, CounterName], int]
_DECISIONS, _DRAWS = CounterName(Measure.DECISIONS), CounterName(Measure.DRAWS)
_TOTALS = [CounterName(Measure(name)) for name in COUNTED if name != Measure.DRAWS]
_HOURLY = [CounterName(measure) for measure in HOURLY]
_CONVERSIONS = (Measure.CONVERSION_SENT, Measure.CONVERSION_BLOCKED)


class Noise:
    """Adds a draw to every counter that there could be: one that is left out at 0 would tell that nobody was there."""

    def __init__(self, draw: Callable[[], int]) -> None:
        self._draw = draw

    def split(self, cells: Cells, asked: Asked) -> Cells:
        """By language, device or country: small values merged, and all counters of each that stands."""
        merged = merge_small(cells)
        return self._on(merged, {value for value, _ in merged}, lambda here: (*_TOTALS, *_selection(asked, here)))

    def hours(self, cells: Cells) -> Cells:
        """By hour: those of few first choices joined."""
        decisions = dict.fromkeys((hour for hour, _ in cells), 0)
        for (hour, counter), events in cells.items():
            decisions[hour] += events if counter == _DECISIONS else 0
        rows, joined = joined_hours(decisions), Counter[tuple[str, CounterName]]()
        for (hour, counter), events in cells.items():
            joined[rows[hour], counter] += events
        return self._on(joined, set(rows.values()), lambda _: _HOURLY)

    def totals(self, cells: Cells) -> Cells:
        """Of one notice among several."""
        return self._on(cells, {""}, lambda _: _TOTALS)

    def selection(self, cells: Cells, asked: Asked) -> Cells:
        """What was granted on the whole, and the conversions."""
        return self._on(cells, {""}, lambda here: _selection(asked, here), SELECTION_DRAWS)

    def page_loads(self, cells: Cells, asked: Asked) -> Cells:
        """Of a sample: of each vendor; how many were drawn stays."""
        keyed = [
            CounterName(measure, key)
            for key in asked.vendors
            for measure in (Measure.PAGE_VENDOR, Measure.PAGE_STAND_IN)
        ]
        return self._on(cells, {""}, lambda _: keyed, SELECTION_DRAWS)

    def _on(
        self, cells: Cells, values: Collection[str],
        counters: Callable[[Mapping[CounterName, int]], Iterable[CounterName]], draws: CounterName = _DRAWS,
    ) -> Cells:  # fmt: skip
        told = Counter(cells)
        for value in sorted(values):
            here = {counter: events for (of, counter), events in cells.items() if of == value}
            for counter in counters(here):
                told[value, counter] += self._draw()
            told[value, draws] += 1
        return told


def _selection(asked: Asked, counted: Mapping[CounterName, int]) -> Iterator[CounterName]:
    yield from (CounterName(Measure.PURPOSE, key) for key in asked.purposes)
    yield from (CounterName(Measure.OBJECTED, key) for key in sorted(asked.objections))
    for key in asked.vendors:
        yield CounterName(Measure.VENDOR, key)
        # Of most vendors no conversion is ever counted, and noise would make some up. That there was one is told.
        conversions = [CounterName(measure, key) for measure in _CONVERSIONS]
        yield from (conversion for conversion in conversions if any(counted.get(one) for one in conversions))
