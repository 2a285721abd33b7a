"""Marketers remark on days, and the rates tell of it; nobody else does, and no other page."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.access.guard import FORM_TOKEN_HEADER
from tests.support.cast import token
from tests.support.people import Person, token_of

HERE = "/v1/sites/shop/annotations"
BEGAN: dict[str, Any] = {"day": "2026-11-17", "text": "campaign began"}


@pytest.fixture
def program(app: Flask) -> dict[str, str]:
    """What a marketer's program sends."""
    return token(app, "marketer", "shop")


@pytest.mark.on_both_databases
def test_a_remark_stands_beside_the_rates_of_its_day_until_it_is_taken_back(
    client: FlaskClient, program: dict[str, str]
) -> None:
    later = client.post(HERE, json={"day": "2026-11-20", "text": "campaign ended"}, headers=program).get_json()
    made = client.post(HERE, json=BEGAN, headers=program)
    assert (made.status_code, made.get_json()) == (201, {"id": later["id"] + 1, **BEGAN})
    assert client.get(HERE, headers=program).get_json() == {"annotations": [made.get_json(), later]}
    days = "/v1/sites/shop/rates?from=2026-11-16&to=2026-11-17"
    assert client.get(days, headers=program).get_json()["annotations"] == [made.get_json()]
    assert client.delete(f"{HERE}/{made.get_json()['id']}", headers=program).status_code == 204
    assert client.get(days, headers=program).get_json()["annotations"] == []
    assert client.delete(f"{HERE}/{made.get_json()['id']}", headers=program).status_code == 404


def test_what_is_no_remark_is_refused_with_its_place(client: FlaskClient, program: dict[str, str]) -> None:
    wrongs: list[tuple[dict[str, Any], str]] = [
        (BEGAN | {"day": "2026-02-30"}, "#/day"), ({"day": "2026-11-17"}, "#/text"), (BEGAN | {"more": 1}, "#/more"),
        *((BEGAN | {"text": text}, "#/text") for text in ("", "a\nb", "x" * 81, 1)),
    ]  # fmt: skip
    for wrong, place in wrongs:
        refused = client.post(HERE, json=wrong, headers=program)
        assert refused.status_code == 400
        assert [error["pointer"] for error in refused.get_json()["errors"]] == [place]
    assert client.get(HERE, headers=program).get_json() == {"annotations": []}


def test_a_remark_of_one_site_is_no_business_of_another(
    app: Flask, client: FlaskClient, program: dict[str, str]
) -> None:
    number = client.post(HERE, json=BEGAN, headers=program).get_json()["id"]
    rival = token(app, "marketer", "rival")
    assert client.delete(f"/v1/sites/rival/annotations/{number}", headers=rival).status_code == 404
    assert client.delete(f"{HERE}/{number}", headers=rival).status_code == 403
    for odd in ("0", "x", "-1", "1" * 30, "٣"):
        assert client.delete(f"{HERE}/{odd}", headers=program).status_code == 404
    assert len(client.get(HERE, headers=program).get_json()["annotations"]) == 1


def test_a_session_writes_from_a_page_of_ours_alone(marketer: Person) -> None:
    # A form of another page comes as a person's own step, and the browser may send the cookie along.
    step = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert marketer.browser.post(HERE, json=BEGAN, headers=step).status_code == 403
    basic = step | {"Authorization": "Basic eDp5"}
    assert marketer.browser.post(HERE, json=BEGAN, headers=basic).status_code == 403
    form = {FORM_TOKEN_HEADER: token_of(marketer.open("/console").text)}
    assert marketer.browser.post(HERE, json=BEGAN, headers=form).status_code == 201


def test_commands_remark_on_days_too(app: Flask, client: FlaskClient, program: dict[str, str]) -> None:
    runner = app.test_cli_runner()
    added = runner.invoke(args=["annotation", "add", "shop", "2026-11-17", "campaign began"])
    assert added.exit_code == 0, added.output
    number = added.stdout.split()[1]
    assert runner.invoke(args=["annotation", "list", "shop"]).stdout == f"{number}\t2026-11-17\tcampaign began\n"
    assert runner.invoke(args=["annotation", "remove", "shop", number]).exit_code == 0
    assert client.get(HERE, headers=program).get_json() == {"annotations": []}
    for wrong in (["remove", "shop", number], ["list", "nowhere"]):
        assert runner.invoke(args=["annotation", *wrong]).exit_code == 1
    for wrong in (["add", "shop", "17.11.", "x"], ["add", "shop", "2026-11-17", "a\nb"]):
        assert runner.invoke(args=["annotation", *wrong]).exit_code == 2
