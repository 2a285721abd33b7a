"""When a figure should be looked at: a rate outside its usual band, a silent banner, a burst of records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import sqrt
from operator import attrgetter
from typing import Any

from consent_server.core.times import rfc3339
from consent_server.rates.rules import RATES, SHARE, Totals, Trials, wilson
from consent_server.rates.rules_drop import WATCHED
from consent_server.rates.rules_report import Figures

BASELINE_DAYS = 28
LEAST_DAYS = 14
LEAST_TRIALS = 100
WIDTH = 3.0
# Of successes and of failures that a day should have: fewer, and chance is too lopsided for a symmetric band.
LEAST_EXPECTED = 10
UNANSWERED_CHANCE = 1e-6
LEAST_UNANSWERED = 50
UNANSWERED_WITHOUT_BASELINE = 500
# Records in an hour below which nothing is a burst.
LEAST_BURST = 500
# What the mean range of two normal values is in standard deviations (d2 of control charts).
_RANGE = 1.128

PURPOSE = "purpose "


class AlertKind(StrEnum):
    """What an alert is about."""

    OUTSIDE_BAND = "outside_band"
    NEVER_ANSWERED = "never_answered"
    BURST = "burst"


SENTENCES = {
    AlertKind.OUTSIDE_BAND: "The {rate} rate of {day} is {value} %, outside its usual {low} to {high} %. "
    "Look at what changed: a release, a notice, a campaign.",
    AlertKind.NEVER_ANSWERED: "The banner was shown {shown} times since {since} and never answered. "
    "Open the page and try to choose: something may cover the banner or break its script.",
    AlertKind.BURST: "{records} records in the hour from {hour}, more than on the busiest day of the {days} days "
    "before ({busiest}). Look whether visitors made them: a campaign is fine, a program is not (docs/rates.md).",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """Something worth a look, raised once for its kind, subject and period.

    `subject` is a rate ("consent"), or "purpose " and its key for the share of choices that granted it, and ""
    for a banner that nobody answers and for a burst. `period` is the day, the hour of the last answer, or that of the
    burst, on the site's clock.
    `detail` holds what the sentence tells, in JSON: shares from 0 to 1, never anything of a visitor.
    """

    kind: AlertKind
    subject: str
    period: str
    detail: Mapping[str, Any]

    @property
    def title(self) -> str:
        """In a few words."""
        if self.kind is AlertKind.NEVER_ANSWERED:
            return "the banner is shown and never answered"
        if self.kind is AlertKind.BURST:
            return "more records in an hour than on any day of the month before"
        return f"{rate_words(self.subject)} rate outside its usual band"

    @property
    def text(self) -> str:
        """What happened, and what to do."""
        words: dict[str, Any] = dict(self.detail)
        if self.kind is AlertKind.OUTSIDE_BAND:
            words = {name: f"{100 * words[name]:.1f}" for name in ("value", "low", "high")}
            words |= {"rate": rate_words(self.subject), "day": self.period}
        elif self.kind is AlertKind.BURST:
            words["hour"] = self.period.replace("T", " ") + ":00"
        else:
            words["since"] = words["since"].replace("T", " ") + (":59" if "T" in words["since"] else "")
        return SENTENCES[self.kind].format(**words)


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert, when it was raised, and the channels by which nobody could be told of it."""

    alert: Alert
    raised_at: datetime
    untold: Sequence[str]

    def to_json(self) -> dict[str, str]:
        """As the contract has it (4.4)."""
        return {
            "kind": self.alert.kind.value,
            "subject": self.alert.subject,
            "period": self.alert.period,
            "text": self.alert.text,
            "raised_at": rfc3339(self.raised_at),
        }


@dataclass(frozen=True, slots=True)
class Band:
    """Where a rate usually lies for a day of so many trials, and how far off the day is.

    `z` counts the chart's own standard deviations; `spread` is how many times more the days vary than chance alone.
    """

    value: float
    usual: float
    low: float
    high: float
    z: float
    spread: float
    days: int

    @property
    def outside(self) -> bool:
        """Whether the day is worth an alert."""
        return abs(self.z) > WIDTH


def usual_band(before: Sequence[Trials], day: Trials) -> Band | None:
    """Judge a complete day by the 28 complete days before it, oldest first: Laney's p' chart.

    Laney (2002), "Improved control charts for attributes", Quality Engineering 14:531-537. None where there is too
    little to judge by. The days' own spread is never taken as less than chance gives, so a quiet month alarms nobody.
    """
    days = [counted for counted in before[-BASELINE_DAYS:] if _counts(counted)]
    if len(days) < LEAST_DAYS or not _counts(day):
        return None
    usual = sum(counted.successes for counted in days) / sum(counted.trials for counted in days)
    if day.trials * min(usual, 1 - usual) < LEAST_EXPECTED:
        return None
    scores = [_score(counted, usual) for counted in days]
    ranges = [abs(score - after) for score, after in pairwise(scores)]
    spread = max(1.0, sum(ranges) / len(ranges) / _RANGE)
    half = WIDTH * spread * sqrt(usual * (1 - usual) / day.trials)
    low, high = max(usual - half, 0.0), min(usual + half, 1.0)
    return Band(day.successes / day.trials, usual, low, high, _score(day, usual) / spread, spread, len(days))


def never_answered(shown: int, decisions: int, usual: Trials | None) -> bool:
    """Whether a banner that was shown so often would long have been answered if it could be.

    `usual` are the first choices and views of the days before, None where there are none. The chance that nobody
    answers is taken at the lower Wilson bound of the usual rate, so that little knowledge alarms late.
    """
    if decisions or shown < LEAST_UNANSWERED:
        return False
    if usual is None or not 0 < usual.successes <= usual.trials:
        return shown >= UNANSWERED_WITHOUT_BASELINE
    low, _ = wilson(*usual)
    return bool((1 - low) ** shown < UNANSWERED_CHANCE)


def rate_words(subject: str) -> str:
    """How a rate is called before the word itself: "consent", "opt-in", "analytics grant"."""
    purpose = subject.removeprefix(PURPOSE)
    return subject.replace("_", "-") if purpose == subject else f"{purpose} grant"


def outside_bands(days: Mapping[date, Figures], day: date) -> Iterator[Alert]:
    """An alert for each watched rate of a complete day that lies outside its usual band: WATCHED, and each purpose."""
    before = [days.get(day - timedelta(days=back), Figures()) for back in range(BASELINE_DAYS, 0, -1)]
    earlier = [_watched(figures) for figures in before]
    for subject, counted in _watched(days.get(day, Figures())).items():
        band = usual_band([trials[subject] for trials in earlier if subject in trials], counted)
        if band is not None and band.outside:
            detail = {name: round(getattr(band, name), 4) for name in ("value", "usual", "low", "high", "z")}
            yield Alert(AlertKind.OUTSIDE_BAND, subject, day.isoformat(), detail | {"days": band.days})


def is_news(alert: Alert, raised: Iterable[Alert], days: Mapping[date, Figures]) -> bool:
    """Whether a rate outside its band left it anew, by the alerts of before.

    It did not where an alert of the last 28 days stands for the same side, and no day since lies in the band that the
    rate left then. After 28 days the usual level is that of after the change.
    """
    day = date.fromisoformat(alert.period)
    earlier = [other for other in raised if other.subject == alert.subject and other.period < alert.period]
    if not earlier:
        return True
    last = max(earlier, key=attrgetter("period"))
    began = date.fromisoformat(last.period)
    if (day - began).days >= BASELINE_DAYS or (last.detail["z"] > 0) is not (alert.detail["z"] > 0):
        return True
    since = (began + timedelta(days=step) for step in range(1, (day - began).days))
    counted = (_watched(days.get(between, Figures())).get(alert.subject) for between in since)
    return any(
        last.detail["low"] <= trials.successes / trials.trials <= last.detail["high"]
        for trials in counted
        if trials is not None and _counts(trials)
    )


def silence(since: str, shown: int, usual: Totals) -> Alert | None:
    """An alert where nobody answered so many views since then: the hour of the last answer, or the first day."""
    counted = Trials(usual.decisions, usual.shown) if usual.decisions else None
    if not never_answered(shown, 0, counted):
        return None
    return Alert(AlertKind.NEVER_ANSWERED, "", since, {"shown": shown, "since": since})


def burst(hour: str, records: int, before: Sequence[int]) -> Alert | None:
    """An alert where an hour has more records than the busiest of the days before had in all.

    `before` are the records of those days on which there were any. Too few of them say nothing of what is usual.
    """
    busiest = max(before, default=0)
    if len(before) < LEAST_DAYS or records < LEAST_BURST or records <= busiest:
        return None
    detail = {"records": records, "busiest": busiest, "days": BASELINE_DAYS}
    return Alert(AlertKind.BURST, "", hour, detail)


def _watched(figures: Figures) -> dict[str, Trials]:
    # A rate that is not told for want of views is not watched either.
    totals = figures.totals
    rates = {name: RATES[name].trials(totals) for name in WATCHED if totals.rate(name).value is not None}
    return rates | {PURPOSE + key: SHARE.trials(share) for key, share in figures.purposes.items()}


def _counts(counted: Trials) -> bool:
    return counted.trials >= LEAST_TRIALS and counted.successes <= counted.trials


def _score(counted: Trials, usual: float) -> float:
    return (counted.successes / counted.trials - usual) / sqrt(usual * (1 - usual) / counted.trials)
