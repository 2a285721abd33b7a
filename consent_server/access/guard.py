"""Who is asking: by session or bearer token, and with which form."""

import re
from hmac import compare_digest

from flask import Blueprint, Response, g, request

from consent_server.access import sign_in as signing_in
from consent_server.access.create_token import access_of_token
from consent_server.access.credentials import new_token
from consent_server.access.rules import Access
from consent_server.core.context import context
from consent_server.core.errors import StaleForm, Unauthenticated
from consent_server.http.answers import Cache, with_headers

COOKIE = "consent-session"


_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


def caller() -> Access:
    """Who asks, by token or session. Raises Unauthenticated."""
    access = known_caller()
    if access is None:
        raise Unauthenticated("Send a token as `Authorization: Bearer …`, or sign in at /sign-in.")
    return access


def known_caller() -> Access | None:
    if "access" not in g:
        g.access = _find_caller()
    found: Access | None = g.access
    return found


def _find_caller() -> Access | None:
    ctx, given = context(), request.authorization
    if given is not None and given.type == "bearer":
        access = access_of_token(ctx.database, given.token or "", ctx.now())
        if access is None:
            raise Unauthenticated("This token is unknown or has been revoked.")
        return access
    token = session_cookie()
    return signing_in.access_of_session(ctx.database, token, ctx.now()) if token else None


def guard(pages: Blueprint) -> None:
    """What every blueprint of pages for people has: form tokens, a cookie to bind them to, nothing in caches."""
    pages.before_request(_check_form)
    pages.after_request(_finish)


def form_token() -> str:
    """What a form must send back: bound to the browser's cookie, so that no other site's page can know it."""
    return context().signer("form-token").digest(_browser_token()).decode()


def _check_form() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    sent = request.form.get("form_token", "")
    if not session_cookie() or not compare_digest(sent.encode("utf-8", "replace"), form_token().encode()):
        raise StaleForm("Open the page again and send the form from there.")


def session_cookie() -> str:
    value = request.cookies.get(COOKIE, "")
    return value if _COOKIE_VALUE.fullmatch(value) else ""


def _browser_token() -> str:
    if "browser_token" not in g:
        g.browser_token = session_cookie() or new_token()
    token: str = g.browser_token
    return token


def _finish(response: Response) -> Response:
    with_headers(response, Cache.NO_STORE)
    token = g.get("browser_token")
    path = f"{request.script_root}/"
    if token == "":
        response.delete_cookie(COOKIE, path=path, httponly=True, samesite="Lax")
    elif token is not None and token != session_cookie():
        secure = request.is_secure or context().settings.public_url.startswith("https:")
        # No lifetime: the browser forgets it when it closes, the server eight idle hours after the last page.
        response.set_cookie(COOKIE, token, path=path, secure=secure, httponly=True, samesite="Lax")
    return response
