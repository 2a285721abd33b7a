"""Links, passwords, sessions, forms: how people get in, and how nobody else does."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from consent_server.access import credentials, find_access
from consent_server.access.guard import COOKIE
from consent_server.access.rows import SessionRow, UserRow
from consent_server.core.context import Context, context_of
from tests.support.application import SHIPPED_HASHER
from tests.support.factories import Clock
from tests.support.people import CAST, HTML, PASSWORD, Person, browser_of, token_of


@pytest.fixture
def invited(app: Flask) -> tuple[Person, str]:
    person = Person(app, "ada")
    return person, person.invited(*CAST["ada"])


def test_a_link_sets_the_password_and_signs_in(invited: tuple[Person, str]) -> None:
    ada, link = invited
    page = ada.open(link)
    assert page.status_code == 200
    assert "ada@example.org" in page.text
    response = ada.accept(link)
    assert (response.status_code, response.location) == (303, "/console")
    assert "Example Shop" in ada.open("/console").text
    elsewhere = Person(ada.app, "ada")
    assert elsewhere.sign_in().location == "/console"
    assert elsewhere.open("/console").status_code == 200


@pytest.mark.on_both_databases
def test_a_link_works_once_and_opening_it_does_not_use_it(invited: tuple[Person, str]) -> None:
    ada, link = invited
    for _ in range(3):
        assert ada.open(link).status_code == 200
    ada.accept(link)
    thief = Person(ada.app, "ada")
    assert thief.open(link).status_code == 410
    form = token_of(thief.open("/sign-in").text)
    sent = {"t": link.partition("?t=")[2], "password": "the thief's own word", "again": "the thief's own word"}
    assert thief.browser.post("/sign-in/link", data=sent | {"form_token": form}).status_code == 410
    assert thief.sign_in("the thief's own word").status_code == 422
    assert ada.open("/console").status_code == 200


def test_an_invitation_lives_for_a_week(invited: tuple[Person, str], clock: Clock) -> None:
    ada, link = invited
    clock.advance(days=7)
    assert ada.open(link).status_code == 200
    clock.advance(seconds=1)
    assert ada.open(link).status_code == 410


def test_a_newer_link_replaces_the_older_and_lives_for_a_day(invited: tuple[Person, str], clock: Clock) -> None:
    ada, link = invited
    result = ada.app.test_cli_runner().invoke(args=["user", "link", ada.email])
    newer = result.stdout.strip().partition("consent.example")[2]
    assert ada.open(link).status_code == 410
    clock.advance(days=1)
    assert ada.open(newer).status_code == 200
    clock.advance(seconds=1)
    assert ada.open(newer).status_code == 410


def test_a_link_that_was_changed(invited: tuple[Person, str]) -> None:
    ada, link = invited
    sent = link.partition("?t=")[2]
    for other in (
        "",
        "x",
        "é",
        "\x00",
        f"{sent}x",
        sent[:-1],
        sent.swapcase(),
        sent.replace(".", "..", 1),
        "W10.AAAA.AAAA",
    ):
        response = ada.browser.get("/sign-in/link", query_string={"t": other}, headers=HTML)
        assert response.status_code == 410, other


@pytest.mark.parametrize(
    ("password", "again"), [("short", "short"), ("x" * 12, "x" * 12), (PASSWORD, "other"), ("y1" * 200,) * 2]
)
def test_a_password_that_is_not_taken_leaves_the_link(invited: tuple[Person, str], password: str, again: str) -> None:
    ada, link = invited
    sent = {"t": link.partition("?t=")[2], "password": password, "again": again}
    assert ada.send("/sign-in/link", sent, at=link).status_code == 422
    assert ada.accept(link).status_code == 303


def test_a_session_gets_a_new_name_at_sign_in(ada: Person) -> None:
    victim = Person(ada.app, "ada")
    victim.open("/sign-in")
    slipped = victim.cookie
    victim.sign_in()
    assert victim.cookie != slipped
    attacker = browser_of(ada.app)
    attacker.set_cookie(COOKIE, slipped)
    assert attacker.get("/console").status_code == 303


@pytest.mark.on_both_databases
def test_signing_in_again_ends_the_earlier_session(ada: Person) -> None:
    earlier = ada.cookie
    ada.sign_in()
    attacker = browser_of(ada.app)
    attacker.set_cookie(COOKIE, earlier)
    assert attacker.get("/console").status_code == 303


@pytest.mark.on_both_databases
def test_a_new_password_signs_out_everywhere(ada: Person) -> None:
    other = Person(ada.app, "ada")
    other.sign_in()
    result = ada.app.test_cli_runner().invoke(args=["user", "link", ada.email])
    ada.accept(result.stdout.strip().partition("consent.example")[2], "another good password")
    assert other.open("/console").status_code == 303
    assert other.sign_in().status_code == 422
    assert other.sign_in("another good password").status_code == 303


def test_sign_out_ends_the_session_itself(ada: Person) -> None:
    kept = ada.cookie
    response = ada.send("/sign-out", {}, at="/console")
    assert (response.status_code, response.location) == (303, "/sign-in")
    assert ada.cookie == ""
    thief = browser_of(ada.app)
    thief.set_cookie(COOKIE, kept)
    assert thief.get("/console").status_code == 303


@pytest.mark.on_both_databases
def test_an_idle_session_ends_after_eight_hours(ada: Person, clock: Clock) -> None:
    for _ in range(3):
        clock.advance(hours=7, minutes=59)
        assert ada.open("/console").status_code == 200
    clock.advance(hours=8, seconds=1)
    assert ada.open("/console").status_code == 303


def test_no_session_lives_for_more_than_a_week(ada: Person, clock: Clock) -> None:
    for _ in range(24):
        clock.advance(hours=7)
        assert ada.open("/console").status_code == 200
    clock.advance(hours=1)
    assert ada.open("/console").status_code == 303


def test_sessions_that_are_over_are_deleted(ada: Person, clock: Clock, services: Context) -> None:
    clock.advance(hours=9)
    ada.sign_in()
    with services.database.reading() as session:
        assert len(session.scalars(select(SessionRow)).all()) == 1


@pytest.mark.parametrize(("base", "secure"), [("http://localhost", True), ("https://localhost", True)])
def test_the_cookie(invited: tuple[Person, str], base: str, secure: bool) -> None:
    ada, link = invited
    page = ada.browser.get(link, base_url=base)
    cookie = page.headers["Set-Cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; (Secure; )?HttpOnly; Path=/; SameSite=Lax", cookie), cookie
    # The public address is https here, whatever a proxy says of the request.
    assert ("Secure" in cookie) is secure
    assert page.headers["Cache-Control"] == "no-store"


def test_the_cookie_on_plain_http(app: Flask) -> None:
    services = context_of(app)
    services.settings = replace(services.settings, public_url="http://127.0.0.1:1")
    assert "Secure" not in browser_of(app).get("/sign-in").headers["Set-Cookie"]


@pytest.mark.parametrize("sent", [None, "", "0" * 64, "é", "another"])
def test_a_form_without_its_token_does_nothing(ada: Person, sent: str | None) -> None:
    others = token_of(Person(ada.app, "olga").open("/sign-in").text)
    for path in ("/sign-in", "/sign-in/link", "/sign-out", "/console/sites/shop/find"):
        given = {} if sent is None else {"form_token": others if sent == "another" else sent}
        data = {**given, "email": ada.email, "password": PASSWORD}
        response = ada.browser.post(path, data=data, headers={"Accept": "application/json"})
        assert (response.status_code, response.content_type) == (403, "application/problem+json"), path
        assert response.get_json()["type"] == "/problems/stale-form"
    assert ada.open("/console").status_code == 200


def test_a_form_without_a_cookie_does_nothing(ada: Person) -> None:
    form = token_of(ada.open("/console").text)
    stranger = browser_of(ada.app)
    assert stranger.post("/sign-in", data={"form_token": form, "email": ada.email}).status_code == 403


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "/console\\@evil.example",
        "javascript:alert(1)", "/consoles", "/console.evil.example", "/console\r\nSet-Cookie: a=b", " /console",
        "/sign-out", "http:/console", "/console/\x00", "///console", "/%2f%2fevil.example",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(ada: Person, then: str) -> None:
    assert ada.sign_in(then=then).location == "/console"


def test_who_is_not_signed_in_comes_back_afterwards(ada: Person) -> None:
    ada.send("/sign-out", {}, at="/console")
    wanted = "/console/sites/shop/records?action=save&from=2026-11-01"
    response = ada.open(wanted)
    assert response.status_code == 303
    page = ada.open(response.location)
    found = re.search(r'name="next" value="([^"]*)"', page.text)
    assert found
    assert ada.sign_in(then=found[1].replace("&amp;", "&")).location == wanted


def test_an_account_takes_few_guesses(ada: Person) -> None:
    guesser = Person(ada.app, "ada")
    statuses = [guesser.sign_in(f"guess number {n}").status_code for n in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert guesser.sign_in().status_code == 429


def test_an_address_takes_some_guesses(ada: Person) -> None:
    guesser = Person(ada.app, "nobody")
    statuses = []
    for n in range(32):
        guesser.email = f"nobody{n}@example.org"
        statuses.append(guesser.sign_in("a guess").status_code)
    assert statuses == [422] * 30 + [429] * 2
    blocked = guesser.sign_in("a guess")
    assert int(blocked.headers["Retry-After"]) > 0


def test_an_unknown_account_costs_the_same_work(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    hasher = credentials._HASHER

    class Counting:
        def verify(self, encoded: str, password: str) -> bool:
            checked.append(encoded)
            return hasher.verify(encoded, password)

    monkeypatch.setattr(credentials, "_HASHER", Counting())
    pages = []
    invited = Person(ada.app, "new")
    invited.invited("--role", "auditor")
    for name in ("ada", "nobody", "new", "\x00", "ada@example.org\x00"):
        someone = Person(ada.app, name)
        page = someone.sign_in("a wrong password")
        assert page.status_code == 422
        pages.append(re.sub(r'value="[^"]*"', "", page.text))
    assert len(checked) == 5
    # The same parameters, so the same time; one real hash, four of nobody.
    assert len({encoded.rsplit("$", 2)[0] for encoded in checked}) == 1
    assert checked.count(credentials.nobodys_hash()) == 4
    assert len(set(pages)) == 1


@pytest.fixture
def shipped_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess costs what it costs as shipped."""
    monkeypatch.setattr(credentials, "_HASHER", SHIPPED_HASHER)


def test_what_the_database_keeps_signs_nobody_in(
    shipped_hasher: None, ada: Person, services: Context, tmp_path: Path
) -> None:
    with services.database.reading() as session:
        user = session.scalars(select(UserRow)).one()
        row = session.scalars(select(SessionRow)).one()
    assert str(user.password_hash).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert row.token_hash == hashlib.sha256(ada.cookie.encode()).digest()
    held = b"".join(path.read_bytes() for path in tmp_path.glob("consent.sqlite3*"))
    assert ada.email.encode() in held
    assert ada.cookie.encode() not in held
    assert PASSWORD.encode() not in held


def test_a_removed_user_is_out_at_once(ada: Person) -> None:
    assert ada.app.test_cli_runner().invoke(args=["user", "remove", ada.email]).exit_code == 0
    assert ada.open("/console").status_code == 303
    assert ada.sign_in().status_code == 422


@pytest.mark.on_both_databases
def test_the_first_operator_is_welcomed_until_they_have_a_password(app: Flask) -> None:
    runner = app.test_cli_runner()
    first, second = (runner.invoke(args=["welcome"], catch_exceptions=False).stdout for _ in range(2))
    links = [re.search(r"https://consent\.example(/sign-in/link\?t=\S+)", said) for said in (first, second)]
    assert links[0]
    assert links[1]
    operator = Person(app, "x")
    assert operator.open(links[0][1]).status_code == 410
    assert operator.accept(links[1][1]).status_code == 303
    assert operator.open("/console/lookups").status_code == 200
    third = runner.invoke(args=["welcome"]).stdout
    assert "https://consent.example/sign-in as operator@localhost" in third
    assert "?t=" not in third


@pytest.mark.parametrize("email", ["", "x", "a@b@c", "a b@c", "a@b\n", "a@" + "b" * 254, "\x00@b", "a@b\x00"])
def test_what_is_no_address(app: Flask, email: str) -> None:
    result = app.test_cli_runner().invoke(args=["user", "create", email, "--role", "auditor"])
    assert (result.exit_code, result.stdout) == ((0, result.stdout) if email == "a@b\n" else (1, ""))


def test_commands_refuse(ada: Person) -> None:
    runner = ada.app.test_cli_runner()
    for arguments, words in (
        (["user", "create", "ADA@example.org", "--role", "auditor"], "There is already a user"),
        (["user", "create", "b@example.org", "--role", "auditor", "--site", "nowhere"], "There is no site"),
        (["user", "link", "nobody@example.org"], "There is no user"),
        (["user", "remove", "nobody@example.org"], "There is no user"),
        (["token", "revoke", "7"], "There is no token 7"),
        (["token", "create", "--role", "auditor", "--name", ""], "the name of a token"),
        (["token", "create", "--role", "auditor", "--site", "nowhere", "--name", "x"], "There is no site"),
    ):
        result = runner.invoke(args=arguments)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert words in result.stderr
    assert runner.invoke(args=["user", "create", "b@example.org", "--role", "king"]).exit_code == 2
    listed = runner.invoke(args=["user", "list"]).stdout
    assert listed == "ada@example.org\tauditor\tshop\tpassword set\n"
    assert find_access.IDLE.total_seconds() == 8 * 3600


@pytest.mark.parametrize(
    "password",
    [
        "123456789012", "passwordpassword", "password1234", "Passw0rd1234", "qwertyuiop[]", "iloveyou12345",
        "111111111111", "abcdefghijkl", "letmeinletmein", "administrator1", "adaadaadaada", "ada@example.org",
        "01/01/1990199", "consentconsole", "y1" * 60, "١٢٣٤٥٦٧٨٩٠١٢١٢١٢"[:4] * 4,
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_no_password(invited: tuple[Person, str], password: str) -> None:
    ada, link = invited
    page = ada.accept(link, password)
    assert page.status_code == 422
    assert "first that anybody would try" in page.text or "12 to 256 characters" in page.text
    assert ada.accept(link).status_code == 303


def test_the_longest_password_is_looked_at_in_no_time(invited: tuple[Person, str]) -> None:
    ada, link = invited
    assert ada.accept(link, "correct horse battery staple " * 8).status_code == 303


@pytest.mark.on_both_databases
def test_a_token_ends_after_a_year_or_when_it_is_said(app: Flask, clock: Clock) -> None:
    runner, client = app.test_cli_runner(), app.test_client(use_cookies=False)

    def made(*options: str) -> dict[str, str]:
        result = runner.invoke(args=["token", "create", "--role", "auditor", "--name", "a program", *options])
        return {"Authorization": f"Bearer {result.stdout.strip()}"}

    def asked(headers: dict[str, str]) -> int:
        return client.get("/v1/sites/shop/decisions", headers=headers).status_code

    usual, short, endless = made(), made("--days", "1"), made("--days", "0")
    assert [asked(one) for one in (usual, short, endless)] == [200] * 3
    clock.advance(days=1)
    assert [asked(one) for one in (usual, short, endless)] == [200, 401, 200]
    assert [line.rpartition("\t")[2] for line in runner.invoke(args=["token", "list"]).stdout.splitlines()] == [
        "valid until 2027-11-23", "ended 2026-11-24", "valid, no end",
    ]  # fmt: skip
    assert "used 2026-11-24" in runner.invoke(args=["token", "list"]).stdout
    clock.advance(days=363, hours=23)
    assert asked(usual) == 200
    clock.advance(hours=1)
    assert [asked(one) for one in (usual, endless)] == [401, 200]
    assert runner.invoke(args=["token", "create", "--role", "auditor", "--name", "x", "--days", "-1"]).exit_code == 2
