"""Ask an OpenID provider who somebody is: authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636).

Authlib has the protocol, joserfc the signatures; requests go the way of all others of this server, bounded and never
redirected.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from consent_server.core.channels import LOCAL
from consent_server.core.errors import ProviderRefused
from consent_server.core.openid import OpenIdProvider
from consent_server.core.outgoing import Answer, Unanswered, get, post

# What signs with a key that the provider alone has. Never taken from the token: "none" and HS256 are not among them.
ALGORITHMS = ["RS256", "PS256", "ES256", "RS512", "ES384", "Ed25519", "EdDSA"]
LONGEST = 256 * 1024
# Seconds that clocks may differ.
LEEWAY = 60


@dataclass(frozen=True, slots=True)
class Secrets:
    """What binds one way to the provider and back to one browser."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider says somebody is: its name for them for good, and their address if it checked that."""

    subject: str
    email: str | None


def way_there(provider: OpenIdProvider, redirect_uri: str, secrets: Secrets) -> str:
    """The provider's address to which the browser is sent. Raises ProviderRefused."""
    return str(
        prepare_grant_uri(
            _read(provider)["authorization_endpoint"], provider.client_id, "code", redirect_uri,
            scope="openid email", state=secrets.state, nonce=secrets.nonce,
            code_challenge=create_s256_code_challenge(secrets.verifier), code_challenge_method="S256",
        )
    )  # fmt: skip


def redeem(provider: OpenIdProvider, redirect_uri: str, code: str, secrets: Secrets, now: datetime) -> Identity:
    """Who came back with this code. Raises ProviderRefused for whatever does not hold."""
    metadata = _read(provider)
    body = prepare_token_request(
        "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=secrets.verifier
    )
    answer = _ask(metadata["token_endpoint"], body.encode(), _credentials(provider))
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise ProviderRefused("The provider sent no id token.")
    claims = _checked(provider, token, _ask(metadata["jwks_uri"]), secrets, answer.get("access_token"), now)
    # "true" as text, and 1, are not what the standard says.
    email = claims.get("email") if claims.get("email_verified") is True else None
    return Identity(str(claims["sub"]), email if isinstance(email, str) else None)


def _checked(
    provider: OpenIdProvider, token: str, keys: dict[str, Any], secrets: Secrets, access_token: Any, now: datetime
) -> dict[str, Any]:
    try:
        signed = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        expected = {"iss": provider.issuer, "aud": provider.client_id, "nonce": secrets.nonce}
        options = {name: {"essential": True, "value": value} for name, value in expected.items()}
        params = {"client_id": provider.client_id, "nonce": secrets.nonce, "access_token": access_token}
        claims = CodeIDToken(signed.claims, signed.header, options, params)
        claims.validate(int(now.timestamp()), LEEWAY)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderRefused(f"The provider's id token does not hold: {error}") from error
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise ProviderRefused("The provider's id token names nobody.")
    return dict(claims)


def _read(provider: OpenIdProvider) -> dict[str, Any]:
    metadata = _ask(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    # OpenID Connect Discovery 1.0, section 4.3: else another could speak in its place.
    if metadata.get("issuer") != provider.issuer:
        raise ProviderRefused("The provider calls itself by another name than CONSENT_OIDC_ISSUER.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        parts = urlsplit(str(metadata.get(name, "")))
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise ProviderRefused(f"The provider's {name} is no https:// address.")
    return metadata


def _credentials(provider: OpenIdProvider) -> dict[str, str]:
    # RFC 6749, section 2.3.1: both parts encoded as in a form.
    pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}", "Accept": "application/json"}


def _ask(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    try:
        answer: Answer = (
            get(url, LONGEST) if body is None
            else post(url, body, "application/x-www-form-urlencoded", LONGEST, headers)
        )  # fmt: skip
        document = json.loads(answer.body)
    except (Unanswered, ValueError) as error:
        raise ProviderRefused(f"The provider did not answer as it should: {error}") from error
    if answer.status != 200 or not isinstance(document, dict):
        raise ProviderRefused(f"The provider answered {answer.status}.")
    return document
