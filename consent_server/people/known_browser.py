"""Browsers in which somebody signed in before: guesses elsewhere keep them out of nothing (OWASP, Device Cookies)."""

from hmac import compare_digest

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access.credentials import new_token
from consent_server.access.guard import is_secure
from consent_server.core.context import context
from consent_server.core.rules_email import email_or_as_given

COOKIE = "consent-browser"
KEPT_SECONDS = 365 * 86_400


def known_browser(email: str) -> str:
    """The random name of a browser in which this account was signed in; "" of any other."""
    name, _, proof = request.cookies.get(COOKIE, "").partition(".")
    known = name and compare_digest(proof.encode("utf-8", "replace"), _proof(name, email).encode())
    return name if known else ""


def remember_browser(response: AnyResponse, email: str) -> AnyResponse:
    """Give the browser a name that is worth something at sign-in, for this account, and nothing anywhere else."""
    name = known_browser(email) or new_token()
    response.set_cookie(
        COOKIE, f"{name}.{_proof(name, email)}", max_age=KEPT_SECONDS, path=f"{request.script_root}/sign-in",
        secure=is_secure(), httponly=True, samesite="Strict",
    )  # fmt: skip
    return response


def _proof(name: str, email: str) -> str:
    return context().signer("known-browser").digest(f"{name} {email_or_as_given(email)}").decode()
