"""Sign in with an OpenID provider: only who was invited, only by what the provider itself signed for this browser."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from consent_server.core.context import Context
from consent_server.core.errors import InvalidSettings
from consent_server.core.openid import OpenIdProvider
from consent_server.core.settings import Settings
from consent_server.people.invite import find_user
from consent_server.people.log_sign_ins import read_sign_ins
from consent_server.people.web_provider import COOKIE
from tests.support.factories import Clock
from tests.support.openid_provider import CLIENT, SECRET, Claims, Provider
from tests.support.people import HTML, Person

THERE = "/sign-in/provider"


@pytest.fixture
def provider(app: Flask, services: Context, clock: Clock) -> Iterator[Provider]:
    """The provider that this server's settings name."""
    with Provider(clock) as found:
        services.settings = replace(services.settings, provider=OpenIdProvider(found.issuer, CLIENT, SECRET))
        yield found


@pytest.fixture
def invited(app: Flask) -> Person:
    """Ada, who has not set a password."""
    person = Person(app, "ada")
    person.invited("--role", "auditor", "--site", "shop")
    return person


def come(person: Person, provider: Provider, then: str = "/console") -> TestResponse:
    """To the provider and back."""
    sent = person.browser.get(THERE, query_string={"next": then}, headers=HTML)
    assert sent.status_code == 303
    return person.open(provider.visited(sent.location))


@pytest.mark.on_both_databases
def test_who_was_invited_comes_in(provider: Provider, invited: Person, services: Context) -> None:
    assert f'href="{THERE}?next=' in invited.open("/sign-in").text
    answer = come(invited, provider, "/console/sites/shop/records")
    assert (answer.status_code, answer.location) == (303, "/console/sites/shop/records")
    assert invited.open("/console/sites/shop/records").status_code == 200
    (found, *_) = read_sign_ins(services.database, find_user(services.database, invited.email))
    assert (found.how, found.succeeded) == ("provider", True)


def test_who_was_not_invited_does_not(provider: Provider, app: Flask, invited: Person) -> None:
    provider.email = "somebody@example.org"
    answer = come(Person(app, "somebody"), provider)
    assert answer.status_code == 403
    assert "invited" in answer.text


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_an_address_that_the_provider_did_not_check_is_nobodys(
    provider: Provider, invited: Person, verified: Any
) -> None:
    provider.verified = verified
    assert come(invited, provider).status_code == 403


@pytest.mark.on_both_databases
def test_afterwards_they_are_known_by_their_subject(provider: Provider, invited: Person) -> None:
    assert come(invited, provider).status_code == 303
    # The address is another one now, and somebody else got the old one.
    provider.email, provider.verified = "ada@new.example", False
    assert come(invited, provider).status_code == 303
    provider.subject, provider.email, provider.verified = "another", "ada@example.org", True
    assert come(Person(invited.app, "thief"), provider).status_code == 403


def without(name: str) -> Callable[[Claims], object]:
    return lambda claims: claims.pop(name)


def with_(**changes: Any) -> Callable[[Claims], object]:
    return lambda claims: claims.update(changes)


@pytest.mark.parametrize(
    "change",
    [with_(iss="https://evil.example"), with_(aud="another client"), with_(aud=["another", "client"]),
     with_(aud=[CLIENT, "another"]), with_(aud=[CLIENT, "another"], azp="another"), with_(exp=1), with_(exp="soon"),
     with_(nonce="another"), with_(iat=4_000_000_000), with_(nbf=4_000_000_000), with_(sub=""), with_(sub=7),
     *map(without, ("iss", "aud", "exp", "nonce", "sub", "iat"))],
)  # fmt: skip
def test_a_claim_that_does_not_hold(provider: Provider, invited: Person, change: Callable[[Claims], object]) -> None:
    provider.change = change
    assert come(invited, provider).status_code == 502
    assert invited.open("/console").status_code == 303


def part(value: Any) -> str:
    return urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: Claims, key: RSAKey) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def hs256(secret: Callable[[RSAKey], bytes]) -> Callable[[Claims, RSAKey], str]:
    def make(claims: Claims, key: RSAKey) -> str:
        said = f"{part({'alg': 'HS256', 'kid': key.kid})}.{part(claims)}"
        return f"{said}.{part(hmac.digest(secret(key), said.encode(), 'sha256'))}"

    return make


def by_another(claims: Claims, key: RSAKey) -> str:
    other = RSAKey.generate_key(2048)
    return str(jwt.encode({"alg": "RS256", "kid": key.kid}, claims, other))


def with_its_own_key(claims: Claims, key: RSAKey) -> str:
    other = RSAKey.generate_key(2048, auto_kid=True)
    header = {"alg": "RS256", "kid": other.kid, "jwk": other.as_dict(private=False)}
    return str(jwt.encode(header, claims, other))


def altered(claims: Claims, key: RSAKey) -> str:
    head, _, signature = str(jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)).split(".")
    return f"{head}.{part(claims | {'email': 'olga@example.org'})}.{signature}"


@pytest.mark.parametrize(
    "make",
    [unsigned, hs256(lambda key: SECRET.encode()), hs256(lambda key: key.as_pem(private=False)), by_another,
     with_its_own_key, altered, lambda claims, key: "x.y.z", lambda claims, key: ""],
)  # fmt: skip
def test_a_token_that_the_provider_did_not_sign(
    provider: Provider, invited: Person, make: Callable[[Claims, RSAKey], str]
) -> None:
    provider.make = make
    assert come(invited, provider).status_code == 502
    assert invited.open("/console").status_code == 303


def test_an_answer_is_for_the_browser_that_asked_and_works_once(
    provider: Provider, invited: Person, app: Flask
) -> None:
    sent = invited.browser.get(THERE, headers=HTML)
    back = provider.visited(sent.location)
    # Somebody who gets the address, with a cookie of their own or with none, is not signed in by it.
    victim, other = Person(app, "victim"), Person(app, "other")
    other.browser.get(THERE, headers=HTML)
    assert [victim.open(back).status_code, other.open(back).status_code] == [502, 502]
    kept = invited.browser.get_cookie(COOKIE, path=THERE)
    assert kept
    assert (kept.http_only, kept.secure, kept.same_site) == (True, True, "Lax")
    assert invited.open(back).status_code == 303
    assert invited.open(back).status_code == 502
    # With the cookie as well: the provider takes no code twice.
    invited.browser.set_cookie(COOKIE, kept.value, path=THERE)
    assert invited.open(back).status_code == 502


def test_an_answer_that_was_changed_or_comes_late(provider: Provider, invited: Person, clock: Clock) -> None:
    for was, becomes in (
        ("state=", "state=x"), ("state=", "stat="), ("code=", "cod="), ("code=", "code=x"), ("iss=", "iss=x"),
    ):  # fmt: skip
        back = provider.visited(invited.browser.get(THERE, headers=HTML).location)
        assert invited.open(back.replace(was, becomes)).status_code == 502
    back = provider.visited(invited.browser.get(THERE, headers=HTML).location)
    clock.advance(seconds=601)
    assert invited.open(back).status_code == 502


def test_a_session_gets_a_new_name_and_nobody_is_sent_elsewhere(provider: Provider, invited: Person) -> None:
    invited.open("/sign-in")
    slipped = invited.cookie
    assert come(invited, provider, "//evil.example").location == "/console"
    assert invited.cookie not in ("", slipped)


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"authorization_endpoint": "http://evil.example/"},
     {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": None}, {"jwks_uri": "file:///etc/passwd"}],
)  # fmt: skip
def test_a_provider_that_is_not_what_the_settings_say(
    provider: Provider, invited: Person, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    assert invited.browser.get(THERE, headers=HTML).status_code == 502


def test_a_provider_that_is_away(services: Context, invited: Person) -> None:
    services.settings = replace(services.settings, provider=OpenIdProvider("http://127.0.0.1:9", CLIENT, SECRET))
    answer = invited.browser.get(THERE, headers=HTML)
    assert answer.status_code == 502
    assert SECRET not in answer.text


def test_without_a_provider_there_is_no_such_page(invited: Person) -> None:
    assert invited.open(THERE).status_code == 404
    assert THERE not in invited.open("/sign-in").text


def test_settings_of_a_provider_are_whole_or_refused(tmp_path: object) -> None:
    environ = {"CONSENT_INSTANCE": str(tmp_path), "CONSENT_OIDC_ISSUER": "http://login.example"}
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env(environ)
    assert {fault.pointer for fault in refused.value.faults} == {
        "CONSENT_OIDC_ISSUER", "CONSENT_OIDC_CLIENT_ID", "CONSENT_OIDC_CLIENT_SECRET",
    }  # fmt: skip
    whole = environ | {"CONSENT_OIDC_ISSUER": "https://login.example/realm", "CONSENT_OIDC_CLIENT_ID": "a",
                       "CONSENT_OIDC_CLIENT_SECRET": "b"}  # fmt: skip
    provider = Settings.from_env(whole).provider
    assert provider == OpenIdProvider("https://login.example/realm", "a", "b")
    assert "'b'" not in repr(provider)


def test_who_comes_again_and_again_does_not_have_the_provider_asked(provider: Provider, invited: Person) -> None:
    statuses = [invited.browser.get(THERE, headers=HTML).status_code for _ in range(62)]
    assert statuses == [303] * 60 + [429] * 2
