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
