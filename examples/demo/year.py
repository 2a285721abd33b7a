"""A made-up year of a site's visitors: who came when, with what, and what they did. The same seed, the same year.

The shape is that of a small company's site: busy on weekdays from nine to six, quiet on weekends, on holidays and in
August, growing. Each notice has an effect of its own (NOTICES). Before the second came into force, an experiment shared
the visitors between it and the first.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from consent_server.decisions.rules import Action
from consent_server.decisions.rules_tally import PREFETCH, ROBOT
from consent_server.decisions.rules_visit import Visit

SEED = 2016
ZONE = ZoneInfo("Europe/Paris")
VIEWS_A_DAY = 62
WEEKDAYS = (1.1, 1.2, 1.2, 1.15, 1.0, 0.45, 0.5)
HOLIDAYS = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 24), (12, 25), (12, 31)}
# From midnight, by the hour.
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 15, 24, 28, 27, 20, 21, 26, 27, 25, 21, 15, 11, 10, 9, 6, 3)
OFFICE = range(9, 18)
# Country: how many, in which languages, and how willing, in points of a hundred.
COUNTRIES = {
    "FR": (34, ("fr", "fr", "fr", "fr", "en"), -2), "IT": (16, ("it", "it", "it", "en"), 6),
    "ES": (14, ("es", "es", "es", "en"), 5), "GB": (8, ("en",), 2), "US": (7, ("en", "en", "en", "es"), 8),
    "DE": (5, ("en",), -12), "BE": (4, ("fr", "fr", "en"), -3), "CH": (3, ("fr", "it", "en"), -4),
    "MX": (3, ("es",), 8), "AR": (2, ("es",), 8), "": (2, ("en",), 0), "IE": (1, ("en",), 1), "NL": (1, ("en",), -8),
}  # fmt: skip
DEVICES = ("desktop", "mobile", "tablet")
IN_OFFICE, AT_HOME = (70, 26, 4), (34, 58, 8)
TAPS = {"desktop": -0.02, "mobile": 0.04, "tablet": 0.0}


class NoticeEffect(NamedTuple):
    """How many answer the banner, and of those how many accept or refuse all; the rest choose for themselves."""

    interaction: float
    accept: float
    refuse: float


# A box in a corner; a bar, which more people notice; and the same bar with one more vendor, which fewer accept.
# The views of 100 that the experiment gives the bar stand in fill.EXPERIMENT.
NOTICES = (NoticeEffect(0.52, 0.50, 0.36), NoticeEffect(0.66, 0.52, 0.36), NoticeEffect(0.66, 0.38, 0.48))
GPC = 0.04
ROBOTS, PREFETCHES = 0.03, 0.012
# Of visitors, those who look at another page before they answer.
BROWSES = 0.2
CONVERTS = 0.03
# Page loads of a visitor, and of them those in the sample: more than so small a site would draw, that a year has some.
LOADS, SAMPLED = 5, 0.1
# Of those who granted something, and of those who refused.
WITHDRAW, NARROW, SIGNAL, RECONSIDER = 0.02, 0.012, 0.006, 0.01


@dataclass(frozen=True, slots=True)
class Event:
    """Something that one person did. `action` is None for a banner shown, a conversion and a sampled page load.

    `grants` are the purposes that a choice of one's own grants. `person` tells whose earlier choice a later one
    changes; no use case ever sees it. `arrival` tells of a view that it is the first of a visit.
    """

    at: datetime
    person: int
    notice: int
    language: str
    visit: Visit
    action: Action | None = None
    grants: tuple[str, ...] = ()
    change: bool = False
    gpc: bool = False
    converts: bool = False
    arrival: bool = False
    sampled: bool = False


class Year:
    """The days up to `last`; `published` are the first days of the notices, the first day of all among them.

    `trial` is the first day of the experiment, which ends with the second notice.
    """

    def __init__(self, last: date, days: int = 365) -> None:
        self.days = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
        self.published = (self.days[0], _tuesday(self.days[days * 3 // 5]), _tuesday(self.days[days - days // 30]))
        self.trial = self.published[1] - timedelta(days=max(days // 9, 3))
        self._dice = random.Random(SEED)
        # Of their own, so that everything else stays as it was without them.
        self._loads = random.Random(SEED)
        self._people = 0
        self._later: dict[date, list[Event]] = {}

    def __iter__(self) -> Iterator[tuple[date, list[Event]]]:
        """Each day with its events, in the order of time. Iterate once."""
        for number, day in enumerate(self.days):
            mean = VIEWS_A_DAY * _factor(day) * (0.65 + 0.75 * number / len(self.days))
            views = max(round(self._dice.gauss(mean, mean**0.5)), 1)
            events = [event for _ in range(views) for event in self._visitor(day)]
            yield day, sorted([*events, *self._later.pop(day, ())], key=lambda event: event.at)

    def notice_of(self, day: date) -> int:
        """Which notice is in force."""
        return sum(first <= day for first in self.published) - 1

    def _drawn(self, day: date) -> int:
        """The notice of one view: while the experiment runs, either."""
        return self._dice.randrange(2) if self.trial <= day < self.published[1] else self.notice_of(day)

    def _visitor(self, day: date) -> Iterator[Event]:
        dice = self._dice
        hour = dice.choices(range(24), HOURS)[0]
        seconds = dice.uniform(0, 3600)
        at = datetime.combine(day, time(hour), ZONE).astimezone(UTC) + timedelta(seconds=seconds)
        country = dice.choices(list(COUNTRIES), [share for share, _, _ in COUNTRIES.values()])[0]
        device = dice.choices(DEVICES, IN_OFFICE if hour in OFFICE and day.weekday() < 5 else AT_HOME)[0]
        language = dice.choice(COUNTRIES[country][1])
        kind = dice.random()
        left_out = ROBOT if kind < ROBOTS else PREFETCH if kind < ROBOTS + PREFETCHES else None
        self._people += 1
        view = Event(at, self._people, self._drawn(day), language, Visit(device, country, left_out), arrival=True)
        yield view
        if dice.random() < BROWSES:
            # The banner is answered on the next page, if at all.
            at += timedelta(seconds=dice.uniform(5, 90))
            view = _as(view, at=at, notice=self._drawn(day), arrival=False)
            yield view
        if left_out is None:
            choice = self._choice(view)
            if choice:
                yield choice
                self._follow(choice, day)
            yield from self._sampled(view)
            if dice.random() < CONVERTS:
                yield _as(view, converts=True, at=at + timedelta(seconds=dice.uniform(120, 900)))

    def _sampled(self, view: Event) -> Iterator[Event]:
        """The page loads after this view that are in the sample."""
        for load in range(1 + int(self._loads.expovariate(1 / (LOADS - 1)))):
            if self._loads.random() < SAMPLED:
                yield _as(view, at=view.at + timedelta(minutes=load), sampled=True, arrival=False)

    def _choice(self, view: Event) -> Event | None:
        dice, effect = self._dice, NOTICES[view.notice]
        willing = COUNTRIES[view.visit.country][2] / 100
        if dice.random() > effect.interaction + TAPS[view.visit.device]:
            return None
        gpc = dice.random() < GPC
        which = dice.random() + (0.25 if gpc else 0)
        grants: tuple[str, ...] = ()
        if which < effect.accept + willing:
            action = Action.ACCEPT_ALL
        elif which < effect.accept + effect.refuse:
            action = Action.REFUSE_ALL
        else:
            action = Action.SAVE
            grants = dice.choices([("analytics",), ("advertising",), ()], (80, 6, 14))[0]
        at = view.at + timedelta(seconds=dice.lognormvariate(1.8, 0.7))
        return _as(view, at=at, action=action, grants=grants, gpc=gpc)

    def _follow(self, choice: Event, day: date) -> None:
        """What this person thinks of it later."""
        dice, which = self._dice, self._dice.random()
        later: Event | None = None
        if choice.action is Action.REFUSE_ALL:
            later = _as(choice, action=Action.ACCEPT_ALL) if which < RECONSIDER else None
        elif choice.action is Action.ACCEPT_ALL or choice.grants:
            if which < WITHDRAW:
                later = _as(choice, action=Action.WITHDRAW, grants=())
            elif which < WITHDRAW + NARROW:
                later = _as(choice, action=Action.SAVE, grants=("analytics",))
            elif which < WITHDRAW + NARROW + SIGNAL:
                later = _as(choice, action=Action.GPC, grants=("analytics",), gpc=True)
        if later:
            wait = timedelta(days=dice.randint(1, 45))
            there = day + wait
            later = _as(later, at=later.at + wait, notice=self.notice_of(there), change=True)
            self._later.setdefault(there, []).append(later)


def _as(event: Event, **changes: object) -> Event:
    values = {name: getattr(event, name) for name in Event.__slots__}
    return Event(**values | changes)


def _factor(day: date) -> float:
    quiet = 0.35 if (day.month, day.day) in HOLIDAYS else 1.0
    quiet *= 0.6 if day.month == 8 else 0.5 if (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 3) else 1
    return WEEKDAYS[day.weekday()] * quiet


def _tuesday(day: date) -> date:
    return day - timedelta(days=(day.weekday() - 1) % 7)
