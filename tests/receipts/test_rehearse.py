"""What removes records says beforehand how many, and changes nothing when it only rehearses."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from tests.support.factories import Body, Clock
from tests.support.visitor import post


@pytest.mark.on_both_databases
def test_an_erasure_is_rehearsed(app: Flask, recorded: list[dict[str, Any]]) -> None:
    run, visitor = app.test_cli_runner().invoke, recorded[0]["visitor"]
    rehearsed = run(args=["visitor", "erase", visitor, "--dry-run"])
    assert (rehearsed.exit_code, rehearsed.stdout) == (0, "2 records of this visitor (shop 2) would be removed\n")
    assert run(args=["visitor", "erase", visitor, "--yes"]).stdout == "2 removed\n"


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("option", ["--dry-run", "--yes"])
def test_an_unknown_visitor_is_said_and_fails(app: Flask, option: str) -> None:
    unknown = str(uuid4())
    done = app.test_cli_runner().invoke(args=["visitor", "erase", unknown, option])
    assert (done.exit_code, done.stdout) == (1, "")
    assert unknown in done.stderr


@pytest.mark.on_both_databases
def test_what_was_asked_for_is_rehearsed(
    app: Flask, client: FlaskClient, body: Body, recorded: list[dict[str, Any]]
) -> None:
    run = app.test_cli_runner().invoke
    refusal = post(client, body.refusal()).get_json()
    for answer in (recorded[0], refusal):
        link = answer["receipt_url"].partition("/v1/")[2]
        assert client.post(f"/v1/{link}/erasure").status_code in (200, 202, 204, 303)
    rehearsed = run(args=["visitor", "erase", "--requested", "shop", "--dry-run"])
    assert rehearsed.stdout == "3 records whose erasure was asked for (shop 3) would be removed\n"
    nothing = run(args=["visitor", "erase", "--requested", "rival", "--dry-run"])
    assert nothing.stdout == "0 records whose erasure was asked for would be removed\n"
    assert run(args=["visitor", "erase", "--requested"]).stdout == "3 removed\n"


@pytest.mark.on_both_databases
def test_retention_is_rehearsed(app: Flask, recorded: list[dict[str, Any]], clock: Clock, services: Context) -> None:
    run = app.test_cli_runner().invoke
    nothing = run(args=["retention", "run", "--dry-run"])
    assert nothing.stdout == "0 records whose retention is over would be removed\n"
    clock.advance(days=4 * 366)
    rehearsed = run(args=["retention", "run", "--dry-run"])
    assert rehearsed.stdout == "5 records whose retention is over (rival 1, shop 4) would be removed\n"
    # A schedule has no terminal, and goes on.
    assert run(args=["retention", "run"]).stdout == "5 removed\n"


def test_a_rotation_is_rehearsed(app: Flask, services: Context) -> None:
    run, before = app.test_cli_runner().invoke, services.keys.ring.kid
    rehearsed = run(args=["key", "rotate", "--dry-run"])
    assert (rehearsed.exit_code, before in rehearsed.stdout, services.keys.ring.kid) == (0, True, before)
    assert run(args=["key", "rotate", "--yes"]).exit_code == 0
    assert services.keys.ring.kid != before
