"""When a figure should be looked at: a rate that leaves its usual level, a silent banner, a burst of records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from consent_server.core.times import rfc3339
from consent_server.rates.rules import RATES, SHARE, Totals, Trials, wilson
from consent_server.rates.rules_band import WEEKS, Move, moves
from consent_server.rates.rules_drop import WATCHED
from consent_server.rates.rules_report import Figures

BASELINE_DAYS = 28
LEAST_DAYS = 14
UNANSWERED_CHANCE = 1e-6
LEAST_UNANSWERED = 50
UNANSWERED_WITHOUT_BASELINE = 500
# So many times the longest silence of the days before: a program that loads pages at night answers no banner.
SILENCES = 2
# Records in an hour below which nothing is a burst.
LEAST_BURST = 500

PURPOSE = "purpose "


class AlertKind(StrEnum):
    """What an alert is about."""

    OUTSIDE_BAND = "outside_band"
    NEVER_ANSWERED = "never_answered"
    BURST = "burst"


SENTENCES = {
    AlertKind.OUTSIDE_BAND: "{rates} Look at what changed: a release, a notice, a campaign.",
    AlertKind.NEVER_ANSWERED: "The banner was shown {shown} times since {since} and never answered. "
    "Open the page and try to choose: something may cover the banner or break its script.",
    AlertKind.BURST: "{records} records in the hour from {hour}, more than on the busiest day of the {days} days "
    "before ({busiest}). Look whether visitors made them: a campaign is fine, a program is not (docs/rates.md).",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """Something worth a look, raised once for its kind, subject and period.

    `subject` is "", and the rate in alerts of version 0.2, which had one for each. `period` is the day, the hour of
    the last answer, or that of the burst, on the site's clock.
    `detail` holds what the sentence tells, in JSON: shares from 0 to 1, never anything of a visitor. A rate is named
    by its key ("consent"), the share of choices that granted a purpose by "purpose " and its key.
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
        first, *others = [rate_words(rate["rate"]) for rate in self._rates]
        more = f" and {len(others)} more" if others else ""
        return f"{first} rate{more} outside {'their' if others else 'its'} usual band"

    @property
    def text(self) -> str:
        """What happened, and what to do."""
        words: dict[str, Any] = dict(self.detail)
        if self.kind is AlertKind.OUTSIDE_BAND:
            words = {"rates": " ".join(_sentence(rate, self.period) for rate in self._rates)}
        elif self.kind is AlertKind.BURST:
            words["hour"] = self.period.replace("T", " ") + ":00"
        else:
            words["since"] = words["since"].replace("T", " ") + (":59" if "T" in words["since"] else "")
        return SENTENCES[self.kind].format(**words)

    @property
    def _rates(self) -> Sequence[Mapping[str, Any]]:
        return self.detail.get("rates") or [{"rate": self.subject, **self.detail}]


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


def left_usual(days: Mapping[date, Figures], judged: Sequence[date]) -> Iterator[Alert]:
    """An alert for each of these complete days in a row on which a rate left its usual level: one names all that did.

    Watched are WATCHED, and of each purpose the share of choices that granted it.
    """
    counted: dict[str, dict[date, Trials]] = {}
    for day, figures in days.items():
        for subject, trials in _watched(figures).items():
            counted.setdefault(subject, {})[day] = trials
    found = {subject: moves(trials, judged) for subject, trials in counted.items()}
    for day in judged:
        rates = [_detail(subject, left[day]) for subject, left in found.items() if day in left]
        if rates:
            yield Alert(AlertKind.OUTSIDE_BAND, "", day.isoformat(), {"rates": rates, "weeks": WEEKS})


def silence(since: str, shown: int, usual: Totals) -> Alert | None:
    """An alert where nobody answered so many views since then: the hour of the last answer, or the first day."""
    counted = Trials(usual.decisions, usual.shown) if usual.decisions else None
    if not never_answered(shown, 0, counted):
        return None
    return Alert(AlertKind.NEVER_ANSWERED, "", since, {"shown": shown, "since": since})


def longest_silence(hours: Iterable[Totals]) -> int:
    """The most views in hours in a row, of those on which anything was counted, in which nobody answered."""
    longest = views = 0
    for hour in hours:
        views = 0 if hour.decisions else views + hour.shown
        longest = max(longest, views)
    return longest


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
    rates = {name: counted for name in WATCHED if (counted := RATES[name].proportion(figures.totals))}
    return rates | {PURPOSE + key: SHARE.trials(share) for key, share in figures.purposes.items()}


def _detail(subject: str, move: Move) -> dict[str, Any]:
    numbers = {name: round(getattr(move.band, name), 4) for name in ("value", "usual", "low", "high", "z")}
    return {"rate": subject, **numbers, "since": move.since.isoformat(), "slow": move.slow}


def _sentence(rate: Mapping[str, Any], day: str) -> str:
    """What one rate did. An alert of version 0.2 is of one rate, and knows no `since`."""
    words = {name: f"{100 * rate[name]:.1f} %" for name in ("value", "usual", "low", "high")}
    low, since = words["low"].removesuffix(" %"), rate.get("since", day)
    name = f"The {rate_words(rate['rate'])} rate"
    if rate.get("slow"):
        side = "above" if rate["z"] > 0 else "below"
        return (
            f"{name} has mostly been {side} its usual {words['usual']} since {since}; on {day} it is {words['value']}."
        )
    of = f"of {day}" if since == day else f"of {since} to {day}"
    return f"{name} {of} is {words['value']}, outside its usual {low} to {words['high']}."
