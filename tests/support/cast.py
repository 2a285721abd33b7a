"""The cast, signed in, and some records."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.ledger.seal import seal_ledger
from tests.support.factories import RIVAL, Body, Clock
from tests.support.people import CAST, Person
from tests.support.visitor import post


@pytest.fixture
def people(app: Flask) -> dict[str, Person]:
    """Everybody, signed in."""
    found = {name: Person(app, name) for name in CAST}
    for name, person in found.items():
        assert person.accept(person.invited(*CAST[name])).status_code == 303
    return found


@pytest.fixture
def ada(app: Flask) -> Person:
    """The shop's auditor, signed in."""
    person = Person(app, "ada")
    person.accept(person.invited(*CAST["ada"]))
    return person


@pytest.fixture
def olga(app: Flask) -> Person:
    """The operator, signed in."""
    person = Person(app, "olga")
    person.accept(person.invited(*CAST["olga"]))
    return person


@pytest.fixture
def recorded(client: FlaskClient, body: Body, services: Context, clock: Clock) -> list[dict[str, Any]]:
    """What the server answered to: a grant, a refusal, a choice, and the first visitor's withdrawal. Sealed."""
    first = post(client, body()).get_json()
    answers = [first]
    for sent in (
        body.refusal(),
        body.choice(True, False, language="fr"),
        body.refusal(visitor=first["visitor"], change=True) | {"action": "withdraw", "method": "preferences"},
    ):
        clock.advance(hours=1)
        answers.append(post(client, sent).get_json())
    rivals = client.get("/v1/sites/rival/notice").headers.get("ETag", "").strip('"')
    answers.append(post(client, body(notice=rivals, page=f"{RIVAL}/"), site="rival", origin=RIVAL).get_json())
    seal_ledger(services.database, services.keys.ring, services.now)
    return answers


@pytest.fixture
def marketer(app: Flask) -> Person:
    """Max, signed in."""
    person = Person(app, "max")
    person.accept(person.invited(*CAST["max"]))
    return person


def token(app: Flask, role: str, *sites: str) -> dict[str, str]:
    """The header that a new token makes."""
    options = [part for site in sites for part in ("--site", site)]
    result = app.test_cli_runner().invoke(args=["token", "create", "--role", role, *options, "--name", "a program"])
    assert result.exit_code == 0, result.output
    return {"Authorization": f"Bearer {result.stdout.strip()}"}
