"""What is beside a decision loses no record where it is odd: it is cut, left out, or recorded as unknown."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from tests.support import jose
from tests.support.factories import PUBLIC_URL, SHOP, TOP, VENDORS, Body, site_file
from tests.support.sites import Apply
from tests.support.visitor import post, rows


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "nullsrcdoc", "about:srcdoc", None, "https://shop.example.evil.example/x"]
)
def test_a_page_that_is_not_the_site_s_costs_no_record(
    app: Flask, client: FlaskClient, body: Body, page: str | None, services: Context
) -> None:
    sent = body(page=page)
    said = post(client, sent).get_json()
    claims = jose.claims(said["receipt"])
    assert (claims["page"], claims["withdraw"]) == (None, f"{SHOP}/#consent")
    assert post(client, sent).status_code == 200
    # Whoever reads it copes: the visitor, a program, an auditor, who withdraws by it, and who checks the ledger.
    link = said["receipt_url"].removeprefix(PUBLIC_URL)
    shown = client.get(f"{link}?format=html")
    assert (shown.status_code, "None</dd>" in shown.text) == (200, False)
    assert client.get(f"{link}?format=jsonld").status_code == 200
    assert client.post(f"{link}/withdrawal").status_code == 303
    assert [jose.claims(row.receipt)["page"] for row in rows(services)] == [None, None]
    assert app.test_cli_runner().invoke(args=["ledger", "seal"]).exit_code == 0
    checked = app.test_cli_runner().invoke(args=["ledger", "check", "shop"])
    assert checked.exit_code == 0, checked.output


def test_a_long_page_is_recorded_as_far_as_it_is_read(client: FlaskClient, body: Body) -> None:
    response = post(client, body(page=f"{SHOP}/{'a' * 4000}?email=me"))
    assert response.status_code == 201
    assert jose.claims(response.get_json()["receipt"])["page"] == f"{SHOP}/{'a' * 4000}"[:2000]


def test_a_language_nobody_knows_costs_no_record(client: FlaskClient, body: Body) -> None:
    said = post(client, body(language="xx")).get_json()
    assert jose.claims(said["receipt"])["language"] == "und"
    link = said["receipt_url"].removeprefix(PUBLIC_URL)
    for form in ("html", "jsonld", "json"):
        shown = client.get(f"{link}?format={form}")
        assert shown.status_code == 200
    assert "Language shown" not in client.get(f"{link}?format=html").text


@pytest.mark.on_both_databases
def test_code_that_was_served_to_another_site_is_as_if_none_was_named(
    client: FlaskClient, body: Body, apply_site: Apply
) -> None:
    uet = '[[vendors]]\nkey = "microsoft-uet"\nid = "12345678"\n'
    apply_site(site_file(TOP.replace('"shop"', '"other"'), vendors=VENDORS + uet))
    named = [json.loads(client.get(f"/widget/{site}.js").text.split("\n")[1])["widget"] for site in ("shop", "other")]
    assert named[0] != named[1]
    by_widget = [jose.claims(post(client, body(widget=one)).get_json()["receipt"])["widget"] for one in named]
    assert by_widget[0] == by_widget[1]
    assert by_widget[0].startswith(named[0])


def test_code_that_was_never_served_is_as_if_none_was_named(client: FlaskClient, body: Body) -> None:
    by_widget = [
        jose.claims(post(client, body(widget=widget)).get_json()["receipt"])["widget"]
        for widget in (None, "0" * 64, "x")
    ]
    assert len(set(by_widget)) == 1
