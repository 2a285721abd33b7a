"""The rates as a table, for programs and for spreadsheets."""

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from tests.support.cast import token
from tests.support.factories import Body
from tests.support.rates_page import end_days
from tests.support.visitor import post


@pytest.fixture
def marketer(app: Flask) -> dict[str, str]:
    return token(app, "marketer", "shop")


def show(client: FlaskClient, notice: str, times: int) -> None:
    for _ in range(times):
        assert post(client, {"notice": notice, "language": "en"}, path="shown").status_code == 204


def test_the_table_says_what_the_figures_say(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str], services: Context
) -> None:
    show(client, notice, 4)
    post(client, body())
    end_days(services)
    response = client.get("/v1/sites/shop/rates.csv", headers=marketer)
    assert response.mimetype == "text/csv"
    whole, day, formula = csv.DictReader(io.StringIO(response.text))
    assert (whole["key"], day["key"], formula["key"]) == ("all", "2026-11-23", "formula")
    assert whole["totals.shown"] == day["totals.shown"] == "4"
    assert whole["rates.opt_in.value"] == "0.25"
    assert formula["rates.opt_in.value"] == "accept_all / shown"
    assert whole["purposes.analytics.granted"] == "1"


def test_the_table_for_a_spreadsheet_with_decimal_commas(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str], services: Context
) -> None:
    show(client, notice, 4)
    post(client, body())
    end_days(services)
    plain = client.get("/v1/sites/shop/rates.csv", headers=marketer).text
    other = client.get("/v1/sites/shop/rates.csv?dialect=semicolon", headers=marketer).text
    whole, day, formula = csv.DictReader(io.StringIO(other), delimiter=";")
    assert (whole["rates.opt_in.value"], whole["totals.shown"], day["key"]) == ("0,25", "4", "2026-11-23")
    assert formula["rates.opt_in.value"] == "accept_all / shown"
    assert client.get("/v1/sites/shop/rates.csv?dialect=comma", headers=marketer).text == plain
    assert client.get("/v1/sites/shop/rates.csv?dialect=tab", headers=marketer).status_code == 400


TIDY = "/v1/sites/shop/rates.csv?shape=tidy"
HEADER = [
    "site", "demo", "by", "title", "key", "subject", "name", "measure", "numerator", "denominator", "value",
    "low", "high", "draws",
]  # fmt: skip


def tidy(client: FlaskClient, path: str, marketer: dict[str, str], delimiter: str = ",") -> list[dict[str, str]]:
    response = client.get(path, headers=marketer)
    assert response.status_code == 200
    found = csv.DictReader(io.StringIO(response.text), delimiter=delimiter)
    assert found.fieldnames == HEADER
    return list(found)


def test_a_tidy_table_has_each_figure_once_and_no_sums(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str], services: Context
) -> None:
    show(client, notice, 4)
    post(client, body())
    end_days(services)
    rows = tidy(client, TIDY, marketer)
    places = [(row["key"], row["subject"], row["name"], row["measure"]) for row in rows]
    assert len(set(places)) == len(places)
    assert {row["key"] for row in rows} == {"2026-11-23"}
    found = dict(zip(places, rows, strict=True))
    opt_in = found["2026-11-23", "site", "", "opt_in_rate"]
    assert [opt_in[name] for name in ("numerator", "denominator", "value")] == ["1", "4", "0.25"]
    assert float(opt_in["low"]) < 0.25 < float(opt_in["high"])
    shown = found["2026-11-23", "site", "", "shown"]
    assert [shown[name] for name in ("numerator", "denominator", "value", "low")] == ["", "", "4", ""]
    assert found["2026-11-23", "purpose", "analytics", "granted_of_decisions"]["value"] == "1.0"
    assert found["2026-11-23", "vendor", "meta-pixel", "granted_of_shown"]["value"] == "0.25"
    assert found["2026-11-23", "site", "", "visit_opt_in_rate"]["value"] == ""


def test_a_tidy_table_says_what_the_figures_say(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str], services: Context
) -> None:
    show(client, notice, 3)
    post(client, body())
    post(client, body.refusal())
    end_days(services)
    (row,) = client.get("/v1/sites/shop/rates?by=notice", headers=marketer).get_json()["rows"]
    rows = tidy(client, f"{TIDY}&by=notice", marketer)
    assert {line["title"] for line in rows} == {"first notice"}
    values = {(line["subject"], line["name"], line["measure"]): line["value"] for line in rows}
    for name, count in row["totals"].items():
        assert values["site", "", name] == str(count)
    for name, rate in row["rates"].items():
        assert values.get(("site", "", f"{name}_rate"), "") == ("" if rate["value"] is None else str(rate["value"])), (
            name
        )
    for name, share in row["vendors"].items():
        assert values["vendor", name, "granted_of_decisions"] == str(share["rate"]["value"])


def test_a_tidy_table_for_a_spreadsheet(
    client: FlaskClient, body: Body, notice: str, marketer: dict[str, str], services: Context
) -> None:
    show(client, notice, 4)
    post(client, body())
    end_days(services)
    rows = tidy(client, f"{TIDY}&dialect=semicolon", marketer, ";")
    assert next(row for row in rows if row["measure"] == "opt_in_rate")["value"] == "0,25"


def test_a_tidy_table_compares_nothing(client: FlaskClient, notice: str, marketer: dict[str, str]) -> None:
    refused = client.get(f"{TIDY}&compare_from=2026-09-01", headers=marketer)
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (400, "#/compare_from")
    assert client.get(f"{TIDY[:-4]}long", headers=marketer).status_code == 400
