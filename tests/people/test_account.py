"""One's own account: password, sessions, and the log of sign-ins."""

import re

import pytest
from sqlalchemy import text

from consent_server.core.context import Context
from consent_server.people import log_sign_ins
from consent_server.people.invite import find_user
from consent_server.people.log_sign_ins import forget_sign_ins, read_sign_ins
from consent_server.people.rules_browser import browser_family
from tests.support.factories import Clock
from tests.support.people import PASSWORD, Person

OTHER = "another good password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP3A) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"


def change(person: Person, current: str, password: str, again: str = "") -> int:
    sent = {"current": current, "password": password, "again": again or password}
    return person.send("/console/account/password", sent, at="/console/account").status_code


@pytest.mark.on_both_databases
def test_changing_ones_password_ends_all_other_sessions(ada: Person) -> None:
    other, kept = Person(ada.app, "ada"), ada.cookie
    other.sign_in()
    assert change(ada, PASSWORD, OTHER) == 303
    assert ada.cookie != kept
    assert ada.open("/console").status_code == 200
    assert other.open("/console").status_code == 303
    assert other.sign_in().status_code == 422
    assert other.sign_in(OTHER).status_code == 303


def test_a_change_ends_the_link_that_was_made_before(ada: Person) -> None:
    made = ada.app.test_cli_runner().invoke(args=["user", "link", ada.email]).stdout.strip()
    assert change(ada, PASSWORD, OTHER) == 303
    assert Person(ada.app, "ada").open(made.partition("consent.example")[2]).status_code == 410


@pytest.mark.parametrize(
    ("current", "password", "again"),
    [("wrong", OTHER, OTHER), (PASSWORD, "short", "short"), (PASSWORD, "password1234", "password1234"),
     (PASSWORD, OTHER, "not the same")],
)  # fmt: skip
def test_a_wrong_change_changes_nothing(ada: Person, current: str, password: str, again: str) -> None:
    assert change(ada, current, password, again) == 422
    assert ada.open("/console").status_code == 200
    assert ada.sign_in().status_code == 303


def test_who_finds_a_browser_open_has_few_guesses(ada: Person) -> None:
    assert [change(ada, f"guess {n}", OTHER) for n in range(12)] == [422] * 10 + [429] * 2


def test_one_ends_ones_own_sessions_and_nobody_elses(ada: Person, olga: Person) -> None:
    other = Person(ada.app, "ada")
    other.browser.environ_base["HTTP_USER_AGENT"] = FIREFOX
    other.sign_in()
    page = ada.open("/console/account").text
    assert "Firefox" in page
    (name,) = re.findall(r'name="session" value="([0-9a-f]{16})">End<span class="visually-hidden"> Firefox', page)
    olga.send("/console/account/sessions", {"session": name}, at="/console/account")
    assert other.open("/console").status_code == 200
    ada.send("/console/account/sessions", {"session": name}, at="/console/account")
    assert other.open("/console").status_code == 303
    other.sign_in()
    ada.send("/console/account/sessions", {}, at="/console/account")
    assert other.open("/console").status_code == 303
    assert ada.open("/console").status_code == 200
    assert olga.open("/console").status_code == 200


@pytest.mark.on_both_databases
def test_every_attempt_is_written_down_without_network_or_browser(ada: Person, services: Context) -> None:
    own, stranger = find_user(services.database, ada.email), Person(ada.app, "ada")
    stranger.browser.environ_base |= {"HTTP_USER_AGENT": ANDROID, "REMOTE_ADDR": "203.0.113.99"}
    stranger.sign_in("a wrong password")
    stranger.sign_in()
    Person(ada.app, "nobody").sign_in("a wrong password")
    found = [(one.how, one.succeeded, one.browser) for one in read_sign_ins(services.database, own)]
    assert found == [("password", True, "Chrome"), ("password", False, "Chrome"), ("link", True, "another")]
    with services.database.reading() as session:
        rows = session.execute(text("SELECT user_id, how, succeeded, browser FROM sign_ins ORDER BY id")).all()
        kept = [session.execute(text(f"SELECT * FROM {table}")).all() for table in ("sign_ins", "sessions")]
    # What was tried for an address that nobody has is written down too: else the time would tell who has one.
    assert [row[0] for row in rows] == [own, own, own, None]
    for secret in ("203.0.113", "Pixel", "Android", "nobody@"):
        assert secret not in repr(kept)


@pytest.mark.on_both_databases
def test_the_log_is_kept_for_ninety_days_and_never_grows_without_end(
    ada: Person, services: Context, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sign_ins, "MOST", 3)
    guesser = Person(ada.app, "nobody")
    for _ in range(5):
        guesser.sign_in("a wrong password")
    assert forget_sign_ins(services.database, clock()) == 3
    clock.advance(days=90, seconds=1)
    assert forget_sign_ins(services.database, clock()) == 3


@pytest.mark.parametrize(
    ("agent", "family"),
    [(FIREFOX, "Firefox"), (ANDROID, "Chrome"), ("", "another"), ("curl/8", "another"),
     ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "Safari"),
     ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0", "Edge"),
     ("Mozilla/5.0 (iPhone) AppleWebKit/605.1 CriOS/131.0 Mobile/15E148 Safari/604.1", "Chrome")],
)  # fmt: skip
def test_of_a_browser_its_family_is_kept(agent: str, family: str) -> None:
    assert browser_family(agent) == family
