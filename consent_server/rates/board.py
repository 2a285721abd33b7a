"""What the rates' page and a shared report have in common: words, the forms of numbers, and what the charts draw."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from consent_server.rates.read import Dashboard, Rates
from consent_server.rates.rules import (
    AGAIN_RATES,
    GPC_RATES,
    LEFT_OUT,
    NOTES,
    RATES,
    REACH,
    TOTALS,
    Difference,
    Rate,
    Share,
    Totals,
)
from consent_server.rates.rules_compare import Differences, ShareDifference
from consent_server.rates.rules_filters import By, Filters, Span, monday
from consent_server.rates.rules_page_loads import SEEN, PageLoads
from consent_server.rates.rules_report import Figures
from consent_server.rates.rules_small_cells import OTHER, SMALLEST

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
LINES = ("consent", "interaction", "opt_in")
BARS = ("consent", "opt_in")
COUNT_WORDS = {"shown": "Shown", "decisions": "Chose", "granted": "Granted"}
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


def scale(rate: Rate) -> dict[str, str]:
    """Where a picture of 100 by 10 has the interval and the rate itself."""
    assert rate.value is not None
    assert rate.low is not None
    assert rate.high is not None
    places = {"x": rate.low * 100, "width": max((rate.high - rate.low) * 100, 0.4)}
    places["point"] = min(max(rate.value * 100 - 0.4, 0), 99.2)
    return {name: f"{place:.2f}" for name, place in places.items()}


FILTERS: dict[str, Callable[..., Any]] = {
    filter_.__name__: filter_
    for filter_ in (
        percent, between, points, judged, amount, day_words, time_words, span_words, until_words, counted, days,
        probability, scale,
    )
}  # fmt: skip


def values(dashboard: Dashboard) -> dict[str, Any]:
    """What the templates show of it."""
    rates, filters = dashboard.rates, dashboard.rates.filters
    whole, before, totals = rates.report.whole, rates.before or Figures(), rates.report.whole.totals
    changes = rates.differences or Differences({}, {}, {})
    marks, splits = _marks(rates), {by: _split(dashboard, by) for by in SPLIT_WORDS}
    return {
        "dashboard": dashboard,
        "rates": rates,
        "alerts": rates.alerts,
        "span": filters.span,
        "by": filters.by,
        "by_head": "Week from" if filters.by is By.WEEK else filters.by.capitalize(),
        "notice_alone": filters.notice,
        "totals": totals,
        "before": before,
        "other": filters.other,
        "days_before": filters.other == filters.span.before,
        "against": _against(filters),
        "state": _state(dashboard),
        "note": NOTES.get(totals.note or ""),
        "thin": any(row and row.totals.decisions < SMALLEST for _, row in rates.report.rows),
        "few": 0 < totals.decisions < FEW,
        "times": "once" if totals.shown == 1 else f"{amount(totals.shown)} times",
        "funnel": _funnel(totals),
        "shares": [
            *_shares("purpose", whole.purposes, before.purposes, changes.purposes, dashboard.purposes),
            *_shares("vendor", whole.vendors, before.vendors, changes.vendors, dashboard.vendors),
        ],
        "seen": _seen(rates.page_loads, dashboard.vendors),
        "seen_formula": SEEN,
        "counts": [(words, name, getattr(totals, name)) for name, words in TOTALS.items() if name not in LEFT_OUT],
        "left_out": [(TOTALS[name], name, getattr(totals, name)) for name in LEFT_OUT],
        "asked_again": rates.counted_apart_from if rates.has_asked_again else None,
        "again_rates": [(RATE_WORDS[name][0], totals.rate_again(name)) for name in AGAIN_RATES],
        "gpc_rates": [(RATE_WORDS[name][0], totals.rate(name)) for name in GPC_RATES],
        "rate_words": RATE_WORDS,
        "cards": list(RATES),
        "changes": changes.rates,
        "marks": marks,
        "splits": splits,
        "charts": _charts(dashboard, marks, splits),
        "lines": LINES,
        "line_words": ", ".join(RATE_WORDS[name][0] for name in LINES).lower(),
        "heads": [
            *((COUNT_WORDS[name], name, "what-is-counted") for name in COUNT_WORDS),
            *((RATE_WORDS[name][0], RATES[name]) for name in LINES),
        ],
        "reach_heads": lambda names: [(name, REACH) for name in names],
        "vendor_words": {key: dashboard.vendors.get(key, key) for key in whole.vendors},
    }


def _against(filters: Filters) -> str:
    """What the span is compared with, in words."""
    span, other = filters.span, filters.other or filters.span.before
    return f"the {days(span.days)} before, {span_words(other)}" if other == span.before else span_words(other)


def _funnel(totals: Totals) -> list[dict[str, Any]]:
    longest = max(totals.shown, totals.decisions, 1)
    steps = {
        "shown": ("banners", None),
        "decisions": ("first choices", totals.rate("interaction")),
        "granted": ("at least one purpose or vendor", totals.rate("granting_of_shown")),
    }
    return [
        {"name": COUNT_WORDS[key], "key": key, "what": what, "rate": rate, "count": getattr(totals, key)}
        | {"width": f"{100 * getattr(totals, key) / longest:.2f}"}
        for key, (what, rate) in steps.items()
    ]


def _shares(
    kind: str,
    after: Mapping[str, Share],
    before: Mapping[str, Share],
    changes: Mapping[str, ShareDifference],
    names: Mapping[str, str],
) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "words": names.get(key) or key, "share": share, "before": before.get(key)}
        | {"change": changes.get(key)}
        for key, share in after.items()
    ]


def _seen(page_loads: PageLoads, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        seen.to_json() | {"words": names.get(key, key), "rate": seen.rate} for key, seen in page_loads.vendors.items()
    ]


def _marks(rates: Rates) -> list[dict[str, Any]]:
    """What stands on the axis, with its letter: new notices, and experiments that begin or end."""
    marks: list[dict[str, Any]] = [
        {"at": new.at, "notice": new.notice, "title": new.title} for new in rates.publications
    ]
    for experiment in rates.experiments:
        for what, at in (("begins", experiment.began), ("ends", experiment.ended)):
            if at is not None and rates.filters.span.holds(at):
                marks.append({"at": at, "experiment": experiment.key, "what": what})
    marks.sort(key=itemgetter("at"))
    return [{"letter": chr(ord("A") + number % 26), **mark} for number, mark in enumerate(marks)]


def _state(dashboard: Dashboard) -> str:
    totals = dashboard.rates.report.whole.totals
    if totals.is_empty:
        return "never" if dashboard.first_day is None else "nothing"
    if totals.decisions == 0:
        return "unanswered" if totals.shown else "uncounted"
    return ""


def name_of(by: By, key: str, known: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """What people call a row of a split."""
    if key == OTHER:
        return "Others, merged so that no group under 10 can be told"
    if by is By.NOTICE:
        return f"{titles.get(key, key[:8])}, since {day_words(known[key])}" if key in known else f"Notice {key[:8]}"
    if by is By.DEVICE:
        return key.capitalize()
    if by is By.COUNTRY:
        return str(_english().territories.get(key, key)) if key else "Not known"
    return str(_english().languages.get(key.replace("-", "_"), key))


@cache
def _english() -> Locale:
    return Locale("en")


def _split(dashboard: Dashboard, by: By) -> dict[str, Any]:
    split, known, titles = list(dashboard.splits[by].rows), dashboard.rates.known, dashboard.rates.titles
    if by is By.NOTICE:
        split.sort(key=lambda row: list(known).index(row[0]))
    else:
        split.sort(key=lambda row: (row[0] == OTHER, -(row[1].totals.shown if row[1] else 0)))
    rows = [{"key": key, "name": name_of(by, key, known, titles), "figures": row} for key, row in split]
    shown = [row for row in rows if row["figures"]]
    return {
        "words": SPLIT_WORDS[by],
        "rows": rows,
        "shown": shown[:MOST_BARS],
        "more": len(shown) > MOST_BARS,
        "unknown": by is By.COUNTRY and [key for key, _ in split] == [""],
    }


# What the charts draw


def _charts(
    dashboard: Dashboard, marks: Sequence[Mapping[str, Any]], splits: Mapping[By, Mapping[str, Any]]
) -> dict[str, Any]:
    rates, by = dashboard.rates, dashboard.rates.filters.by
    keys = list(_keys(rates.filters.span, by, ZoneInfo(rates.site.time_zone)))
    rows: dict[str, Figures] = {key: row for key, row in rates.report.rows if row is not None}
    along: dict[str, Any] = {"labels": [_tick(key) for key in keys]}
    along |= {"marks": [{"at": keys.index(_place(mark["at"], by)), "letter": mark["letter"]} for mark in marks]}
    charts: dict[str, Any] = {
        "series": along | {"lines": [_line(name, keys, rows) for name in LINES]},
        "counts": along | {"lines": [_count(name, keys, rows) for name in COUNT_WORDS]},
        "reach": along | {"lines": list(_reach(dashboard, keys, rows))},
    }
    for by, split in splits.items():
        shown = [(row["name"], row["figures"]) for row in split["shown"]]
        bars = [{"name": RATE_WORDS[name][0], **_rates(row.totals.rate(name) for _, row in shown)} for name in BARS]
        charts[f"by-{by}"] = {"labels": [name for name, _ in shown], "bars": bars}
    vendors = list(rates.report.whole.vendors)
    charts["reach-device"] = {
        "labels": [dashboard.vendors.get(key, key) for key in vendors],
        "bars": [
            {"name": name, **_rates(row.vendors[key].reach if key in row.vendors else None for key in vendors)}
            for name, row in ((row["name"], row["figures"]) for row in splits[By.DEVICE]["shown"])
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
    return {
        "name": COUNT_WORDS[name],
        "values": [getattr(rows[key].totals, name) if key in rows else 0 for key in keys],
    }


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
    known = [rate or Rate(None, None, None, "") for rate in rates]
    return {
        "values": [_rounded(rate.value) for rate in known],
        "low": [_rounded(rate.low) for rate in known],
        "high": [_rounded(rate.high) for rate in known],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
