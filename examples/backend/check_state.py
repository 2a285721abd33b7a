"""Before a back end sends an event (Conversions API, Measurement Protocol): has this visitor agreed?

Offline: the published keys are fetched once (GET /.well-known/jwks.json) and kept. See docs/formats/cookie.md.
"""

import time
from collections.abc import Sequence
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet


def may_send(cookie: str | None, keys: KeySet, site: str, vendor: str, purposes: Sequence[str]) -> bool:
    """Whether the value of the visitor's `eu-consent` cookie lets an event go to this vendor. In doubt: no."""
    try:
        # The algorithm is named here and never taken from the token: the token must not choose how it is checked.
        token = jwt.decode(parse_qs(cookie or "")["s"][0], keys, algorithms=["EdDSA"])
    except (JoseError, KeyError, ValueError):
        return False
    claims = token.claims
    if token.header.get("typ") != "consent-state+jwt" or claims.get("site") != site or claims["exp"] <= time.time():
        return False
    granted = any(claims["grants"].get(purpose) is True for purpose in purposes)
    # A vendor that the visitor answered for itself goes by that answer, any other by its purposes.
    return claims.get("vendors", {}).get(vendor, granted) is True
