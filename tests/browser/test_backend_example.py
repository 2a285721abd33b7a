"""The example of a back end that checks the signed state before it sends an event, run as it stands."""

import base64
import importlib.util
import json
import time
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jws
from joserfc.jwk import KeySet, OctKey, OKPKey

from .servers import ROOT, ConsentServer
from .shop import Shop

META = ("shop", "meta-pixel", ["advertising"])
CLAIMS = {"site": "shop", "notice": "0" * 64, "grants": {"analytics": False, "advertising": True}, "iat": 0}
KEY = OKPKey.generate_key("Ed25519", {"alg": "EdDSA", "use": "sig"})


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example's own code."""
    spec = importlib.util.spec_from_file_location("check_state", ROOT / "examples" / "backend" / "check_state.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def published(server: ConsentServer) -> KeySet:
    """The keys as the server publishes them."""
    status, body = server.get("/.well-known/jwks.json")
    assert status == 200
    return KeySet.import_key_set(json.loads(body))


def cookie_of(shop: Shop) -> str:
    """The cookie as it reaches a back end."""
    return str(next((one["value"] for one in shop.context.cookies() if one["name"] == "eu-consent"), ""))


def signed(header: dict[str, Any], key: Any = KEY, **claims: Any) -> str:
    """The value of a cookie with a token of our own."""
    header = {"alg": "EdDSA", "typ": "consent-state+jwt", "kid": KEY.kid, **header}
    payload = json.dumps({**CLAIMS, "exp": int(time.time()) + 60, **claims}).encode()
    token = jws.serialize_compact(header, payload, key, algorithms=[header["alg"]])
    return urlencode({"v": "1", "s": token})


KEYS = KeySet([OKPKey.import_key({**KEY.as_dict(private=False), "kid": KEY.thumbprint()})])


def test_a_granted_purpose_may_send(example: ModuleType, shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    keys = published(shop.server)
    assert example.may_send(cookie_of(shop), keys, *META) is True
    assert example.may_send(cookie_of(shop), keys, "shop", "google-analytics", ["analytics"]) is True


def test_a_denied_purpose_may_not(example: ModuleType, shop: Shop) -> None:
    shop.open()
    shop.choose(analytics=True)
    assert example.may_send(cookie_of(shop), published(shop.server), *META) is False


def test_a_refuser_s_cookie_may_not(example: ModuleType, shop: Shop) -> None:
    shop.open()
    shop.refuse_all()
    assert example.may_send(cookie_of(shop), published(shop.server), *META) is False


def test_a_vendor_that_was_switched_off_may_not(example: ModuleType, shop: Shop) -> None:
    shop.open()
    shop.choose(analytics=True, advertising=True, meta_pixel=False)
    keys = published(shop.server)
    assert example.may_send(cookie_of(shop), keys, *META) is False
    assert example.may_send(cookie_of(shop), keys, "shop", "google-ads", ["advertising"]) is True


def test_our_own_token_is_good_before_it_is_spoilt(example: ModuleType) -> None:
    assert example.may_send(signed({"kid": KEY.thumbprint()}), KEYS, *META) is True


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({}, {"exp": int(time.time()) - 1}),
        ({"typ": "consent-receipt+jwt"}, {}),
        ({}, {"site": "rival"}),
        ({}, {"grants": {"advertising": False}}),
        ({}, {"grants": {"advertising": "yes"}}),
        ({}, {"vendors": {"meta-pixel": False}}),
    ],
    ids=["expired", "receipt", "other site", "denied", "not a boolean", "vendor denied"],
)
def test_a_signed_token_that_does_not_allow_it(
    example: ModuleType, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert example.may_send(signed({"kid": KEY.thumbprint(), **header}, **claims), KEYS, *META) is False


def unsigned(algorithm: str) -> str:
    """A token that claims to need no signature."""

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    header = {"alg": algorithm, "typ": "consent-state+jwt", "kid": KEY.thumbprint()}
    return urlencode({"s": f"{part(header)}.{part({**CLAIMS, 'exp': int(time.time()) + 60})}."})


def keyed_by_the_public_key() -> str:
    """HS256 with the published key as the shared secret."""
    public = KEY.as_dict(private=False)["x"]
    secret = OctKey.import_key(base64.urlsafe_b64decode(str(public) + "="))
    return signed({"alg": "HS256", "kid": KEY.thumbprint()}, secret)


def by_another_key() -> str:
    """Signed well, by nobody we know, under our key's name."""
    return signed({"kid": KEY.thumbprint()}, OKPKey.generate_key("Ed25519"))


@pytest.mark.parametrize(
    "cookie",
    [
        unsigned("none"),
        unsigned("EdDSA"),
        keyed_by_the_public_key(),
        by_another_key(),
        "",
        None,
        "s=",
        "s=a.b.c",
        "v=1",
    ],
    ids=["alg none", "no signature", "HS256", "another key", "empty", "no cookie", "no token", "rubbish", "no state"],
)
def test_a_forged_token_may_not(example: ModuleType, cookie: str | None) -> None:
    assert example.may_send(cookie, KEYS, *META) is False
