"""Rates for programs: JSON and CSV of the same figures (contract 4.4)."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from consent_server.core.context import context, context_of
from consent_server.http.answers import Cache, answer
from consent_server.http.fields import read_query
from consent_server.ledger.read_marked import read_marked
from consent_server.rates.queries import RATES, TABLE, Dialect, Shape
from consent_server.rates.read import RatesReader
from consent_server.rates.rules_dashboard import Rates
from consent_server.rates.rules_filters import By, fault, filters_of_query
from consent_server.rates.rules_tidy import Measurement, measurements

api = Blueprint("rates", __name__)


@api.record_once
def keep_reader(state: BlueprintSetupState) -> None:
    """What a notice asks for is read once for all who look at rates."""
    made_for = context_of(state.app)
    made_for.keep(RatesReader(made_for.database, made_for.now, made_for.replica))


@api.get("/v1/sites/<key>/rates")
def rates(key: str) -> Response:
    """Counts and rates of a span of days, whole and in rows, and what stands beside them on the page."""
    marked = read_marked(context().database, context().keys.ring, key)
    found = _rates(key, read_query(RATES, request.args))
    return answer({**found.to_json(), "marked": [one.to_json() for one in marked]}, cache=Cache.PRIVATE)


@api.get("/v1/sites/<key>/rates.csv")
def rates_csv(key: str) -> Response:
    """The same as a table: the whole first, then what it is compared with; the formulas in a row of their own."""
    values = read_query(TABLE, request.args)
    asked, tidy = _rates(key, values), values["shape"] is Shape.TIDY
    if tidy and asked.filters.other:
        raise fault("compare_from", "A tidy table has one period. Ask for the other one by itself.")
    span, by = asked.filters.span, asked.filters.by
    name = f"{'demo-' if asked.site.demo else ''}rates-{key}-{span.first}-{span.last}-{by}{'-tidy' * tidy}.csv"
    saved_as = {"Content-Disposition": f'attachment; filename="{name}"'}
    table = (as_tidy_csv if tidy else as_csv)(asked, values["dialect"])
    return answer(table, "text/csv; charset=utf-8", cache=Cache.PRIVATE, headers=saved_as)


def _rates(key: str, values: Mapping[str, Any]) -> Rates:
    """What the address asks for. Raises InvalidQuery, UnknownSite."""
    with context()[RatesReader].site(key) as site:
        return site.rates(filters_of_query(values, site.today))


def as_csv(rates: Rates, dialect: Dialect) -> str:
    """Rows of the report with a column for each figure; first those of the whole and of what it is compared with."""
    semicolon = dialect is Dialect.SEMICOLON
    whole = {"key": "all", **rates.filters.span.to_json(), **rates.report.whole.to_json()}
    whole["page_loads"] = rates.page_loads.to_json()
    mark = {"demo": "true" if rates.site.demo else "false"}
    rows = [whole, *_compared(rates), *rates.report.to_json()["rows"]]
    lines = [{"key": row["key"], **mark, **dict(_flat(row))} for row in rows]
    if semicolon:
        lines = [{name: _with_comma(value) for name, value in line.items()} for line in lines]
    columns = list(dict.fromkeys(name for line in lines for name in line if not name.endswith(".formula")))
    formulas = {name: lines[0].get(f"{name.rpartition('.')[0]}.formula", "") for name in columns if ".value" in name}
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", delimiter=";" if semicolon else ",")
    writer.writeheader()
    writer.writerows(lines)
    writer.writerow({"key": "formula", **mark, **formulas})
    return out.getvalue()


def as_tidy_csv(rates: Rates, dialect: Dialect) -> str:
    """A row for each figure of each row of the report, and none of the whole; rows that are not told are not there."""
    semicolon = dialect is Dialect.SEMICOLON
    mark = (rates.site.key, "true" if rates.site.demo else "false", rates.filters.by.value)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if semicolon else ",")
    writer.writerow(["site", "demo", "by", "title", *Measurement._fields])
    for key, figures in rates.report.rows:
        title = rates.titles.get(key, "") if rates.filters.by is By.NOTICE else ""
        for one in measurements(key, figures) if figures else ():
            line = [*mark, title, *one]
            writer.writerow([_with_comma(value) for value in line] if semicolon else line)
    return out.getvalue()


def _with_comma(value: Any) -> Any:
    return str(value).replace(".", ",") if isinstance(value, float) else value


def _flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from _flat(part, f"{path}{name}.")
        else:
            yield f"{path}{name}", part


def _compared(rates: Rates) -> Iterator[dict[str, Any]]:
    if rates.filters.other is not None and rates.before is not None and rates.differences is not None:
        page_loads = {"page_loads": rates.page_loads_before.to_json()}
        yield {"key": "compared", **rates.filters.other.to_json(), **rates.before.to_json(), **page_loads}
        yield {"key": "difference", **rates.differences.to_json()}
