"""Rates for programs: JSON and CSV of the same figures (contract 4.4)."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, json, request

from consent_server.access.rules import Role
from consent_server.access.web import needs
from consent_server.core.context import services
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.decisions.web import timestamp
from consent_server.http.queries import RATES, read_query
from consent_server.rates.read import By, Rates, Span, read_rates, today
from consent_server.rates.read_alerts import recent_alerts
from consent_server.rates.read_context import Context, differences, read_context
from consent_server.rates.rules_report import Figures

api = Blueprint("rates", __name__)

USUAL_DAYS = 28
# Of hours: one row each.
LONGEST_BY_HOUR = 31
LONGEST = 1100


@api.get("/v1/sites/<key>/rates")
@needs(Role.MARKETER)
def rates(key: str) -> Response:
    """Counts and rates of a span of days, whole and in rows, and what stands beside them on the page."""
    found, beside = asked_rates(key)
    answer = {**found.to_json(), **beside.to_json(found.report.whole), "alerts": _alerts(key)}
    return _private(Response(json.dumps(answer), mimetype="application/json"))


@api.get("/v1/sites/<key>/rates.csv")
@needs(Role.MARKETER)
def rates_csv(key: str) -> Response:
    """The same as a table: the whole first, then what it is compared with; the formulas in a row of their own."""
    found, beside = asked_rates(key)
    name = f"{'demo-' if found.demo else ''}rates-{key}-{found.span.first}-{found.span.last}-{found.by}.csv"
    response = _private(Response(as_csv(found, beside), mimetype="text/csv"))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def asked_rates(key: str) -> tuple[Rates, Context]:
    """What the address asks for. Raises InvalidQuery, UnknownSite."""
    values, our = read_query(RATES, request.args), services()
    span = asked_span(values, today(our.database, key, our.now()))
    beside = read_context(our.database, key, span, asked_other(values, span), values["notice"])
    require_known(values["notice"], beside)
    return read_rates(our.database, key, span, values["by"], values["notice"]), beside


def _alerts(key: str) -> list[dict[str, Any]]:
    our = services()
    return [
        {
            "kind": one.alert.kind.value,
            "subject": one.alert.subject,
            "period": one.alert.period,
            "text": one.text,
            "raised_at": timestamp(one.raised_at),
        }
        for one in recent_alerts(our.database, key, our.now())
    ]


def asked_span(values: Mapping[str, Any], now: date) -> Span:
    """From `first` to `last`: by default the last 28 days, today included. Raises InvalidQuery."""
    last = values["last"] or now
    first = values["first"] or last - timedelta(days=USUAL_DAYS - 1)
    if (last - first).days >= LONGEST:
        raise _fault("to", f"Ask for at most {LONGEST} days.")
    if first > last:
        raise _fault("to", "Must not lie before `from`.")
    if values["by"] is By.HOUR and (last - first).days >= LONGEST_BY_HOUR:
        raise _fault("to", f"By hour, ask for at most {LONGEST_BY_HOUR} days.")
    return Span(first, last)


def asked_other(values: Mapping[str, Any], span: Span) -> Span | None:
    """The days to compare with, None when none are named. With one end alone, as many as the span has.

    Raises InvalidQuery.
    """
    first, last = values["compare_first"], values["compare_last"]
    if first is None and last is None:
        return None
    more = timedelta(days=span.days - 1)
    other = Span(first or last - more, last or first + more)
    if other.days > LONGEST:
        raise _fault("compare_to", f"Ask for at most {LONGEST} days.")
    if other.first > other.last:
        raise _fault("compare_to", "Must not lie before the day where they begin.")
    if shares_days(span, other):
        # The interval of a difference is that of two periods which have nothing in common.
        raise _fault("compare_from", "Must be days of their own: these share some with the others.")
    return other


def shares_days(one: Span, other: Span) -> bool:
    """Whether a day lies in both."""
    return one.first <= other.last and other.first <= one.last


def require_known(notice: str | None, beside: Context) -> None:
    """Raises InvalidQuery for a notice (hash) that the site never showed."""
    if notice is not None and notice not in beside.known:
        raise _fault("notice", "No notice of this site has this hash.")


def as_csv(found: Rates, beside: Context) -> str:
    """Rows of the report with a column for each figure; first those of the whole and of what it is compared with."""
    answer = found.report.to_json()
    whole = {"key": "all", **_days(found.span), **found.report.whole.to_json()}
    compared = _compared(beside, found.report.whole)
    mark = {"demo": "true" if found.demo else "false"}
    lines = [{"key": row["key"], **mark, **dict(_flat(row))} for row in (whole, *compared, *answer["rows"])]
    columns = list(dict.fromkeys(name for line in lines for name in line if not name.endswith(".formula")))
    formulas = {name: lines[0].get(f"{name.rpartition('.')[0]}.formula", "") for name in columns if ".value" in name}
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    writer.writerow({"key": "formula", **mark, **formulas})
    return out.getvalue()


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from _flat(part, f"{path}{name}.")
        elif name != "rows":
            yield f"{path}{name}", part


def _compared(beside: Context, whole: Figures) -> Iterator[dict[str, Any]]:
    if beside.other is not None and beside.before is not None:
        yield {"key": "compared", **_days(beside.other), **beside.before.to_json()}
        yield {"key": "difference", **differences(whole, beside.before)}


def _days(span: Span) -> dict[str, str]:
    return {"from": span.first.isoformat(), "to": span.last.isoformat()}


def _fault(name: str, detail: str) -> InvalidQuery:
    return InvalidQuery("The parameters have faults; nothing was looked up.", [Fault(f"#/{name}", detail)])


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response
