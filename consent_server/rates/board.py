"""What the rates' page and a shared report have in common: words, the forms of numbers, and what the charts draw."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from consent_server.rates.read import Dashboard, Rates
from consent_server.rates.rules import RATES, REACH, Rate, Totals
from consent_server.rates.rules_filters import By, Span, monday
from consent_server.rates.rules_report import Figures, compare
from consent_server.rates.rules_small_cells import OTHER, SMALLEST

# Name of each rate, and the question that it answers.
RATE_WORDS = {
    "interaction": ("Interaction rate", "How often is a shown banner answered?"),
    "consent": ("Consent rate", "Of those who choose, who accepts all?"),
    "opt_in": ("Opt-in rate", "Of banners shown, how many end in accepting all?"),
    "refusal": ("Refusal rate", "Of those who choose, who refuses all?"),
    "no_choice": ("No-choice rate", "How often is it left unanswered?"),
    "withdrawal": ("Withdrawal rate", "How many take back what they gave?"),
    "share": ("With the signal on", "How many first choices were made with Global Privacy Control on?"),
    "consent_with_gpc": ("Consent rate with the signal", "Who accepts all, with it on?"),
    "consent_without_gpc": ("Consent rate without it", "And with it off?"),
}
TOTAL_WORDS = {
    "shown": "Banners shown",
    "decisions": "First choices",
    "accept_all": "… accepted all",
    "refuse_all": "… refused all",
    "save": "… an own selection",
    "granted": "First choices that granted anything",
    "no_choice": "Shown and not answered",
    "changes": "Later changes",
    "withdrawals": "Withdrawals",
    "gpc": "Changes by Global Privacy Control",
}
SPLIT_WORDS = {By.DEVICE: "Device", By.LANGUAGE: "Language", By.COUNTRY: "Country", By.NOTICE: "Notice"}
LINES = ("consent", "interaction", "opt_in")
BARS = ("consent", "opt_in")
COUNTS = ("shown", "decisions", "granted")
# Words of a table's head, its definition, and the part of docs/rates.md that says more.
COUNT_HEADS = tuple(
    (words, name, "what-is-counted") for words, name in zip(("Shown", "Chose", "Granted"), COUNTS, strict=True)
)
# With fewer choices every interval is wider than some fourteen points.
FEW = 200
# So many rows fit in a chart; the table has all.
MOST_BARS = 8
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


FILTERS: dict[str, Callable[..., str]] = {
    "percent": percent, "between": between, "points": points, "amount": amount, "day_words": day_words,
    "time_words": time_words,
}  # fmt: skip


def values(dashboard: Dashboard) -> dict[str, Any]:
    """What the templates show of it."""
    rates, filters = dashboard.rates, dashboard.rates.filters
    whole, before = rates.report.whole, rates.before or Figures()
    marks = _marks(rates)
    return {
        "dashboard": dashboard,
        "rates": rates,
        "alerts": rates.alerts,
        "span": filters.span,
        "by": filters.by,
        "notice_alone": filters.notice,
        "whole": whole,
        "before": before,
        "other": filters.other,
        "days_before": filters.other == filters.span.before,
        "state": _state(dashboard),
        "thin": any(row and row.totals.decisions < SMALLEST for _, row in rates.report.rows),
        "few": 0 < whole.totals.decisions < FEW,
        "compared": compare(whole, before),
        "marks": marks,
        "splits": {by: _split(dashboard, by) for by in SPLIT_WORDS},
        "charts": _charts(dashboard, marks),
        "rate_words": RATE_WORDS,
        "total_words": TOTAL_WORDS,
        "split_words": SPLIT_WORDS,
        "lines": LINES,
        "most_bars": MOST_BARS,
        "line_words": [RATE_WORDS[name][0] for name in LINES],
        "heads": [*COUNT_HEADS, *((RATE_WORDS[name][0], RATES[name]) for name in LINES)],
        "reach_heads": lambda names: [(name, REACH) for name in names],
        "vendor_words": {key: dashboard.vendors.get(key, key) for key in whole.vendors},
    }


def _marks(rates: Rates) -> list[dict[str, Any]]:
    """What stands on the axis, with its letter: new notices, and experiments that begin or end."""
    marks: list[dict[str, Any]] = [{"at": new.at, "notice": new.notice} for new in rates.publications]
    for experiment in rates.experiments:
        for what, at in (("begins", experiment.began), ("ends", experiment.ended)):
            if at is not None and rates.filters.span.holds(at):
                marks.append({"at": at, "experiment": experiment.key, "what": what})
    marks.sort(key=itemgetter("at"))
    return [{"letter": chr(ord("A") + number % 26), **mark} for number, mark in enumerate(marks)]


def _state(dashboard: Dashboard) -> str:
    totals = dashboard.rates.report.whole.totals
    if totals == Totals():
        return "never" if dashboard.first_day is None else "nothing"
    if totals.decisions == 0:
        return "unanswered" if totals.shown else "uncounted"
    return ""


def name_of(by: By, key: str, known: Mapping[str, str]) -> str:
    """What people call a row of a split."""
    if key == OTHER:
        return "Others, merged so that no group under 10 can be told"
    if by is By.NOTICE:
        return f"Notice {key[:8]}, of {day_words(known[key])}" if key in known else f"Notice {key[:8]}"
    if by is By.DEVICE:
        return key.capitalize()
    if by is By.COUNTRY:
        return str(_english().territories.get(key, key)) if key else "Not known"
    return str(_english().languages.get(key.replace("-", "_"), key))


@cache
def _english() -> Locale:
    return Locale("en")


def _split(dashboard: Dashboard, by: By) -> list[dict[str, Any]]:
    rows, known = list(dashboard.splits[by].rows), dashboard.rates.known
    if by is By.NOTICE:
        rows.sort(key=lambda row: list(known).index(row[0]))
    else:
        rows.sort(key=lambda row: (row[0] == OTHER, -(row[1].totals.shown if row[1] else 0)))
    return [{"key": key, "name": name_of(by, key, known), "figures": row} for key, row in rows]


# What the charts draw


def _charts(dashboard: Dashboard, marks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rates, by = dashboard.rates, dashboard.rates.filters.by
    keys = list(_keys(rates.filters.span, by, ZoneInfo(rates.site.time_zone)))
    rows: dict[str, Figures] = {key: row for key, row in rates.report.rows if row is not None}
    along: dict[str, Any] = {"labels": [_tick(key) for key in keys]}
    along |= {"marks": [{"at": keys.index(_place(mark["at"], by)), "letter": mark["letter"]} for mark in marks]}
    charts: dict[str, Any] = {
        "series": along | {"lines": [_line(name, keys, rows) for name in LINES]},
        "counts": along | {"lines": [_count(name, keys, rows) for name in COUNTS]},
        "reach": along | {"lines": list(_reach(dashboard, keys, rows))},
    }
    for by in SPLIT_WORDS:
        shown = [(row["name"], row["figures"]) for row in _split(dashboard, by) if row["figures"]][:MOST_BARS]
        bars = [{"name": RATE_WORDS[name][0], **_rates(row.totals.rate(name) for _, row in shown)} for name in BARS]
        charts[f"by-{by}"] = {"labels": [name for name, _ in shown], "bars": bars}
    devices = [(row["name"], row["figures"]) for row in _split(dashboard, By.DEVICE) if row["figures"]]
    vendors = list(rates.report.whole.vendors)
    charts["reach-device"] = {
        "labels": [dashboard.vendors.get(key, key) for key in vendors],
        "bars": [
            {"name": name, **_rates(row.vendors[key].reach if key in row.vendors else None for key in vendors)}
            for name, row in devices
        ],
    }
    return charts


def _keys(span: Span, by: By, zone: ZoneInfo) -> Iterator[str]:
    for step in range(span.days):
        day = (span.first + timedelta(days=step)).isoformat()
        if by is By.HOUR:
            yield from (f"{day}T{hour:02d}" for hour in range(24) if _exists(day, hour, zone))
        elif by is By.DAY or step == 0 or monday(day) == day:
            yield _place(day, by)


def _exists(day: str, hour: int, zone: ZoneInfo) -> bool:
    """Whether a day has this hour: in spring one is skipped. The hour that comes twice in autumn is one row."""
    at = datetime.combine(date.fromisoformat(day), time(hour), zone)
    return at.astimezone(UTC).astimezone(zone).hour == hour


def _place(at: str, by: By) -> str:
    return {By.HOUR: at, By.DAY: at[:10], By.WEEK: monday(at[:10])}[by]


def _tick(key: str) -> str:
    day = day_words(key, year=False)
    return f"{day} {key[11:]}:00" if len(key) > len("2026-11-03") else day


def _line(name: str, keys: Sequence[str], rows: Mapping[str, Figures]) -> dict[str, Any]:
    # A rate of two or three is a spike that says nothing: the line passes over it, the table has it.
    enough = {key: row.totals for key, row in rows.items() if RATES[name].trials(row.totals).trials >= SMALLEST}
    return {"name": RATE_WORDS[name][0], **_rates(enough[key].rate(name) if key in enough else None for key in keys)}


def _count(name: str, keys: Sequence[str], rows: Mapping[str, Figures]) -> dict[str, Any]:
    counted = [getattr(rows[key].totals, name) if key in rows else 0 for key in keys]
    return {"name": {"decisions": "Chose", "granted": "Granted"}.get(name, "Shown"), "values": counted}


def _reach(dashboard: Dashboard, keys: Sequence[str], rows: Mapping[str, Figures]) -> Iterator[dict[str, Any]]:
    """A line for each vendor; vendors that see the same share every time have one line together."""
    together: dict[tuple[float | None, ...], list[str]] = {}
    for vendor in dashboard.rates.report.whole.vendors:
        shares = (rows[key].vendors.get(vendor) if key in rows else None for key in keys)
        line = tuple(_rounded(share.reach.value if share and share.shown >= SMALLEST else None) for share in shares)
        together.setdefault(line, []).append(dashboard.vendors.get(vendor, vendor))
    for line, names in together.items():
        yield {"name": ", ".join(names), "values": line}


def _rates(rates: Iterable[Rate | None]) -> dict[str, list[float | None]]:
    found = [rate or Rate(None, None, None, "") for rate in rates]
    return {
        "values": [_rounded(rate.value) for rate in found],
        "low": [_rounded(rate.low) for rate in found],
        "high": [_rounded(rate.high) for rate in found],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def until_words(at: datetime) -> str:
    """Until when a link lasts, to the minute."""
    return f"{day_words(at.date())}, {at:%H:%M} UTC"


FILTERS["until_words"] = until_words
