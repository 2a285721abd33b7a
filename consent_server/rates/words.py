"""The words of the rates' page and the forms of its numbers."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from consent_server.rates.rules import Difference, Rate
from consent_server.rates.rules_drop import Effect
from consent_server.rates.rules_filters import By, Span
from consent_server.sites.rules_places import Rule

# Name of each rate, and the question that it answers.
RATE_WORDS = {
    "interaction": ("Interaction rate", "How often is a shown banner answered?"),
    "consent": ("Consent rate", "Of those who choose, who accepts all?"),
    "opt_in": ("Opt-in rate", "Of banners shown, how many end in accepting all?"),
    "refusal": ("Refusal rate", "Of those who choose, who refuses all?"),
    "no_choice": ("No-choice rate", "How often is it left unanswered?"),
    "visit_interaction": ("Answers per visit", "Of visits that met the banner, how many answer it?"),
    "visit_opt_in": ("Acceptance per visit", "Of visits that met the banner, how many accept all?"),
    "withdrawal": (
        "Withdrawal rate",
        "How many of the grants that a choice's life holds were taken back in these days?",
    ),
    "share": ("With the signal on", "How many first choices were made with Global Privacy Control on?"),
    "consent_with_gpc": ("Consent rate with the signal", "Who accepts all, with it on?"),
    "consent_without_gpc": ("Consent rate without it", "And with it off?"),
}
SPLIT_WORDS = {By.DEVICE: "Device", By.LANGUAGE: "Language", By.COUNTRY: "Country", By.NOTICE: "Notice"}
RULE_WORDS = {
    Rule.OPT_IN: "Asked first",
    Rule.OPT_OUT: "On until opted out",
    Rule.NOTICE: "On, and told",
    Rule.NONE: "On, nothing asked",
}
COUNT_WORDS = {"shown": "Shown", "decisions": "Chose", "granted": "Granted"}
NARROW, DASH = "\N{NARROW NO-BREAK SPACE}", "\N{EN DASH}"


def percent(value: float | None, digits: int | None = None) -> str:
    """0.6123 as "61.2 %"; small shares with two digits; a dash for what is no number."""
    if value is None:
        return DASH
    if digits is None:
        digits = 2 if 0 < abs(value) < 0.01 else 1
    return f"{value * 100:.{digits}f}{NARROW}%"


def between(rate: Rate) -> str:
    """An interval, such as "60.1 to 62.3 %"."""
    if rate.value is None or rate.low is None or rate.high is None:
        return DASH
    digits = 2 if rate.value and rate.value < 0.01 else 1
    return f"{rate.low * 100:.{digits}f} to {percent(rate.high, digits)}"


def points(value: float | None) -> str:
    """A difference of rates, in points of a hundred: "+2.1"."""
    return DASH if value is None else f"{value * 100:+.1f}".replace("-", "\N{MINUS SIGN}")


def judged(change: Difference) -> str:
    """What may be said of a difference, by what its interval knows."""
    if change.days:
        return "more than its usual ups and downs" if change.sure else "within its usual ups and downs"
    said = "more than chance" if change.sure else "may be chance"
    return f"{said}, and too few days to know their ups and downs"


def amount(value: int) -> str:
    """A count with its thousands apart."""
    return f"{value:,}"


def day_words(value: date | str, year: bool = True) -> str:
    """A day as people write it: "3 Nov 2026"."""
    day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"


def time_words(key: str) -> str:
    """A day or an hour of the site: "3 Nov 2026", "3 Nov 2026, 13:00"."""
    return day_words(key) + (f", {key[11:]}:00" if len(key) > len("2026-11-03") else "")


def span_words(span: Span) -> str:
    """Days as people write them: "3 Nov 2026 to 9 Nov 2026"."""
    return f"{day_words(span.first)} to {day_words(span.last)}"


def until_words(at: datetime) -> str:
    """Until when a link lasts, to the minute."""
    return f"{day_words(at.date())}, {at:%H:%M} UTC"


def counted(value: int, noun: str, plural: str = "") -> str:
    """So many of something: "1 view", "1,200 views"."""
    return f"{amount(value)} {noun if value == 1 else plural or f'{noun}s'}"


def days(count: int, adjective: str = "") -> str:
    """So many days."""
    return f"{count} {adjective}{'day' if count == 1 else 'days'}"


def probability(value: float) -> str:
    """A p-value to three digits; smaller ones as what they are below."""
    return "under 0.001" if value < 0.001 else f"{value:.3f}"


def effect_words(effect: Effect, title: str) -> str:
    """What a notice of this title did to a rate, in a sentence."""
    rate, change, notice = RATE_WORDS[effect.rate][0], effect.change, f"“{title}” ({day_words(effect.day)})"
    if change.value is None:
        return f"{rate}: too little is counted to tell what {notice} changed."
    if not change.sure:
        return f"{rate}: no clear change with {notice}."
    return f"{rate} {abs(change.value) * 100:.1f} points {'higher' if change.value > 0 else 'lower'} since {notice}."


def scale(rate: Rate) -> dict[str, str]:
    """Where a picture of 100 by 10 has the interval and the rate itself."""
    assert rate.value is not None
    assert rate.low is not None
    assert rate.high is not None
    places = {"value": rate.value * 100, "x": rate.low * 100, "width": max((rate.high - rate.low) * 100, 0.4)}
    return {name: f"{place:.2f}" for name, place in places.items()}


FILTERS: dict[str, Callable[..., Any]] = {
    filter_.__name__: filter_
    for filter_ in (
        percent, between, points, judged, amount, day_words, time_words, span_words, until_words, counted, days,
        probability, scale, effect_words,
    )
}  # fmt: skip
