"""From counts to the figures that people read: the whole, its rows, and what is too small to be told."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import add
from typing import Any, NamedTuple

from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates.rules import AGAIN_RATES, COUNTED, GPC_RATES, NOTES, RATES, Objected, Share, Totals
from consent_server.rates.rules_filters import Span
from consent_server.rates.rules_small_cells import OTHER, SMALLEST
from consent_server.sites.rules_places import Rule

_DECISIONS, _SHOWN, _TOLD = map(CounterName, (Measure.DECISIONS, Measure.SHOWN, Measure.TOLD))
_DRAWS = CounterName(Measure.DRAWS)
# Rules under which no banner tells of what runs.
BY_LINK = (Rule.OPT_OUT, Rule.NONE)
_TOTALS = {name: CounterName(Measure(name)) for name in COUNTED}
OF_TOTALS = tuple(_TOTALS.values())
_NOTHING = (0, 0, 0)
_OF_VENDORS = (Measure.VENDOR, Measure.CONVERSION_SENT, Measure.CONVERSION_BLOCKED)
# Of what was granted on the whole, whose totals hold no noise.
SELECTION_DRAWS = CounterName(Measure.DRAWS, "selection")


class Counts(NamedTuple):
    """So many events of each counter under one notice (its hash); `key` names their row."""

    key: str
    notice: str
    events: Mapping[CounterName, int]


class Asked(NamedTuple):
    """What a notice asks for, by key, and what it calls it. What it does not ask for, nobody could grant or deny.

    A choice under it lasts `choice_days`. `objections` are the purposes that it lets run until somebody objects.
    """

    purposes: Mapping[str, str]
    vendors: Mapping[str, str]
    choice_days: int = 180
    rule: str = "opt-in"
    objections: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is said of one row, or of the whole."""

    totals: Totals = field(default_factory=Totals)
    purposes: Mapping[str, Share] = field(default_factory=dict)
    vendors: Mapping[str, Share] = field(default_factory=dict)
    objections: Mapping[str, Objected] = field(default_factory=dict)

    def with_grants_lately(self, grants: int) -> "Figures":
        """The same as the whole that withdrawals are measured by (Totals)."""
        return replace(self, totals=replace(self.totals, grants_lately=grants))

    def to_json(self) -> dict[str, Any]:
        """All of it by name; `note` is null, or a key of NOTES and its text."""
        totals = self.totals
        return {
            "totals": totals.to_json(),
            "rates": {name: totals.rate(name).to_json() for name in RATES},
            "grants_lately": totals.grants_lately,
            "again": {"rates": {name: totals.rate_again(name).to_json() for name in AGAIN_RATES}},
            "purposes": {key: share.to_json(vendor=False) for key, share in self.purposes.items()},
            "vendors": {key: share.to_json(vendor=True) for key, share in self.vendors.items()},
            "objections": {key: objected.to_json() for key, objected in self.objections.items()},
            "gpc": {
                "decisions": totals.gpc,
                "first_choices": totals.with_gpc,
                "rates": {name: totals.rate(name).to_json() for name in GPC_RATES},
            },
            "note": _note(totals.note),
            "draws": totals.draws,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The whole, and rows of key and figures; None for figures that are too few to be told."""

    whole: Figures
    rows: tuple[tuple[str, Figures | None], ...]

    def to_json(self) -> dict[str, Any]:
        """As the contract has it; the caller adds site, from and to. A row that is not told has null for numbers."""
        rows = [{"key": key, **(figures.to_json() if figures else _BLANK)} for key, figures in self.rows]
        return {**self.whole.to_json(), "rows": rows}


def report(counts: Iterable[Counts], asked: Mapping[str, Asked]) -> Report:
    """Rows in the order of their keys, "other" last, without figures where these are of too few.

    `asked` holds every notice that the counts name, by its hash; else KeyError.
    """
    counts = list(counts)
    return Report(figures(counts, asked), in_order({key: figures(of, asked) for key, of in by_key(counts).items()}))


def in_order(rows: Mapping[str, Figures]) -> tuple[tuple[str, Figures | None], ...]:
    """Rows as a report has them."""
    ordered = sorted(rows.items(), key=lambda row: (row[0] == OTHER, row[0]))
    return tuple((key, None if _too_small(key, row) else row) for key, row in ordered)


def by_hour(counts: Iterable[Counts], whole: Figures) -> Report:
    """Rows by hour, which tell of no purpose and no vendor; the whole has them."""
    rows = {hour: Figures(totals(counted)) for hour, counted in by_key(counts).items()}
    return Report(whole, tuple(sorted(rows.items())))


class Days:
    """Counts by day, and the figures of each, which are made when they are asked for, and once."""

    def __init__(self, counts: Iterable[Counts], asked: Mapping[str, Asked]) -> None:
        self.counts = by_key(counts)
        self._asked, self._made = asked, dict[str, Figures]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __getitem__(self, day: str) -> Figures:
        if day not in self._made:
            self._made[day] = figures(self.counts[day], self._asked)
        return self._made[day]

    def totals(self, day: str) -> Totals:
        """Those of a day alone, at a fraction of the cost where its figures were not made yet."""
        return self._made[day].totals if day in self._made else totals(self.counts[day])

    def within(self, span: Span) -> list[Counts]:
        """The counts of these days."""
        return [count for day, counted in self.counts.items() if span.holds(day) for count in counted]


def by_key(counts: Iterable[Counts]) -> dict[str, list[Counts]]:
    """The counts of each row."""
    rows: dict[str, list[Counts]] = {}
    for count in counts:
        rows.setdefault(count.key, []).append(count)
    return rows


def figures(counts: Iterable[Counts], asked: Mapping[str, Asked]) -> Figures:
    """Add up counts, whatever their keys."""
    notices: dict[str, Counter[CounterName]] = {}
    for _, notice, events in counts:
        notices.setdefault(notice, Counter()).update(events)
    return Figures(
        _totals(notices.values()),
        _shares(((asked[notice].purposes, counted) for notice, counted in notices.items()), Measure.PURPOSE),
        _shares(((asked[notice].vendors, counted) for notice, counted in notices.items()), *_OF_VENDORS),
        _objected((asked[notice], counted) for notice, counted in notices.items()),
    )


def totals(counts: Iterable[Counts]) -> Totals:
    """The same without purposes and vendors, at a fraction of the cost."""
    return _totals(count.events for count in counts)


def _totals(parts: Iterable[Mapping[CounterName, int]]) -> Totals:
    sums = Counter[CounterName]()
    for events in parts:
        sums.update(events)
    # Noise may have left less than nothing.
    return Totals(**{name: max(sums.get(counter, 0), 0) for name, counter in _TOTALS.items()})


def _objected(notices: Iterable[tuple[Asked, Mapping[CounterName, int]]]) -> dict[str, Objected]:
    found: dict[str, tuple[int, ...]] = {}
    for asked, counted in notices:
        told = counted.get(_SHOWN, 0) + counted.get(_TOLD, 0)
        draws = max(counted.get(_DRAWS, 0), counted.get(SELECTION_DRAWS, 0))
        for key in asked.objections:
            objected = counted.get(CounterName(Measure.OBJECTED, key), 0)
            one = (objected, told, draws, objected if asked.rule in BY_LINK else 0)
            found[key] = tuple(map(add, found[key], one)) if key in found else one
    # Where noise left less than nothing, nothing.
    return {key: Objected(*(max(count, 0) for count in counts)) for key, counts in found.items()}


def _shares(
    notices: Iterable[tuple[Collection[str], Mapping[CounterName, int]]], *measures: Measure
) -> dict[str, Share]:
    # A key's decisions are those under notices that ask for it: under others nobody could deny it.
    shares: dict[str, tuple[int, ...]] = {}
    for keys, counted in notices:
        get = counted.get
        draws = max(get(_DRAWS, 0), get(SELECTION_DRAWS, 0))
        same = draws, get(_DECISIONS, 0), get(_SHOWN, 0)
        for key in keys:
            share = same + tuple(map(get, _counters(key, measures), _NOTHING))
            shares[key] = tuple(map(add, shares[key], share)) if key in shares else share
    return {key: _share(*share) for key, share in shares.items()}


@lru_cache(maxsize=4096)
def _counters(key: str, measures: Sequence[Measure]) -> tuple[CounterName, ...]:
    return tuple(CounterName(measure, key) for measure in measures)


def _share(draws: int, decisions: int, shown: int, granted: int, sent: int = 0, blocked: int = 0) -> Share:
    """Where noise left less than nothing, or more than all, nothing and all."""
    if draws and (granted > decisions or min(granted, decisions, shown, sent, blocked) < 0):
        decisions, shown, sent, blocked = max(decisions, 0), max(shown, 0), max(sent, 0), max(blocked, 0)
        granted = min(max(granted, 0), decisions)
    return Share(granted, decisions, shown, sent, blocked, draws)


def _too_small(key: str, row: Figures) -> bool:
    return key == OTHER and row.totals.decisions < SMALLEST


def _note(key: str | None) -> dict[str, str] | None:
    return {"key": key, "text": NOTES[key]} if key else None


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_numbers(part) for key, part in value.items()}
    return value if isinstance(value, str) else None


_BLANK = {**_without_numbers(Figures().to_json()), "note": _note("fewer_than_10")}
