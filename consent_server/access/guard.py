"""Who is asking: by session or bearer token, from which address, and with which form."""

import re
from hmac import compare_digest

from flask import Blueprint, Response, g, redirect, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access.credentials import new_token
from consent_server.access.find_access import access_of_session, access_of_token
from consent_server.access.rules import Access
from consent_server.core.context import context
from consent_server.core.errors import Forbidden, NotOpened, StaleForm, Unauthenticated
from consent_server.core.settings import place_of
from consent_server.http.answers import Cache, with_headers

COOKIE = "consent-session"
# What a script of a page of ours sends with a request: it can be read nowhere but on that page.
FORM_TOKEN_HEADER = "Consent-Form-Token"  # noqa: S105  its name

_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


def caller() -> Access:
    """Who asks, by token or session. Raises Unauthenticated."""
    access = known_caller()
    if access is None:
        raise Unauthenticated("Send a token as `Authorization: Bearer …`, or sign in at /sign-in.")
    return access


def person() -> int:
    """The number of the person who asks. Raises Unauthenticated, and Forbidden for a program."""
    found = caller().person
    if found is None:
        raise Forbidden("A token is a program's. This is for a person who signed in.")
    return found


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
            raise Unauthenticated("This token is unknown, has been revoked, or is over.")
        return access
    token = session_cookie()
    if not token:
        return None
    if not (_is_opened() or _is_of_our_page() or _is_framed()):
        raise NotOpened("A session counts only for pages that a person opens. A program sends a token.")
    return access_of_session(ctx.database, token, ctx.now())


def guard(pages: Blueprint, framed: bool = False) -> None:
    """What every blueprint of pages for people has: an address, form tokens, a cookie to bind them to, no caches.

    Those that are `framed` a form of a page of ours fills a frame with: each must be of no origin (`sandbox`).
    """
    pages.before_request(_check_address)
    pages.before_request(_check_framed if framed else _check_opened)
    pages.before_request(_check_form)
    pages.after_request(_finish)


def form_token() -> str:
    """What a form must send back: bound to the browser's cookie, so that no other site's page can know it."""
    return context().signer("form-token").digest(_browser_token()).decode()


def require_own_page() -> None:
    """For programs' addresses that change something: a session counts only with what stands on a page of ours.

    A form on another page can post too, and the browser would send the session along. Raises StaleForm.
    """
    by_token = request.authorization is not None and request.authorization.type == "bearer"
    if not by_token and not _is_of_our_page():
        raise StaleForm(f"Send the form token of a page of the console as `{FORM_TOKEN_HEADER}`, or a token instead.")


def at_consoles() -> bool:
    """Whether this is the address of the consoles: any is, unless the settings give them one of their own."""
    url = context().settings.console_url
    # Browsers say which host they mean, and no script can say another (Fetch, forbidden request-headers).
    return url is None or place_of(f"{url.partition(':')[0]}://{request.host}") == place_of(url)


def _check_address() -> AnyResponse | None:
    if at_consoles():
        return None
    if request.endpoint == "auth.sign_in":
        return redirect(f"{context().settings.console_url}/sign-in", 303)
    raise NotFound


def _check_opened() -> None:
    # Who says nothing and has no session is a program, and is told where to sign in.
    if not _is_opened() and (session_cookie() or "Sec-Fetch-Mode" in request.headers):
        raise NotOpened(
            "This page is only for who opens it in a window of its own. If you did, bring your browser up to date: "
            "it must send the header `Sec-Fetch-Mode`."
        )


def _check_framed() -> None:
    if not _is_framed():
        _check_opened()


def _is_opened() -> bool:
    """Whether a person opens a page, and no script asks for it: on the site's host, vendors' scripts share our origin.

    Browsers say it in headers that no script can set (Fetch Metadata, sections 2.1 and 2.2). A window that such a
    script opens is out of its reach by Cross-Origin-Opener-Policy, which app.py sends with every page. Without https
    browsers may be silent, and on an address of their own the consoles share no origin with anybody.
    """
    mode, into = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    if mode is None and into is None:
        return context().settings.console_url is not None or not is_secure()
    return (mode, into) == ("navigate", "document")


def _is_framed() -> bool:
    """Whether a form of a page of ours fills a frame: only `framed` pages answer, and they have no origin.

    So whoever put the frame there reads nothing of it, even with the form token.
    """
    into = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return into == ("navigate", "iframe") and request.method == "POST" and _is_token(request.form.get("form_token", ""))


def _is_of_our_page() -> bool:
    return _is_token(request.headers.get(FORM_TOKEN_HEADER, ""))


def _is_token(sent: str) -> bool:
    return compare_digest(sent.encode("utf-8", "replace"), form_token().encode())


def is_secure() -> bool:
    """Whether the browser may send cookies over https alone: as the consoles' address says, not only a proxy."""
    return request.is_secure or context().settings.sign_in_url.startswith("https:")


def _check_form() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    sent = request.form.get("form_token", "")
    if not session_cookie():
        raise StaleForm(_without_cookie())
    if not _is_token(sent):
        raise StaleForm("Open the page again and send the form from there.")


def _without_cookie() -> str:
    url = context().settings.sign_in_url
    if url.startswith("https:") and not request.is_secure:
        return f"Your browser sent no cookie, since it keeps it for https alone. Open {url}/sign-in instead."
    return "Your browser sent no cookie. Allow cookies for this address, then open the page again."


def session_cookie() -> str:
    """The browser's session, "" without one. Two of them are none: a script can add one, and not replace ours."""
    values = request.cookies.getlist(_cookie_name()) if at_consoles() else []
    return values[0] if len(values) == 1 and _COOKIE_VALUE.fullmatch(values[0]) else ""


def _cookie_name() -> str:
    # Where the consoles have a host, no page of a sibling host can set their cookie (RFC 6265bis, section 4.1.3.2).
    own = (context().settings.console_url or "").startswith("https:") and not request.script_root
    return f"__Host-{COOKIE}" if own else COOKIE


def _browser_token() -> str:
    if "browser_token" not in g:
        g.browser_token = session_cookie() or new_token()
    token: str = g.browser_token
    return token


def _finish(response: Response) -> Response:
    with_headers(response, Cache.NO_STORE)
    token = g.get("browser_token")
    name, path = _cookie_name(), f"{request.script_root}/"
    secure = is_secure() or name != COOKIE
    if token == "":
        response.delete_cookie(name, path=path, secure=secure, httponly=True, samesite="Lax")
    elif token is not None and token != session_cookie():
        # No lifetime: the browser forgets it when it closes, the server eight idle hours after the last page.
        response.set_cookie(name, token, path=path, secure=secure, httponly=True, samesite="Lax")
    return response
