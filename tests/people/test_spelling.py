"""What looks the same is one address and one password, at every door and on every keyboard."""

import unicodedata

import pytest
from flask import Flask

from consent_server.access.credentials import hash_password
from consent_server.core.context import context_of
from consent_server.core.rules_email import normal_email
from consent_server.core.rules_text import normal_password
from consent_server.people import store
from tests.support.people import Person

ADA = "ren\u00e9e@xn--bcher-kva.example"
SAME = [
    "ren\u00e9e@b\u00fccher.example", "rene\u0301e@bu\u0308cher.example", "Ren\u00c9e@B\u00dcCHER.example",
    "\u00a0ren\u00e9e@b\u00fccher.example\u3000", "ren\u00e9e\u200b@b\u00fccher.example",
    "\ufeffren\u00e9e@b\u00fccher.example",
    "ren\u00e9e\uff20b\u00fccher.example", "ren\u00e9e@b\u00fccher.example.", "ren\u00e9e@XN--bcher-KVA.example",
    "re\u00adn\u00e9e@b\u00fccher.example\n",
]  # fmt: skip


@pytest.mark.parametrize("spelt", SAME)
def test_an_address_has_one_spelling(spelt: str) -> None:
    assert normal_email(spelt) == ADA
    assert normal_email(ADA) == ADA


@pytest.mark.parametrize("given", ["ada@", "@shop.example", "ada@shop example", "a b@shop.example", "ada@@shop.example",
                                   "ada@stra\u00dfe.example", "ada@shop..example", "ada\x00@shop.example"])  # fmt: skip
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its words are read by people
        normal_email(given)


def test_a_blank_of_another_kind_is_a_blank_and_letters_are_composed() -> None:
    for typed in ("Caf\u00e9\u00a0au\u2003lait ", "Cafe\u0301 au lait "):
        assert normal_password(typed) == "Caf\u00e9 au lait "
    assert normal_password("Case") != normal_password("case")


def test_nobody_is_there_twice_and_everybody_gets_in(app: Flask) -> None:
    person = Person(app, "renee")
    person.email = SAME[1]
    link = person.invited("--role", "auditor")
    runner = app.test_cli_runner()
    for spelt in SAME:
        again = runner.invoke(args=["user", "create", spelt, "--role", "auditor"])
        assert (again.exit_code, "There is already a user" in again.stderr) == (1, True), spelt
    composed = "Caf\u00e9 au lait, sans sucre"
    assert person.accept(link, unicodedata.normalize("NFD", composed)).status_code == 303
    for spelt in SAME:
        person.email = spelt
        assert person.sign_in(composed).status_code == 303, spelt
    assert runner.invoke(args=["user", "remove", SAME[2]]).exit_code == 0
    assert runner.invoke(args=["user", "list"]).stdout == ""


def test_guesses_are_counted_by_the_account_whatever_its_spelling(app: Flask) -> None:
    person = Person(app, "ada")
    person.accept(person.invited("--role", "auditor"))
    guesser, statuses = Person(app, "ada"), []
    for number in range(11):
        guesser.email = "ada" + "\u200b" * number + "@example.org"
        statuses.append(guesser.sign_in("a guess of nobody").status_code)
    assert statuses == [422] * 10 + [429]
    # Where she signed in before she is not kept out by them, whatever she types.
    person.email = "ADA\u200b@example.org"
    assert person.sign_in().status_code == 303


def test_a_password_of_before_there_was_one_form_still_signs_in(app: Flask) -> None:
    person = Person(app, "ada")
    person.accept(person.invited("--role", "auditor"))
    decomposed = unicodedata.normalize("NFD", "Caf\u00e9 au lait, sans sucre")
    with context_of(app).database.transaction() as session:
        user = store.by_email(session, "ada@example.org")
        assert user
        user.password_hash = hash_password(decomposed)
    assert person.sign_in(decomposed).status_code == 303
