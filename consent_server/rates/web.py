"""Rates for programs: JSON and CSV of the same figures (contract 4.4)."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, json, request

from consent_server.access.guard import needs
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.core.times import rfc3339
from consent_server.http.fields import read_query
from consent_server.rates.queries import RATES
from consent_server.rates.read import Rates, Span, read_rates, today
from consent_server.rates.read_alerts import recent_alerts
from consent_server.rates.read_context import Context, differences, read_context
from consent_server.rates.read_span import asked_other, asked_span, require_known
from consent_server.rates.rules_report import Figures

api = Blueprint("rates", __name__)


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
    values, ctx = read_query(RATES, request.args), context()
    span = asked_span(values, today(ctx.database, key, ctx.now()))
    beside = read_context(ctx.database, key, span, asked_other(values, span), values["notice"])
    require_known(values["notice"], beside)
    return read_rates(ctx.database, key, span, values["by"], values["notice"]), beside


def _alerts(key: str) -> list[dict[str, Any]]:
    ctx = context()
    return [
        {
            "kind": one.alert.kind.value,
            "subject": one.alert.subject,
            "period": one.alert.period,
            "text": one.text,
            "raised_at": rfc3339(one.raised_at),
        }
        for one in recent_alerts(ctx.database, key, ctx.now())
    ]


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


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response
