"""What the charts of the rates' page draw, as their script (static/rates/src) takes it."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from consent_server.rates.rules import RATES, REACH, Rate, Trials
from consent_server.rates.rules_dashboard import Dashboard
from consent_server.rates.rules_filters import By, Filters, Span, monday
from consent_server.rates.rules_report import Figures, Report
from consent_server.rates.rules_small_cells import SMALLEST
from consent_server.rates.words import COUNT_WORDS, RATE_WORDS, day_words

# On the first screen, with the bands of their intervals.
TREND = ("consent", "opt_in")


# By vendor, and by row of a report: of the banners shown, those that ended with the vendor allowed.
Allowed = Mapping[str, Sequence[Trials | None]]


def allowed(report: Report) -> Allowed:
    """Read from every row once: of a year and forty vendors, fifteen thousand numbers."""
    rows = [row.vendors if row else {} for _, row in report.rows]
    return {
        vendor: [REACH.proportion(row[vendor]) if vendor in row else None for row in rows]
        for vendor in report.whole.vendors
    }


def charts(dashboard: Dashboard, marks: Sequence[Mapping[str, Any]], allowed: Allowed) -> dict[str, Any]:
    """By the name of each chart. What is not over or not told yet is `open`: a rate is dotted, a count not drawn."""
    rates, by = dashboard.rates, dashboard.rates.filters.by
    keys = list(_keys(rates.filters.span, by, ZoneInfo(rates.site.time_zone)))
    rows: dict[str, Figures] = {key: row for key, row in rates.report.rows if row is not None}
    began = dashboard.first_day or dashboard.now
    known = [key for key in keys if place(began, by) <= key <= place(dashboard.now, by)]
    unfinished = _unfinished(rates.filters, known, dashboard.open_from)
    if by is By.HOUR:
        # Of a day that goes on, hours are told in steps: those that are told stay so.
        unfinished -= rows.keys()
    along: dict[str, Any] = {"labels": [_tick(key) for key in keys], "open": [keys.index(key) for key in unfinished]}
    along["marks"] = [{"at": bisect_left(keys, place(mark["at"], by)), "letter": mark["letter"]} for mark in marks]
    # Of hours those that are told: any other is told with a later one, or had nothing, and nobody can say which.
    whole = [key for key in known if key not in unfinished and (by is not By.HOUR or key in rows)]
    return {
        "series": along | {"lines": [_line(name, keys, rows) for name in TREND]},
        "counts": along | {"lines": [_count(name, keys, rows, whole) for name in COUNT_WORDS]},
        "reach": along | {"lines": list(_reach(dashboard, keys, allowed))},
    }


def place(at: str, by: By) -> str:
    """The key of the row in which an hour or a day stands."""
    return {By.HOUR: at, By.DAY: at[:10], By.WEEK: monday(at[:10])}[by]


def _unfinished(filters: Filters, known: Sequence[str], open_from: str) -> set[str]:
    """The rows of which a part is still to come or to be told, or lies outside the span."""
    cut = {key for key in known if key >= place(open_from, filters.by)}
    if filters.by is By.WEEK:
        after = filters.span.last + timedelta(days=1)
        cut |= {monday(day.isoformat()) for day in (filters.span.first, after) if day.weekday()}
    return cut & set(known)


def _keys(span: Span, by: By, zone: ZoneInfo) -> Iterator[str]:
    for step in range(span.days):
        day = (span.first + timedelta(days=step)).isoformat()
        if by is By.HOUR:
            yield from (f"{day}T{hour:02d}" for hour in range(24) if _exists(day, hour, zone))
        elif by is By.DAY or step == 0 or monday(day) == day:
            yield place(day, by)


def _exists(day: str, hour: int, zone: ZoneInfo) -> bool:
    """Whether a day has this hour: in spring one is skipped. The hour that comes twice in autumn is one row."""
    at = datetime.combine(date.fromisoformat(day), time(hour), zone)
    return at.astimezone(UTC).astimezone(zone).hour == hour


def _tick(key: str) -> str:
    day = day_words(key, year=False)
    return f"{day} {key[11:]}:00" if len(key) > len("2026-11-03") else day


def _line(name: str, keys: Sequence[str], rows: Mapping[str, Figures]) -> dict[str, Any]:
    # A rate of two or three is a spike that says nothing: the line passes over it, the table has it.
    enough = {key: row.totals for key, row in rows.items() if RATES[name].trials(row.totals).trials >= SMALLEST}
    return {"name": RATE_WORDS[name][0], **_rates(enough[key].rate(name) if key in enough else None for key in keys)}


def _count(name: str, keys: Sequence[str], rows: Mapping[str, Figures], whole: Sequence[str]) -> dict[str, Any]:
    counted = {key: getattr(rows[key].totals, name) if key in rows else 0 for key in whole}
    return {"name": COUNT_WORDS[name], "values": [counted.get(key) for key in keys]}


def _reach(dashboard: Dashboard, keys: Sequence[str], allowed: Allowed) -> Iterator[dict[str, Any]]:
    """A line for each vendor; vendors that see the same share every time have one line together."""
    rows = [key for key, _ in dashboard.rates.report.rows]
    together: dict[tuple[float | None, ...], list[str]] = {}
    for vendor, of_rows in allowed.items():
        shares = {
            key: round(share.successes / share.trials, 4)
            for key, share in zip(rows, of_rows, strict=True)
            if share and share.trials >= SMALLEST
        }
        together.setdefault(tuple(map(shares.get, keys)), []).append(dashboard.vendors.get(vendor, vendor))
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
