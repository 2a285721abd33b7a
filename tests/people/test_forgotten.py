"""A new password by mail: for who has the address, and nobody learns whether it is somebody's."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from consent_server import worker
from consent_server.core.channels import Sender, mail_server
from consent_server.core.context import Context
from tests.support.factories import Clock
from tests.support.mail_server import MailServer
from tests.support.people import Person

ASK = "/sign-in/forgotten"


@pytest.fixture
def mail(services: Context) -> Iterator[MailServer]:
    """The mail server of the settings."""
    with MailServer() as server:
        sender = Sender(mail_server(f"smtp://127.0.0.1:{server.port}"), "consent@shop.example")
        services.settings = replace(services.settings, sender=sender)
        yield server


def waiting(services: Context) -> int:
    with services.database.reading() as session:
        return int(session.scalar(text("SELECT count(*) FROM password_requests")) or 0)


def run(services: Context) -> None:
    """What the worker does by itself."""
    (task,) = (task for task in worker.tasks(services) if task.name == "passwords")
    task.run(services)


@pytest.mark.on_both_databases
def test_a_link_is_mailed_and_sets_a_password_once(mail: MailServer, ada: Person, services: Context) -> None:
    stranger = Person(ada.app, "ada")
    stranger.send(ASK, {"email": " ADA@example.org "})
    run(services)
    (message,) = mail.messages
    assert (message["To"], message["Auto-Submitted"]) == (ada.email, "auto-generated")
    found = re.search(r"https://consent\.example(/sign-in/link\?t=\S+)", message.get_content())
    assert found
    # Nothing changes until the link is used.
    assert ada.open("/console").status_code == 200
    assert stranger.accept(found[1], "another good password").status_code == 303
    assert ada.open("/console").status_code == 303
    assert ada.open(found[1]).status_code == 410
    run(services)
    assert (len(mail.messages), waiting(services)) == (1, 0)


@pytest.mark.on_both_databases
def test_one_answer_for_every_address_before_anybody_looks(
    mail: MailServer, ada: Person, services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent_server.people.store.by_email", lambda *_: pytest.fail("looked whose it is"))
    pages, person = set(), Person(ada.app, "x")
    for number, email in enumerate(("ada@example.org", "nobody@example.org", "", "\x00", "x" * 300), 1):
        page = person.send(ASK, {"email": email})
        pages.add((page.status_code, page.text))
        assert waiting(services) == number
    assert len(pages) == 1
    monkeypatch.undo()
    run(services)
    assert [message["To"] for message in mail.messages] == ["ada@example.org"]
    assert waiting(services) == 0


def test_asking_is_limited_for_an_address_whether_it_is_somebodys_or_not(mail: MailServer, ada: Person) -> None:
    for email in (ada.email, "nobody@example.org"):
        person = Person(ada.app, "x")
        assert [person.send(ASK, {"email": email}).status_code for _ in range(4)] == [200] * 3 + [429]


def test_while_the_mail_server_is_away_it_is_tried_for_an_hour(
    mail: MailServer, ada: Person, services: Context, clock: Clock
) -> None:
    Person(ada.app, "x").send(ASK, {"email": ada.email})
    mail.refuse = "451 later"
    run(services)
    assert waiting(services) == 1
    clock.advance(hours=1)
    run(services)
    assert (waiting(services), mail.messages) == (0, [])


def test_a_server_without_mail_says_who_helps(ada: Person, services: Context) -> None:
    page = Person(ada.app, "x").send("/sign-in/forgotten", {"email": ada.email}, at="/sign-in")
    assert page.status_code == 200
    assert waiting(services) == 0


def test_an_invitation_is_mailed_and_shown_where_that_fails(mail: MailServer, olga: Person) -> None:
    sent = {"email": "a,b@example.org", "role": "auditor", "site": "shop"}
    page = olga.send("/console/people", sent)
    assert "/sign-in/link" not in page.text
    # One recipient, whatever stands in the name.
    assert mail.envelopes[-1][1] == ['"a,b"@example.org']
    mail.refuse = "550 no"
    shown = olga.send("/console/people", sent | {"email": "c@example.org"})
    assert "/sign-in/link?t=" in shown.text
    assert "was not taken" in shown.text


def test_commands_mail_a_link_where_they_are_asked_to(mail: MailServer, app: Flask) -> None:
    runner = app.test_cli_runner()
    made = runner.invoke(args=["user", "create", "new@example.org", "--role", "auditor", "--mail"])
    assert (made.exit_code, "?t=" in made.output) == (0, False)
    assert mail.messages[-1]["To"] == "new@example.org"
