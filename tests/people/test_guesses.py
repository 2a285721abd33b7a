"""Guesses at passwords: how many, from where, and whom they keep out."""

import pytest
from flask import Flask

from consent_server.access import credentials
from consent_server.http.rate_limit import SIGN_IN_LIMITS
from consent_server.people import known_browser
from tests.support.people import Person


def elsewhere(app: Flask, name: str, address: str) -> Person:
    person = Person(app, name)
    person.browser.environ_base["REMOTE_ADDR"] = address
    return person


def guess(person: Person, times: int) -> list[int]:
    return [person.sign_in(f"guess number {n}").status_code for n in range(times)]


def test_a_guesser_keeps_nobody_out(ada: Person) -> None:
    guesser = elsewhere(ada.app, "ada", "203.0.113.9")
    assert guess(guesser, 20) == [422] * 10 + [429] * 10
    assert guesser.sign_in().status_code == 429
    # From elsewhere in a browser that was never here, and in the known one even behind the guesser's address.
    assert elsewhere(ada.app, "ada", "203.0.113.10").sign_in().status_code == 303
    ada.browser.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert ada.sign_in().status_code == 303


def test_a_guesser_with_many_networks_keeps_no_known_browser_out(ada: Person) -> None:
    tried: list[int] = []
    for net in range(12):
        tried += guess(elsewhere(ada.app, "ada", f"2001:db8:{net:x}::1"), 9)
    assert tried == [422] * 100 + [429] * 8
    assert elsewhere(ada.app, "ada", "198.51.100.1").sign_in().status_code == 429
    assert ada.sign_in().status_code == 303
    # Somebody else's account is not touched.
    assert elsewhere(ada.app, "max", "198.51.100.1").sign_in("a guess").status_code == 422


def test_addresses_of_one_subscriber_are_one_guesser(ada: Person) -> None:
    tried = []
    for host in range(12):
        tried += guess(elsewhere(ada.app, "ada", f"2001:db8:0:1::{host + 1:x}"), 1)
    assert tried == [422] * 10 + [429] * 2


def test_in_a_known_browser_guesses_are_few_too(ada: Person) -> None:
    assert guess(ada, 12) == [422] * 10 + [429] * 2
    assert ada.sign_in().status_code == 429


def test_what_is_known_of_a_browser_is_for_one_account_and_cannot_be_made_up(ada: Person, olga: Person) -> None:
    cookie = ada.browser.get_cookie(known_browser.COOKIE, path="/sign-in")
    assert cookie
    assert (cookie.http_only, cookie.secure, cookie.same_site, cookie.max_age) == (True, True, "Strict", 31_536_000)
    assert ada.email not in cookie.value
    name, _, proof = cookie.value.partition(".")
    for stolen, account in (
        (cookie.value, "olga"), (f"x{name}.{proof}", "ada"), (f"{name}.x", "ada"), (f".{proof}", "ada"), ("é", "ada"),
    ):  # fmt: skip
        guesser = elsewhere(ada.app, account, "203.0.113.77")
        guesser.browser.set_cookie(known_browser.COOKIE, stolen, path="/sign-in")
        with guesser.app.test_request_context(headers={"Cookie": f"{known_browser.COOKIE}={stolen}"}):
            assert known_browser.known_browser(guesser.email) == ""
    with ada.app.test_request_context(headers={"Cookie": f"{known_browser.COOKIE}={cookie.value}"}):
        assert known_browser.known_browser(" ADA@example.org ") == name


def test_unknown_browsers_together_cannot_eat_the_processor(
    ada: Person, olga: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def check(_: str | None, password: str) -> bool:
        checked.append(password)
        return False

    monkeypatch.setattr("consent_server.people.passwords.password_matches", check)
    limit = int(SIGN_IN_LIMITS["everybody"][0].split()[0])
    answers = []
    for n in range(limit + 5):
        person = elsewhere(ada.app, f"nobody{n}", f"2001:db8:{n:x}::1")
        answers += guess(person, 1)
    assert answers == [422] * limit + [429] * 5
    assert len(checked) == limit
    monkeypatch.undo()
    assert ada.sign_in().status_code == 303


def test_passwords_wait_for_their_turn_and_not_for_long(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "PATIENCE", 0.01)
    with credentials._turn(), credentials._turn():
        answer = ada.sign_in()
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "5"
    assert ada.sign_in().status_code == 303
