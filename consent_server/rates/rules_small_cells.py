"""What is too small to be told in a split by country, language, device or hour, since it could point at somebody."""

from collections import Counter
from collections.abc import Mapping

from consent_server.decisions.rules_tally import CounterName, Measure

SMALLEST = 10
OTHER = "other"


def merge_small(cells: Mapping[tuple[str, CounterName], int]) -> Counter[tuple[str, CounterName]]:
    """Counts by value and counter, of one day under one notice; those of small values are counts of "other".

    Of one day under one notice, because nobody can ask for less: every answer is a sum of these, and so is the
    difference of any two. Merged over a longer time, the difference of two spans would tell the day between.
    """
    events_of: dict[str, Counter[Measure]] = {}
    for (value, counter), events in cells.items():
        events_of.setdefault(value, Counter())[counter.measure] += events
    small = _small(events_of)
    merged: Counter[tuple[str, CounterName]] = Counter()
    for (value, counter), events in cells.items():
        merged[OTHER if value in small else value, counter] += events
    return merged


def joined_hours(decisions: Mapping[str, int]) -> dict[str, str]:
    """Of one day under one notice: by hour, the hour in whose row it is told.

    An hour with fewer than SMALLEST first choices (`decisions`) stands with the next, the last ones with those before.
    What is under SMALLEST as a whole is told as the last hour of its day, and so tells no more than the day.
    """
    groups: list[list[str]] = [[]]
    for hour in sorted(decisions):
        groups[-1].append(hour)
        if sum(decisions[one] for one in groups[-1]) >= SMALLEST:
            groups.append([])
    last = groups.pop()
    if not groups:
        return {hour: f"{hour[:10]}T23" for hour in last}
    groups[-1] += last
    return {hour: group[-1] for group in groups for hour in group}


def _small(events_of: Mapping[str, Counter[Measure]]) -> set[str]:
    # By first choices, each of which is of one device: of views one visitor alone may have ten.
    # One merged value alone, or merged values that stay small together, could be told from the whole less the values
    # that stand. So the next smallest joins them until the difference says nothing of fewer than SMALLEST.
    merged: set[str] = set()
    together: Counter[Measure] = Counter()
    for value in sorted(events_of, key=lambda value: (_size(events_of[value]), value)):
        enough = not merged or (len(merged) > 1 and _size(together) >= SMALLEST)
        if enough and _size(events_of[value]) >= SMALLEST:
            break
        merged.add(value)
        together.update(events_of[value])
    return merged


def _size(events: Counter[Measure]) -> int:
    return events[Measure.DECISIONS]
