"""Rates for programs: JSON and CSV of the same figures (contract 4.4)."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, json, request

from consent_server.domain.errors import Fault, InvalidQuery
from consent_server.domain.roles import Role
from consent_server.extensions import services
from consent_server.usecases.read_rates import By, Rates, Span, read_rates, today
from consent_server.web.auth import needs
from consent_server.web.queries import RATES, read_query

api = Blueprint("rates", __name__)

USUAL_DAYS = 28
# Of hours: one row each.
LONGEST_BY_HOUR = 31
LONGEST = 1100


@api.get("/v1/sites/<key>/rates")
@needs(Role.MARKETER)
def rates(key: str) -> Response:
    """Counts and rates of a span of days, whole and in rows."""
    return _private(Response(json.dumps(asked_rates(key).to_json()), mimetype="application/json"))


@api.get("/v1/sites/<key>/rates.csv")
@needs(Role.MARKETER)
def rates_csv(key: str) -> Response:
    """The same as a table: the whole in the first row, the formula of each rate in a row of its own."""
    found = asked_rates(key)
    name = f"{'demo-' if found.demo else ''}rates-{key}-{found.span.first}-{found.span.last}-{found.by}.csv"
    response = _private(Response(as_csv(found), mimetype="text/csv"))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def asked_rates(key: str) -> Rates:
    """What the address asks for. Raises InvalidQuery, UnknownSite."""
    values = read_query(RATES, request.args)
    our = services()
    span = asked_span(values, today(our.database, key, our.now()))
    return read_rates(our.database, key, span, values["by"], values["notice"])


def asked_span(values: Mapping[str, Any], now: date) -> Span:
    """From `first` to `last`: by default the last 28 days, today included. Raises InvalidQuery."""
    last = values["last"] or now
    first = values["first"] or last - timedelta(days=USUAL_DAYS - 1)
    if (last - first).days >= LONGEST:
        raise _too_long(f"Ask for at most {LONGEST} days.")
    if first > last:
        raise _too_long("Must not lie before `from`.")
    if values["by"] is By.HOUR and (last - first).days >= LONGEST_BY_HOUR:
        raise _too_long(f"By hour, ask for at most {LONGEST_BY_HOUR} days.")
    return Span(first, last)


def as_csv(found: Rates) -> str:
    """Rows of the report with a column for each figure."""
    answer = found.report.to_json()
    whole = {"key": "all", **{name: value for name, value in answer.items() if name != "rows"}}
    lines = [dict(_flat(row)) for row in (whole, *answer["rows"])]
    columns = list(dict.fromkeys(name for line in lines for name in line if not name.endswith(".formula")))
    formulas = {name: lines[0].get(f"{name.rpartition('.')[0]}.formula", "") for name in columns if ".value" in name}
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    writer.writerow({"key": "formula", **formulas})
    return out.getvalue()


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from _flat(part, f"{path}{name}.")
        elif name != "rows":
            yield f"{path}{name}", part


def _too_long(detail: str) -> InvalidQuery:
    return InvalidQuery("The parameters have faults; nothing was looked up.", [Fault("#/to", detail)])


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response
