"""What is counted: one outcome of one event, with nothing in it of who it was."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from consent_server.decisions.rules import Action, AskedAs, Decision


class Kind(StrEnum):
    """What happened. Each event is of exactly one kind.

    What is told, and objected to, where nothing is asked is neither a view of a question nor a first choice.
    An arrival is a view on the first page of a visit, an answer is a first choice that says it answers the banner of a
    page: both, unlike other views and first choices, are counted by visit too.
    """

    SHOWN = "shown"
    ARRIVAL = "arrival"
    SHOWN_AGAIN = "shown_again"
    FIRST = "first"
    ANSWER = "answer"
    AGAIN = "again"
    CHANGE = "change"
    WITHDRAWAL = "withdrawal"
    GPC = "gpc"
    PLACEHOLDER = "placeholder"
    ROBOT = "robot"
    PREFETCH = "prefetch"
    CONVERSION_SENT = "conversion_sent"
    CONVERSION_BLOCKED = "conversion_blocked"
    TOLD = "told"
    OBJECTION = "objection"
    PAGE_ANSWERED = "page_answered"
    PAGE_UNANSWERED = "page_unanswered"


class Measure(StrEnum):
    """What a counter counts: on the whole; from `PURPOSE` on, of one purpose or vendor; from `PAGES`, of page loads.

    `RECORDS` are told to nobody: of how many records there were in an hour. `DRAWS` counts no events: how many draws
    of noise the counters beside it hold (rates/rules_noise.py).
    """

    SHOWN = "shown"
    DECISIONS = "decisions"
    ACCEPT_ALL = "accept_all"
    REFUSE_ALL = "refuse_all"
    SAVE = "save"
    GRANTED = "granted"
    WITH_GPC = "with_gpc"
    WITH_GPC_ACCEPT_ALL = "with_gpc_accept_all"
    VISITS = "visits"
    VISIT_DECISIONS = "visit_decisions"
    VISIT_ACCEPT_ALL = "visit_accept_all"
    SHOWN_AGAIN = "shown_again"
    ANSWERED_AGAIN = "answered_again"
    ACCEPT_ALL_AGAIN = "accept_all_again"
    REFUSE_ALL_AGAIN = "refuse_all_again"
    SAVE_AGAIN = "save_again"
    GRANTED_AGAIN = "granted_again"
    CHANGES = "changes"
    WITHDRAWALS = "withdrawals"
    GPC = "gpc"
    PLACEHOLDERS = "placeholders"
    ROBOTS = "robots"
    PREFETCHES = "prefetches"
    RECORDS = "records"
    DRAWS = "draws"
    TOLD = "told"
    OBJECTIONS = "objections"
    PURPOSE = "purpose"
    VENDOR = "vendor"
    OBJECTED = "objected"
    CONVERSION_SENT = "conversion_sent"
    CONVERSION_BLOCKED = "conversion_blocked"
    PAGES = "pages"
    PAGES_UNANSWERED = "pages_unanswered"
    PAGE_VENDOR = "page_vendor"
    PAGE_STAND_IN = "page_stand_in"

    # As the text that it is: Enum's own is made anew by Python each time, and a page looks up a hundred thousand.
    __hash__ = str.__hash__


class CounterName(NamedTuple):
    """Which counter: what it counts, and the key of the purpose or vendor of which it does."""

    measure: Measure
    key: str = ""

    @property
    def text(self) -> str:
        """The one form to store: `shown`, `vendor google-ads`."""
        return f"{self.measure} {self.key}" if self.key else self.measure.value

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> "CounterName":
        """The inverse of `text`. Raises ValueError for what is counted nowhere."""
        measure, _, key = text.partition(" ")
        return CounterName(Measure(measure), key)


PAGE_LOADS = (Kind.PAGE_ANSWERED, Kind.PAGE_UNANSWERED)
# What is told of an hour: of its selections nothing, since one first choice in it would be the whole of them.
HOURLY = (Measure.SHOWN, Measure.DECISIONS, Measure.ACCEPT_ALL, Measure.REFUSE_ALL, Measure.SAVE)
# Each stands for a record that was made.
_RECORDS = (Measure.DECISIONS, Measure.ANSWERED_AGAIN, Measure.CHANGES, Measure.WITHDRAWALS)
_CONVERSIONS = (Kind.CONVERSION_SENT, Kind.CONVERSION_BLOCKED)
_FIRST = (Kind.FIRST, Kind.ANSWER)
_CHOICES = (*_FIRST, Kind.AGAIN, Kind.CHANGE)
_ACTIONS = (Action.ACCEPT_ALL, Action.REFUSE_ALL, Action.SAVE)
_COUNTED_AS = {
    Kind.SHOWN: Measure.SHOWN, Kind.SHOWN_AGAIN: Measure.SHOWN_AGAIN,
    Kind.CHANGE: Measure.CHANGES, Kind.WITHDRAWAL: Measure.WITHDRAWALS,
    Kind.GPC: Measure.GPC, Kind.PLACEHOLDER: Measure.PLACEHOLDERS, Kind.ROBOT: Measure.ROBOTS,
    Kind.PREFETCH: Measure.PREFETCHES, Kind.TOLD: Measure.TOLD,
}  # fmt: skip
_KEY = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kind of event; `purposes` and `vendors` are those that it granted, sorted.

    `action` stands with choices only, the other kinds say it themselves. `signal` tells that a choice was made with
    Global Privacy Control on. A conversion has its one vendor. `objected` are the purposes that no grant is needed for
    and that the visitor objected to, sorted. Raises ValueError for what cannot be.
    """

    kind: Kind
    action: Action | None = None
    purposes: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    signal: bool = False
    objected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (_is_sorted(self.purposes) and _is_sorted(self.vendors) and _is_sorted(self.objected)):
            raise ValueError("Keys are sorted, each once, of a-z, 0-9 and the hyphen.")
        if self.action not in (_ACTIONS if self.kind in _CHOICES else (None,)):
            raise ValueError("A choice accepts, refuses or saves; nothing else has an action.")
        if self.signal and self.kind not in _CHOICES:
            raise ValueError("Only a choice is made with or without the signal.")
        if self.objected and self.kind not in (*_CHOICES, Kind.GPC, Kind.OBJECTION):
            raise ValueError("This kind of event objects to nothing.")
        if self.kind in _CONVERSIONS:
            if self.purposes or len(self.vendors) != 1:
                raise ValueError("A conversion has one vendor.")
        elif self.kind in PAGE_LOADS:
            if self.purposes:
                raise ValueError("Of a page load only vendors are told.")
        elif self.kind not in (*_CHOICES, Kind.GPC) and (self.purposes or self.vendors):
            raise ValueError("This kind of event grants nothing.")

    @property
    def text(self) -> str:
        """The one form to store: `first:accept_all:advertising,analytics:google-ads`. Parts at the end may lack."""
        signal = "gpc" if self.signal else ""
        keys = (",".join(self.purposes), ",".join(self.vendors))
        parts = (self.kind, self.action or "", *keys, signal, ",".join(self.objected))
        return ":".join(parts).rstrip(":")

    @staticmethod
    def parse(text: str) -> "Outcome":
        """The inverse of `text`. Raises ValueError for anything that `text` never says."""
        kind, action, *keys, signal, objected = (*text.split(":"), "", "", "", "", "")[:6]
        purposes, vendors = map(_keys, keys)
        made = Action(action) if action else None
        outcome = Outcome(Kind(kind), made, purposes, vendors, signal == "gpc", _keys(objected))
        if outcome.text != text:
            raise ValueError(f"Not an outcome: {text!r}.")
        return outcome

    @property
    def _grants(self) -> bool:
        return bool(self.purposes or self.vendors)

    @property
    def _page_counters(self) -> tuple[CounterName, ...]:
        answered = self.kind is Kind.PAGE_ANSWERED
        measures = (Measure.PAGES,) if answered else (Measure.PAGES, Measure.PAGES_UNANSWERED)
        of_vendors = (Measure.PAGE_VENDOR,) if answered else (Measure.PAGE_VENDOR, Measure.PAGE_STAND_IN)
        of_each = (CounterName(measure, key) for key in self.vendors for measure in of_vendors)
        return (*map(CounterName, measures), *of_each)

    @property
    def counters(self) -> tuple[CounterName, ...]:
        """Each counter that one event adds one to. From them nobody learns what was granted together.

        A change tells what became of an earlier choice, so it adds to no purpose and no vendor; nor does who is asked
        again: purposes and vendors are of those who were asked for the first time.
        """
        if self.kind in _CONVERSIONS:
            return tuple(CounterName(Measure(self.kind), key) for key in self.vendors)
        if self.kind in PAGE_LOADS:
            return self._page_counters
        objected = tuple(CounterName(Measure.OBJECTED, key) for key in self.objected)
        if self.kind is Kind.OBJECTION:
            return CounterName(Measure.OBJECTIONS), *objected
        if self.kind is Kind.GPC:
            return CounterName(Measure.GPC), *objected
        if self.kind in _COUNTED_AS:
            return (CounterName(_COUNTED_AS[self.kind]),)
        if self.kind is Kind.ARRIVAL:
            return CounterName(Measure.SHOWN), CounterName(Measure.VISITS)
        if self.kind is Kind.AGAIN:
            granted = (Measure.GRANTED_AGAIN,) if self._grants else ()
            return tuple(map(CounterName, (Measure.ANSWERED_AGAIN, Measure(f"{self.action}_again"), *granted)))
        measures = {
            Measure.DECISIONS: True,
            Measure(str(self.action)): True,
            Measure.GRANTED: self._grants,
            Measure.WITH_GPC: self.signal,
            Measure.WITH_GPC_ACCEPT_ALL: self.signal and self.action is Action.ACCEPT_ALL,
            Measure.VISIT_DECISIONS: self.kind is Kind.ANSWER,
            Measure.VISIT_ACCEPT_ALL: self.kind is Kind.ANSWER and self.action is Action.ACCEPT_ALL,
        }
        return (
            *(CounterName(measure) for measure, counts in measures.items() if counts),
            *(CounterName(Measure.PURPOSE, key) for key in self.purposes),
            *(CounterName(Measure.VENDOR, key) for key in self.vendors),
            *objected,
        )


def of_decision(decision: Decision) -> Outcome:
    """What a settled decision counts as. What is withdrawn or follows a browser's signal is no first choice.

    Nor is what was let in at a stand-in: the banner is still to be answered, and then that is the first choice, or the
    answer of who was asked again. A change after which nothing stands is a withdrawal, by whatever button.
    """
    answer = decision.answer
    if decision.partial:
        return Outcome(Kind.PLACEHOLDER)
    purposes = tuple(sorted(key for key, granted in decision.grants.items() if granted))
    vendors = tuple(sorted(key for key, granted in decision.vendors.items() if granted))
    objected = tuple(sorted(key for key, against in decision.objections.purposes.items() if against))
    if answer.action is Action.GPC:
        return Outcome(Kind.GPC, None, purposes, vendors, objected=objected)
    if not decision.grants and decision.objections.purposes:
        # Nobody was asked: it answers no question, and no rate of answers may hold it.
        objects = objected or any(decision.objections.vendors.values())
        return Outcome(Kind.OBJECTION, objected=objected) if objects else _choice(Kind.CHANGE, answer.action)
    if answer.asked is AskedAs.AGAIN:
        action = Action.REFUSE_ALL if answer.action is Action.WITHDRAW else answer.action
        return _choice(Kind.AGAIN, action, purposes, vendors, answer.gpc, objected)
    if answer.action is Action.WITHDRAW or (answer.change and not decision.grants_anything):
        return Outcome(Kind.WITHDRAWAL)
    first = Kind.ANSWER if answer.asked is AskedAs.FIRST else Kind.FIRST
    return _choice(Kind.CHANGE if answer.change else first, answer.action, purposes, vendors, answer.gpc, objected)


# Most visitors say one of a few things.
@lru_cache(maxsize=1024)
def _choice(
    kind: Kind,
    action: Action,
    purposes: tuple[str, ...] = (),
    vendors: tuple[str, ...] = (),
    signal: bool = False,
    objected: tuple[str, ...] = (),
) -> Outcome:
    return Outcome(kind, action, purposes, vendors, signal, objected)


def of_conversion(vendor: str, sent: bool) -> Outcome:
    """A conversion that the vendor was told, or that was held back for want of a grant."""
    return Outcome(Kind.CONVERSION_SENT if sent else Kind.CONVERSION_BLOCKED, vendors=(vendor,))


def of_page_load(answered: bool, granted: Iterable[str]) -> Outcome:
    """A page load that was sampled: whether the banner is answered there, and the vendors that may run."""
    return Outcome(Kind.PAGE_ANSWERED if answered else Kind.PAGE_UNANSWERED, vendors=tuple(sorted(set(granted))))


@lru_cache(maxsize=1024)
def counters_of(text: str) -> tuple[CounterName, ...]:
    """The counters of an outcome by its text. Raises ValueError."""
    return Outcome.parse(text).counters


def pulse_of(counters: Iterable[CounterName]) -> tuple[CounterName, ...]:
    """What an hour keeps of them for alerts: that something was shown, answered, or recorded, and not what."""
    measures = [counter.measure for counter in counters]
    kept = [measure for measure in measures if measure in (Measure.SHOWN, Measure.DECISIONS)]
    return tuple(map(CounterName, [*kept, *(Measure.RECORDS for measure in measures if measure in _RECORDS)]))


def _keys(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _is_sorted(keys: tuple[str, ...]) -> bool:
    return all(map(_KEY.fullmatch, keys)) and all(key < after for key, after in pairwise(keys))


SHOWN = Outcome(Kind.SHOWN)
ARRIVAL = Outcome(Kind.ARRIVAL)
SHOWN_AGAIN = Outcome(Kind.SHOWN_AGAIN)
TOLD = Outcome(Kind.TOLD)
ROBOT = Outcome(Kind.ROBOT)
PREFETCH = Outcome(Kind.PREFETCH)
