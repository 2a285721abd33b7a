"""What the rates' page and a shared report have in common: what their templates show of the figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from babel import Locale

from consent_server.rates.charts import Allowed, allowed, charts
from consent_server.rates.rules import (
    AGAIN_RATES,
    GPC_RATES,
    LEFT_OUT,
    NO_DIFFERENCE,
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
from consent_server.rates.rules_dashboard import Dashboard, Rates
from consent_server.rates.rules_filters import By, Filters
from consent_server.rates.rules_page_loads import SEEN, PageLoads
from consent_server.rates.rules_report import Figures, Report
from consent_server.rates.rules_small_cells import OTHER, SMALLEST
from consent_server.rates.words import (
    COUNT_WORDS,
    RATE_WORDS,
    RULE_WORDS,
    SPLIT_WORDS,
    amount,
    day_words,
    days,
    effect_words,
    percent,
    span_words,
    time_words,
)
from consent_server.sites.rules_places import Rule

# On the first screen: its words there, what it is a part of, and whether more of it is good for who measures.
HEADLINES = {
    "consent": ("Consent", "of those who chose", True),
    "opt_in": ("Opt-in", "of banners shown", True),
    "no_choice": ("No choice", "of banners shown", False),
    "withdrawal": ("Withdrawn", "of grants in force", False),
}
# Whose share of page views is told there, before others.
LEADING, LED = ("google-analytics", "google-ads", "meta-pixel"), 3
LINES = ("consent", "interaction", "opt_in")
BARS = ("consent", "opt_in")
# With fewer choices every interval is wider than some fourteen points.
FEW = 200
# So many rows fit in a chart; the table has all.
MOST_BARS = 8


@dataclass(frozen=True, slots=True)
class Links:
    """Where a page leads: to what a notice (hash) changed, and to an experiment, where its reader may go there."""

    notice: Callable[[str], str]
    experiment: Callable[[str], str] | None = None


def values(dashboard: Dashboard, links: Links) -> dict[str, Any]:
    """What the templates show of it."""
    rates, filters = dashboard.rates, dashboard.rates.filters
    whole, before, totals = rates.report.whole, rates.before or Figures(), rates.report.whole.totals
    changes = rates.differences or Differences({}, {}, {})
    marks, splits = _marks(rates, links), {by: _split(dashboard, by) for by in SPLIT_WORDS}
    of_vendors, seen = allowed(rates.report), _seen(rates.page_loads, dashboard.vendors)
    drawn = charts(dashboard, marks, of_vendors)
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
        "goes_on": bool(drawn["series"]["open"]),
        "few": 0 < totals.decisions < FEW,
        "times": "once" if totals.shown == 1 else f"{amount(totals.shown)} times",
        "headlines": headlines(totals, changes.rates),
        "leading": leading(rates, dashboard.vendors),
        "effect": _effect(rates),
        "addresses": {new.notice: links.notice(new.notice) for new in rates.publications},
        "funnel": _funnel(totals),
        "shares": [
            *_shares("purpose", whole.purposes, before.purposes, changes.purposes, dashboard.purposes, {}),
            *_shares(
                "vendor", whole.vendors, before.vendors, changes.vendors, dashboard.vendors, rates.page_loads.vendors
            ),
        ],
        "seen": seen,
        "seen_formula": SEEN,
        "counts": [(words, name, getattr(totals, name)) for name, words in TOTALS.items() if name not in LEFT_OUT],
        "left_out": [(TOTALS[name], name, getattr(totals, name)) for name in LEFT_OUT],
        "asked_again": rates.counted_apart_from if rates.has_asked_again else None,
        "again_rates": [(RATE_WORDS[name][0], totals.rate_again(name)) for name in AGAIN_RATES],
        "gpc_rates": [(RATE_WORDS[name][0], totals.rate(name)) for name in GPC_RATES],
        "rate_words": RATE_WORDS,
        "rate_formulas": RATES,
        "cards": list(RATES),
        "changes": changes.rates,
        "marks": marks,
        "splits": splits,
        "rules": [(RULE_WORDS[Rule(key)], key, row) for key, row in dashboard.rules.rows] if dashboard.rules else [],
        "objections": [(dashboard.purposes.get(key, key), one) for key, one in whole.objections.items()],
        "charts": drawn,
        "lines": LINES,
        "bars": BARS,
        "heads": [
            *((COUNT_WORDS[name], name, "what-is-counted") for name in COUNT_WORDS),
            *((RATE_WORDS[name][0], RATES[name]) for name in LINES),
        ],
        "reach_heads": lambda names: [(name, REACH) for name in names],
        "reach_rows": _reach_rows(rates.report, of_vendors),
        "vendor_words": {key: dashboard.vendors.get(key, key) for key in whole.vendors},
    }


def _reach_rows(report: Report, allowed: Allowed) -> list[tuple[str, list[str]]]:
    """Of each row of the report its name, and of each vendor how many of the banners shown ended with it allowed."""
    return [
        (time_words(key), [percent(share.successes / share.trials if share else None) for share in shares])
        for (key, _), *shares in zip(report.rows, *allowed.values(), strict=True)
    ]


def _against(filters: Filters) -> str:
    """What the span is compared with, in words."""
    span, other = filters.span, filters.other or filters.span.before
    return f"the {days(span.days)} before, {span_words(other)}" if other == span.before else span_words(other)


def headlines(totals: Totals, changes: Mapping[str, Difference]) -> list[dict[str, Any]]:
    """The numbers of the first screen, each with what changed, and whether that is good."""
    return [_headline(totals.rate(name), changes.get(name, NO_DIFFERENCE), *HEADLINES[name]) for name in HEADLINES]


def _headline(rate: Rate, change: Difference, words: str, part: str, more_is_good: bool) -> dict[str, Any]:
    mood = "good" if ((change.value or 0) > 0) is more_is_good else "bad"
    return {"words": words, "part": part, "rate": rate, "change": change, "mood": mood if change.sure else ""}


def leading(rates: Rates, names: Mapping[str, str]) -> dict[str, Any]:
    """What the vendors that matter most see of page views; where none was sampled, of which banners they are let in."""
    sampled = {key: seen.rate for key, seen in rates.page_loads.vendors.items() if seen.whole.sampled}
    found = sampled or {key: share.reach for key, share in rates.report.whole.vendors.items() if share.shown}
    first = sorted(found, key=lambda key: LEADING.index(key) if key in LEADING else LED)[:LED]
    return {"sampled": bool(sampled), "vendors": [{"words": names.get(key, key), "rate": found[key]} for key in first]}


def _effect(rates: Rates) -> dict[str, Any] | None:
    """What the newest notice did to the consent rate, in a sentence."""
    newest = next((effect for effect in reversed(rates.effects) if effect.rate == "consent"), None)
    if newest is None:
        return None
    return {"notice": newest.notice, "words": effect_words(newest, rates.titles[newest.notice]), "fell": newest.fell}


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
    seen: Mapping[str, Any],
) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "words": names.get(key) or key, "share": share, "before": before.get(key)}
        | {"change": changes.get(key), "seen": seen[key].rate if key in seen and seen[key].whole.sampled else None}
        for key, share in after.items()
    ]


def _seen(page_loads: PageLoads, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        seen.to_json() | {"key": key, "words": names.get(key, key), "rate": seen.rate}
        for key, seen in page_loads.vendors.items()
    ]


def _marks(rates: Rates, links: Links) -> list[dict[str, Any]]:
    """What stands on the axis, with its letter: new notices, remarks, and experiments that begin or end."""
    marks: list[dict[str, Any]] = [
        {"at": new.at, "words": f"“{new.title}”", "address": links.notice(new.notice)} for new in rates.publications
    ]
    marks += [{"at": remark.day, "words": remark.text, "address": None} for remark in rates.annotations]
    for experiment in rates.experiments:
        address = links.experiment(experiment.key) if links.experiment else None
        for what, at in (("begins", experiment.began), ("ends", experiment.ended)):
            if at is not None and rates.filters.span.holds(at):
                marks.append({"at": at, "words": f"experiment {experiment.key} {what}", "address": address})
    marks.sort(key=itemgetter("at"))
    by_hour = rates.filters.by is By.HOUR
    return [
        mark | {"letter": chr(ord("A") + number % 26), "when": time_words(mark["at"] if by_hour else mark["at"][:10])}
        for number, mark in enumerate(marks)
    ]


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
        return "Others, merged"
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
        "merged": any(row["key"] == OTHER for row in rows),
        "unknown": by is By.COUNTRY and [key for key, _ in split] == [""],
    }
