# SPDX-License-Identifier: Apache-2.0
"""Before a back end sends an event (Conversions API, Measurement Protocol): has this visitor agreed?

    python check_state.py SERVER SITE VENDOR PURPOSE…

reads one Cookie header a line and answers each with true or false. See docs/formats/cookie.md, section 4.
"""

import base64
import json
import re
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

LONGEST_TOKEN = 512
LONGEST_CHOICE = 395 * 86400  # no site file may ask for more
CLOCK_SKEW = 60
# How long keys are kept, and how soon they may be asked for again when a token names one that is not among them.
KEEP, ASK_AGAIN = 86400, 300


class StateCheck:
    """The choices of one site's visitors, checked offline. In doubt the answer is no."""

    def __init__(self, server: str, site: str) -> None:
        self._address = server.rstrip("/") + "/.well-known/jwks.json"
        self._site = site
        self._lock = threading.Lock()
        self._keys: dict[str, tuple[KeySet, float]] = {}
        self._fetched_at = self._asked_at = float("-inf")

    def allows(self, cookies: str | None, vendor: str, purposes: Sequence[str]) -> bool:
        """Whether the Cookie header of a request lets an event for these purposes go to this vendor."""
        try:
            claims = self._claims(_token(cookies or ""))
            granted = any(claims["grants"].get(purpose) is True for purpose in purposes)
            # A vendor that the visitor answered for itself goes by that answer, any other by its purposes.
            return claims.get("vendors", {}).get(vendor, granted) is True
        except (JoseError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False

    def _claims(self, token: str) -> dict[str, Any]:
        header = json.loads(_decode(token.split(".")[0]))
        # The algorithm is named here and never taken from the token: the token must not choose how it is checked.
        if header != {"alg": "EdDSA", "typ": "consent-state+jwt", "kid": header["kid"]}:
            raise ValueError("no state token")
        keys, retired_at = self._key(header["kid"])
        claims: dict[str, Any] = json.loads(jws.deserialize_compact(token, keys, algorithms=["EdDSA"]).payload)
        made, ends, now = claims["iat"], claims["exp"], time.time()
        if claims["site"] != self._site or type(made) is not int or type(ends) is not int:
            raise ValueError("another site's, or not dated")
        if made > min(now, retired_at) + CLOCK_SKEW or ends <= now or ends - made > LONGEST_CHOICE:
            raise ValueError("not in force")
        return claims

    def _key(self, kid: str) -> tuple[KeySet, float]:
        # Who comes while keys are fetched waits for them.
        with self._lock:
            now = time.monotonic()
            if now - self._fetched_at > KEEP:
                self._keys = {}
            if kid not in self._keys and now - self._asked_at > ASK_AGAIN:
                self._asked_at = now
                self._keys = _fetch_keys(self._address)
                self._fetched_at = now
            return self._keys[kid]


def _fetch_keys(address: str) -> dict[str, tuple[KeySet, float]]:
    """Each with the time since when it signs no more. Of a revoked key nothing holds."""
    with urllib.request.urlopen(address, timeout=5) as answer:
        listed = json.loads(answer.read(1 << 20))["keys"]
    good = [key for key in listed if (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "EdDSA")]
    return {
        key["kid"]: (KeySet.import_key_set({"keys": [key]}), key.get("exp", float("inf")))
        for key in good
        if "revoked" not in key
    }


def _token(cookies: str) -> str:
    # Once, and with one state in it: of two, nobody can tell which is the visitor's.
    (cookie,) = re.findall(r"(?:^|;)[ \t]*eu-consent=([^;]*)", cookies)
    (token,) = re.findall(r"(?:^|&)s=([^&]*)", cookie)
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise ValueError("no token")
    for part in token.split("."):
        _decode(part)
    return str(token)


def _decode(part: str) -> bytes:
    # The last character may hold bits that decoders pass over: one token has one spelling.
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise ValueError("not canonical base64url")
    return data


if __name__ == "__main__":
    server, site, vendor, *purposes = sys.argv[1:]
    check = StateCheck(server, site)
    for line in sys.stdin:
        print("true" if check.allows(line.strip(), vendor, purposes) else "false")
