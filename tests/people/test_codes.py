"""Codes beside the password: set up, asked for, each taken once, and never gone round."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from consent_server.access.guard import COOKIE
from consent_server.core.context import Context
from consent_server.people.encryption import SecretBox
from consent_server.people.rules_totp import base32, code_at, in_groups, key_uri, spelt, step_of
from tests.support.factories import Clock
from tests.support.people import PASSWORD, Person, browser_of

SECRETS = st.binary(min_size=20, max_size=20)


class WithCodes:
    """Somebody with an app for codes."""

    def __init__(self, person: Person, clock: Clock) -> None:
        self.person, self.clock = person, clock
        person.send("/console/account/codes", {"act": "begin", "current": PASSWORD}, at="/console/account")
        page = person.open("/sign-in/codes").text
        self.secret = _secret_of(page)
        kept = person.send("/sign-in/codes", {"code": self.code}, at="/sign-in/codes")
        self.recovery = re.findall(r"<li><code>([A-Z2-7 ]{19})</code>", kept.text)

    @property
    def code(self) -> str:
        return code_at(self.secret, int(self.clock().timestamp()) // 30)

    def at_another_browser(self) -> Person:
        """Past the password."""
        other = Person(self.person.app, self.person.email.partition("@")[0])
        assert other.sign_in().location.startswith("/sign-in/code?")
        return other


def _secret_of(page: str) -> bytes:
    import base64

    found = re.search(r'<code class="secret">([A-Z2-7 ]+)<', page)
    assert found, page
    return base64.b32decode(found[1].replace(" ", ""))


def give(person: Person, code: str) -> int:
    return person.send("/sign-in/code", {"code": code, "next": "/console"}).status_code


@pytest.fixture
def olga_with_codes(olga: Person, clock: Clock) -> WithCodes:
    """The operator, with codes, half a minute after she set them up."""
    made = WithCodes(olga, clock)
    clock.advance(seconds=30)
    return made


# RFC 6238, appendix B: its first eight digits for SHA-1, of which these are the last six.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
     (2000000000, "279037"), (20000000000, "353130")],
)  # fmt: skip
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    assert code_at(b"12345678901234567890", seconds // 30) == code


@given(SECRETS, st.integers(-3, 3), st.integers(-3, 3))
def test_a_code_holds_about_its_time_and_after_the_last_one(secret: bytes, off: int, last: int) -> None:
    now = Clock()()
    present = int(now.timestamp()) // 30
    found = step_of(secret, code_at(secret, present + off), now, present + last)
    if found is not None:
        assert last < found - present <= 1
        assert abs(found - present) <= 1
    else:
        assert abs(off) > 1 or off <= last


@given(SECRETS, st.integers(1, 9), st.integers(1, 9))
def test_a_secret_opens_in_its_own_row_with_its_own_key(secret: bytes, user: int, other: int) -> None:
    box = SecretBox("a secret of at least thirty-two characters")
    kept = box.encrypt(secret, user, lambda n: bytes(range(n)))
    assert secret not in kept
    assert box.decrypt(kept, user) == secret
    assert (box.decrypt(kept, other) is None) == (user != other)
    assert SecretBox("another secret of thirty-two characters").decrypt(kept, user) is None
    assert box.decrypt(kept[:-1] + bytes([kept[-1] ^ 1]), user) is None


def test_the_address_for_an_app_says_whose_and_where() -> None:
    secret = bytes(20)
    assert key_uri(secret, "consent.example", "a+b@x.example") == (
        f"otpauth://totp/consent.example:a%2Bb%40x.example?secret={base32(secret)}&issuer=consent.example"
    )
    assert spelt(in_groups("ABCDEFGH")) == "ABCDEFGH" == spelt("abcd-efgh")


@pytest.mark.on_both_databases
def test_after_the_password_a_code_is_asked_for(olga_with_codes: WithCodes) -> None:
    assert len(set(olga_with_codes.recovery)) == 10
    other = olga_with_codes.at_another_browser()
    # The password alone opens nothing: no page, no form, no interface.
    assert other.open("/console").status_code == 303
    assert other.open("/console/people").status_code == 303
    assert other.browser.get("/v1/sites/shop/rates").status_code == 401
    assert other.open("/sign-in/codes").status_code == 303
    half = other.cookie
    assert give(other, olga_with_codes.code) == 303
    assert other.open("/console/people").status_code == 200
    # The name of before the code is worth nothing.
    assert other.cookie != half
    thief = browser_of(other.app)
    thief.set_cookie(COOKIE, half)
    assert thief.get("/console").status_code == 303


@pytest.mark.on_both_databases
def test_no_code_is_taken_twice(olga_with_codes: WithCodes, clock: Clock) -> None:
    first, second = olga_with_codes.at_another_browser(), olga_with_codes.at_another_browser()
    code = olga_with_codes.code
    assert give(first, code) == 303
    assert give(second, code) == 422
    clock.advance(seconds=30)
    # Nor the one before, which would still be in time.
    assert give(second, code) == 422
    assert give(second, olga_with_codes.code) == 303


@pytest.mark.on_both_databases
def test_a_recovery_code_works_once(olga_with_codes: WithCodes) -> None:
    first, second = olga_with_codes.at_another_browser(), olga_with_codes.at_another_browser()
    assert give(first, olga_with_codes.recovery[3].lower().replace(" ", "-")) == 303
    assert give(second, olga_with_codes.recovery[3]) == 422
    assert "9 recovery codes left" in first.open("/console/account").text
    assert give(second, olga_with_codes.recovery[4]) == 303


def test_codes_take_few_guesses(olga_with_codes: WithCodes) -> None:
    other = olga_with_codes.at_another_browser()
    # One was spent on setting them up.
    assert [give(other, f"{n:06}") for n in range(12)] == [422] * 9 + [429] * 3
    assert give(olga_with_codes.at_another_browser(), olga_with_codes.code) == 429


def test_between_password_and_code_there_is_a_quarter_of_an_hour(olga_with_codes: WithCodes, clock: Clock) -> None:
    other = olga_with_codes.at_another_browser()
    clock.advance(minutes=15)
    assert other.open("/sign-in/code").status_code == 200
    clock.advance(seconds=1)
    assert other.open("/sign-in/code").status_code == 303


def test_a_link_for_a_new_password_goes_round_no_code(olga_with_codes: WithCodes) -> None:
    olga = olga_with_codes.person
    made = olga.app.test_cli_runner().invoke(args=["user", "link", olga.email]).stdout.strip()
    other = Person(olga.app, "olga")
    assert other.accept(made.partition("consent.example")[2]).location.startswith("/sign-in/code?")
    assert other.open("/console").status_code == 303


@pytest.mark.parametrize("act", ["begin", "stop", "renew"])
def test_codes_are_changed_by_who_knows_the_password(olga_with_codes: WithCodes, act: str) -> None:
    olga = olga_with_codes.person
    answer = olga.send("/console/account/codes", {"act": act, "current": "a wrong password"}, at="/console/account")
    assert answer.status_code == 422
    assert give(olga_with_codes.at_another_browser(), olga_with_codes.recovery[0]) == 303


def test_codes_are_turned_off_and_renewed(olga_with_codes: WithCodes) -> None:
    olga = olga_with_codes.person
    answer = olga.send("/console/account/codes", {"act": "renew", "current": PASSWORD}, at="/console/account")
    renewed = re.findall(r"<li><code>([A-Z2-7 ]{19})</code>", answer.text)
    assert set(renewed).isdisjoint(olga_with_codes.recovery)
    assert give(olga_with_codes.at_another_browser(), olga_with_codes.recovery[0]) == 422
    assert give(olga_with_codes.at_another_browser(), renewed[0]) == 303
    olga.send("/console/account/codes", {"act": "stop", "current": PASSWORD}, at="/console/account")
    assert Person(olga.app, "olga").sign_in().location == "/console"


def test_an_operator_takes_the_codes_off_who_lost_them(olga: Person, ada: Person, clock: Clock) -> None:
    ada_with_codes = WithCodes(ada, clock)
    ada_with_codes.at_another_browser()
    assert olga.app.test_cli_runner().invoke(args=["user", "codes-off", ada.email]).exit_code == 0
    assert Person(ada.app, "ada").sign_in().location == "/console"


@pytest.fixture
def required(app: Flask, services: Context) -> None:
    """Everybody needs codes."""
    services.settings = replace(services.settings, codes_required=True)


@pytest.mark.on_both_databases
def test_where_everybody_needs_codes_nobody_comes_in_without(required: None, app: Flask, clock: Clock) -> None:
    ada = Person(app, "ada")
    first = ada.accept(ada.invited("--role", "auditor"))
    assert first.location.startswith("/sign-in/codes?")
    assert ada.open("/console").status_code == 303
    assert ada.browser.get("/v1/sites/shop/decisions").status_code == 401
    assert ada.open("/sign-in/code").status_code == 303
    secret = _secret_of(ada.open("/sign-in/codes").text)
    assert ada.send("/sign-in/codes", {"code": "000000"}).status_code == 422
    kept = ada.send("/sign-in/codes", {"code": code_at(secret, int(clock().timestamp()) // 30)})
    assert "Recovery codes" in kept.text
    assert ada.open("/console").status_code == 200
    # The secret is never shown again, and cannot be turned off here.
    assert ada.open("/sign-in/codes").status_code == 303
    ada.send("/console/account/codes", {"act": "stop", "current": PASSWORD}, at="/console/account")
    assert Person(app, "ada").sign_in().location.startswith("/sign-in/code?")


def test_what_the_database_keeps_makes_no_code(olga_with_codes: WithCodes, services: Context) -> None:
    with services.database.reading() as session:
        rows = session.execute(text("SELECT * FROM second_factors")).all()
        kept = repr(rows) + repr(session.execute(text("SELECT * FROM recovery_codes")).all())
    assert rows[0].secret[12:] != olga_with_codes.secret
    assert olga_with_codes.secret not in rows[0].secret
    for code in olga_with_codes.recovery:
        assert spelt(code) not in kept


def test_where_the_settings_ask_for_something_else_than_yes_or_no(tmp_path: object) -> None:
    from consent_server.core.errors import InvalidSettings
    from consent_server.core.settings import Settings

    with pytest.raises(InvalidSettings, match="CONSENT_REQUIRE_CODES: must be yes or no"):
        Settings.from_env({"CONSENT_INSTANCE": str(tmp_path), "CONSENT_REQUIRE_CODES": "true"})
