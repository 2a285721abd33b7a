"""What is too small to be told in a split by country or language, since it could point at somebody."""

from collections import Counter
from collections.abc import Mapping

SMALLEST = 10
OTHER = "other"


def merge_small(cells: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    """Counts by value and counter, of one day under one notice; those of small values are counts of "other".

    Of one day under one notice, because nobody can ask for less: every answer is a sum of these, and so is the
    difference of any two. Merged over a longer time, the difference of two spans would tell the day between.
    """
    sizes: dict[str, Counter[str]] = {}
    for (value, counter), events in cells.items():
        sizes.setdefault(value, Counter())[counter] += events
    merged = _small(sizes)
    told: Counter[tuple[str, str]] = Counter()
    for (value, counter), events in cells.items():
        told[OTHER if value in merged else value, counter] += events
    return told


def size(counted: Mapping[str, int]) -> int:
    """How many visitors counters may be of."""
    # Not the sum of both: nine visitors who saw the banner and chose are nine, not eighteen.
    return max(counted.get("shown", 0), counted.get("decisions", 0))


def _small(sizes: Mapping[str, Counter[str]]) -> set[str]:
    # One merged value alone, or merged values that stay small together, could be told from the whole less the values
    # that stand. So the next smallest joins them until the difference says nothing of fewer than SMALLEST.
    merged: set[str] = set()
    together: Counter[str] = Counter()
    for value in sorted(sizes, key=lambda value: (size(sizes[value]), value)):
        enough = not merged or (len(merged) > 1 and size(together) >= SMALLEST)
        if enough and size(sizes[value]) >= SMALLEST:
            break
        merged.add(value)
        together.update(sizes[value])
    return merged
