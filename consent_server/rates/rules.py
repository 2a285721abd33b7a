"""The definitions of every rate, each with its interval. docs/rates.md says them in words."""

from dataclasses import dataclass, fields
from math import hypot, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

from consent_server.rates.rules_noise import VARIANCE


class Trials(NamedTuple):
    """So many successes among so many trials."""

    successes: int
    trials: int


class Ratio(NamedTuple):
    """The definition of a rate: names of two counts, the first of which is a part of the second."""

    over: str
    under: str

    def __str__(self) -> str:
        return f"{self.over} / {self.under}"

    def trials(self, counted: object) -> Trials:
        """Both counts, of Totals or of a Share."""
        return Trials(getattr(counted, self.over), getattr(counted, self.under))

    def proportion(self, counted: "Totals | Share | Objected") -> Trials | None:
        """The same, None where they make no proportion: nothing was tried, or views were lost."""
        successes, trials = self.trials(counted)
        # With views lost, every rate over views would be too high, also one that stays under 1.
        answers = max(successes, getattr(counted, ANSWERS.get(self.under, self.over)))
        if not trials or is_more(answers, trials, counted.draws):
            return None
        return Trials(min(successes, trials), trials)


# Of views of each kind, how many were answered.
ANSWERS = {"shown": "decisions", "shown_again": "answered_again", "visits": "visit_decisions"}
RATES = {
    "interaction": Ratio("decisions", "shown"),
    "consent": Ratio("accept_all", "decisions"),
    "opt_in": Ratio("accept_all", "shown"),
    "refusal": Ratio("refuse_all", "decisions"),
    "no_choice": Ratio("no_choice", "shown"),
    "visit_interaction": Ratio("visit_decisions", "visits"),
    "visit_opt_in": Ratio("visit_accept_all", "visits"),
    "withdrawal": Ratio("withdrawals", "grants_lately"),
}
AGAIN_RATES = {
    "interaction": Ratio("answered_again", "shown_again"),
    "consent": Ratio("accept_all_again", "answered_again"),
    "opt_in": Ratio("accept_all_again", "shown_again"),
}
GPC_RATES = {
    "share": Ratio("with_gpc", "decisions"),
    "consent_with_gpc": Ratio("with_gpc_accept_all", "with_gpc"),
    "consent_without_gpc": Ratio("without_gpc_accept_all", "without_gpc"),
}
OBJECTING = Ratio("objected", "told")
SHARE, REACH = Ratio("granted", "decisions"), Ratio("granted", "shown")
# What the last step of the funnel is measured by.
GRANT_RATES = {"granting": SHARE, "granting_of_shown": REACH}
CONVERSIONS = Ratio("sent", "conversions")
# The counts that answers and pages show, in the order of a visit, and what people call them.
TOTALS = {
    "shown": "Banners shown",
    "decisions": "First choices",
    "accept_all": "… accepted all",
    "refuse_all": "… refused all",
    "save": "… an own selection",
    "granted": "First choices that granted anything",
    "no_choice": "Shown and not answered",
    "visits": "Visits that met the banner",
    "visit_decisions": "… and answered it",
    "visit_accept_all": "… and accepted all",
    "shown_again": "Shown to visitors who were asked again",
    "answered_again": "… and answered",
    "accept_all_again": "… accepted all",
    "refuse_all_again": "… refused all",
    "save_again": "… an own selection",
    "changes": "Later changes",
    "withdrawals": "Withdrawals: changes after which nothing stands",
    "gpc": "Changes by Global Privacy Control",
    "told": "Told where nothing is asked",
    "objections": "Objections where nothing is asked",
    "placeholders": "Grants at a stand-in, before the banner was answered",
    "robots": "Views and choices by robots",
    "prefetches": "Pages loaded ahead",
}
LEFT_OUT = ("robots", "prefetches")
NOTES = {
    "more_choices_than_views": "There are more choices than counted views, so rates over views are left out. Views "
    "were lost or blocked, or visitors chose elsewhere than on the banner.",
    "fewer_than_10": "Fewer than 10, so not shown.",
}
_RATIOS = RATES | GPC_RATES | GRANT_RATES
_Z95 = NormalDist().inv_cdf(0.975)


class Swing(NamedTuple):
    """How far two rates lie apart by the ups and downs of days alone, learnt from so many `days`.

    `half` is the half-width at 95 %, chance left out; `shift` what the weekdays of the two spans make of it.
    """

    half: float
    shift: float
    days: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion, 0 to 1, with its 95 % interval; all three None where there is no proportion."""

    value: float | None
    low: float | None
    high: float | None
    formula: str

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"value": self.value, "low": self.low, "high": self.high, "formula": self.formula}


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two rates, -1 to 1, with its 95 % interval; all three None where one is no rate.

    `days` are those from which the interval knows the ups and downs of days; 0 where it knows chance alone.
    """

    value: float | None
    low: float | None
    high: float | None
    days: int = 0

    @property
    def sure(self) -> bool:
        """Whether it is more than what the interval knows of."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"value": self.value, "low": self.low, "high": self.high, "formula": "after - before", "days": self.days}


NO_DIFFERENCE = Difference(None, None, None)


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of events. `decisions` are first choices; `granted` those of them that granted anything at all.

    `draws` says how many draws of noise each of them holds (rules_noise.py); 0 where they are exact.
    `grants_lately` is no counter: the grants of as many days as a choice lasts, up to the last of the days that are
    asked for. It stands with the whole alone, and is None elsewhere.
    """

    shown: int = 0
    decisions: int = 0
    accept_all: int = 0
    refuse_all: int = 0
    save: int = 0
    granted: int = 0
    visits: int = 0
    visit_decisions: int = 0
    visit_accept_all: int = 0
    shown_again: int = 0
    answered_again: int = 0
    accept_all_again: int = 0
    refuse_all_again: int = 0
    save_again: int = 0
    granted_again: int = 0
    changes: int = 0
    withdrawals: int = 0
    gpc: int = 0
    with_gpc: int = 0
    with_gpc_accept_all: int = 0
    placeholders: int = 0
    robots: int = 0
    prefetches: int = 0
    draws: int = 0
    told: int = 0
    objections: int = 0
    grants_lately: int | None = None

    def __add__(self, other: "Totals") -> "Totals":
        """The counts of both together."""
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in COUNTED})

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted at all."""
        return not any(getattr(self, name) for name in COUNTED)

    @property
    def no_choice(self) -> int:
        """Views without a first choice; 0 when views were lost."""
        return max(self.shown - self.decisions, 0)

    @property
    def without_gpc(self) -> int:
        """First choices made with the signal off."""
        return max(self.decisions - self.with_gpc, 0)

    @property
    def without_gpc_accept_all(self) -> int:
        """Of these, those that accepted all."""
        return max(self.accept_all - self.with_gpc_accept_all, 0)

    @property
    def grants(self) -> int:
        """Answers to a banner that granted anything at all, of whoever was asked."""
        return self.granted + self.granted_again

    def rate(self, name: str) -> Rate:
        """One of RATES, GPC_RATES or GRANT_RATES."""
        return _rate_of_counts(_RATIOS[name], self) if name == "withdrawal" else _rate(_RATIOS[name], self)

    def rate_again(self, name: str) -> Rate:
        """One of AGAIN_RATES: of visitors who were asked again."""
        return _rate(AGAIN_RATES[name], self)

    @property
    def note(self) -> str | None:
        """Key of NOTES, where the counts do not make rates."""
        return "more_choices_than_views" if is_more(self.decisions, self.shown, self.draws) else None

    def to_json(self) -> dict[str, int]:
        """The counts that people see."""
        return {name: getattr(self, name) for name in TOTALS}


# The names of the counters among them.
COUNTED = tuple(item.name for item in fields(Totals) if item.name != "grants_lately")


class Share(NamedTuple):
    """What became of one purpose or one vendor under the notices that ask for it."""

    granted: int
    decisions: int
    shown: int
    sent: int = 0
    blocked: int = 0
    draws: int = 0

    @property
    def denied(self) -> int:
        """First choices that left it off."""
        return self.decisions - self.granted

    @property
    def conversions(self) -> int:
        """Conversions that the vendor was told, and those held back."""
        return self.sent + self.blocked

    @property
    def rate(self) -> Rate:
        """Of those who chose."""
        return _rate(SHARE, self)

    @property
    def sending(self) -> Rate:
        """Of its conversions, those that it was told."""
        return _rate(CONVERSIONS, self)

    @property
    def reach(self) -> Rate:
        """Granted per banner: of those who saw one. What a vendor sees of page views, a sample tells (PageLoads)."""
        return _rate(REACH, self)

    def to_json(self, vendor: bool) -> dict[str, Any]:
        """A vendor has conversions too."""
        rates = {"rate": self.rate.to_json(), "reach": self.reach.to_json()}
        conversions = {"sent": self.sent, "blocked": self.blocked, "rate": self.sending.to_json()}
        more = {"conversions": conversions} if vendor else {}
        return {"granted": self.granted, "denied": self.denied, **rates, **more}


@dataclass(frozen=True, slots=True)
class Objected:
    """What became of a purpose that runs until somebody objects. Nothing of it is a grant.

    `told` are the views that told of it. A rule without a banner tells by a link alone, and nobody counts who reads it:
    `untold` of those who objected did so there, and are no part of those who were told.
    """

    objected: int
    told: int
    draws: int = 0
    untold: int = 0

    @property
    def not_objected(self) -> int | None:
        """Views that told and brought no objection; None where none was counted, or some were lost."""
        objected = self.objected - self.untold
        lost = is_more(objected, self.told, self.draws)
        return None if lost or not self.told else max(self.told - objected, 0)

    @property
    def rate(self) -> Rate:
        """Of those who were told."""
        return _rate(OBJECTING, Objected(max(self.objected - self.untold, 0), self.told, self.draws))

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"objected": self.objected, "not_objected": self.not_objected, "rate": self.rate.to_json()}


def wilson(successes: int, trials: int, z: float = _Z95) -> tuple[float, float]:
    """The score interval of Wilson (1927), JASA 22:209-212, without continuity correction; 95 % by default.

    It stays within 0 to 1 and keeps its level for few trials (Newcombe 1998, Stat. Med. 17:857-872, method 3).
    """
    centre = (successes + z * z / 2) / (trials + z * z)
    half = z * sqrt(successes * (trials - successes) / trials + z * z / 4) / (trials + z * z)
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


def difference(after: Rate, before: Rate, swing: Swing | None = None) -> Difference:
    """How much a rate grew, -1 to 1, with an interval for chance and, where they are known, for ups and downs of days.

    Chance is that of Newcombe (1998), Stat. Med. 17:873-890, method 10; both are independent, so that their
    half-widths add up as squares do. Where the weekdays of the spans differ, the interval reaches over what they make.
    """
    if after.value is None or after.low is None or after.high is None:
        return NO_DIFFERENCE
    if before.value is None or before.low is None or before.high is None:
        return NO_DIFFERENCE
    half, shift, days = swing or Swing(0.0, 0.0, 0)
    value = after.value - before.value
    down = hypot(after.value - after.low, before.high - before.value, half) + max(shift, 0.0)
    up = hypot(after.high - after.value, before.value - before.low, half) + max(-shift, 0.0)
    return Difference(value, max(value - down, -1.0), min(value + up, 1.0), days)


def is_more(some: int, others: int, draws: int) -> bool:
    """Whether one count exceeds another by more than noise makes of equal ones: three of its standard deviations."""
    return some > others and some > others + 3 * sqrt(2 * VARIANCE * draws)


def _rate(ratio: Ratio, counted: Totals | Share | Objected) -> Rate:
    found = ratio.proportion(counted)
    if found is None:
        return Rate(None, None, None, str(ratio))
    value = found.successes / found.trials
    low, high = with_noise(value, wilson(*found), found.trials, counted.draws)
    return Rate(value, low, min(high, 1.0), str(ratio))


def with_noise(value: float, interval: tuple[float, float], trials: int, draws: int) -> tuple[float, float]:
    """The interval of a ratio whose counts hold so many draws of noise each: both half-widths add up as squares do."""
    if not draws:
        return interval
    half = _Z95 * sqrt(VARIANCE * draws * (1 + value * value)) / trials
    return max(value - hypot(value - interval[0], half), 0.0), value + hypot(interval[1] - value, half)


def _rate_of_counts(ratio: Ratio, counted: Totals) -> Rate:
    """Of events that are no part of the others: their ratio, with the interval of the ratio of two Poisson counts.

    Given both together, the first is binomial (Przyborowski and Wilenski 1940, Biometrika 31:313-323), so that its
    share has the interval of Wilson, and share / (1 - share) is the ratio.
    """
    events, others = ratio.trials(counted)
    if not others:
        return Rate(None, None, None, str(ratio))
    low, high = wilson(events, events + others)
    value, made = events / others, (low / (1 - low), high / (1 - high))
    return Rate(value, *with_noise(value, made, others, counted.draws), str(ratio))
