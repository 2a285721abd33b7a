"""Who is asking: sign-in for people, bearer tokens for programs, and what each route needs."""

import re
from collections.abc import Callable
from functools import wraps
from hmac import compare_digest
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import sign_in as signing_in
from consent_server.access.create_token import access_of_token
from consent_server.access.credentials import new_token
from consent_server.access.log_lookup import log_lookup
from consent_server.access.rules import Access, Role
from consent_server.audit.read_record import leaf_of, site_of_receipt
from consent_server.core.context import services
from consent_server.core.errors import InvalidUser, StaleForm, Unauthenticated
from consent_server.http.rate_limit import spend_sign_in
from consent_server.receipts.read import receipt_uuid

bp = Blueprint("auth", __name__)

P = ParamSpec("P")
R = TypeVar("R")

COOKIE = "consent-session"
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
# Where a person may be sent after signing in: the consoles, and nowhere outside this server.
_OWN_PATH = re.compile(r"/console(?:[/?][^\x00-\x20\x7f\\]*)?")


def needs(role: Role | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view answer only callers of this role (any, for None) and of the site that its `key` names.

    Raises Unauthenticated or Forbidden before the view looks at anything else.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            key = kwargs.get("key")
            caller().require(role, key if isinstance(key, str) else None)
            return view(*args, **kwargs)

        wrapper.needs = role  # type: ignore[attr-defined]  # read by the test that walks the route table
        return wrapper

    return decorate


def caller() -> Access:
    """Who asks, by token or session. Raises Unauthenticated."""
    access = _known_caller()
    if access is None:
        raise Unauthenticated("Send a token as `Authorization: Bearer …`, or sign in at /sign-in.")
    return access


def may_read_receipt(receipt_id: str) -> bool:
    """Whether the caller is an auditor of the receipt's site; if so, that they look at it is written down.

    False when nobody says who they are. Raises Unauthenticated for a token that is none, Forbidden for
    another role or site, UnknownReceipt.
    """
    access = _known_caller()
    if access is None:
        return False
    access.require(Role.AUDITOR, None)
    our = services()
    stored = site_of_receipt(our.database, receipt_id)
    access.require(Role.AUDITOR, stored.site.key)
    leaf = leaf_of(our.database, stored.id, receipt_uuid(receipt_id))
    log_lookup(our.database, access, stored.id, "receipt", {"leaf": leaf}, our.now())
    return True


def _known_caller() -> Access | None:
    if "access" not in g:
        g.access = _find_caller()
    found: Access | None = g.access
    return found


def _find_caller() -> Access | None:
    our, given = services(), request.authorization
    if given is not None and given.type == "bearer":
        access = access_of_token(our.database, given.token or "", our.now())
        if access is None:
            raise Unauthenticated("This token is unknown here, or was revoked.")
        return access
    token = _cookie()
    return signing_in.access_of_session(our.database, token, our.now()) if token else None


def guard(pages: Blueprint) -> None:
    """What every blueprint of pages for people has: form tokens, a cookie to bind them to, nothing in caches."""
    pages.before_request(_check_form)
    pages.after_request(_finish)


def form_token() -> str:
    """What a form must send back: bound to the browser's cookie, so that no other site's page can know it."""
    return services().form_keys.digest(_browser_token()).decode()


def _check_form() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    sent = request.form.get("form_token", "")
    if not _cookie() or not compare_digest(sent.encode("utf-8", "replace"), form_token().encode()):
        raise StaleForm("Open the page again and send the form from there.")


def _cookie() -> str:
    value = request.cookies.get(COOKIE, "")
    return value if _COOKIE_VALUE.fullmatch(value) else ""


def _browser_token() -> str:
    if "browser_token" not in g:
        g.browser_token = _cookie() or new_token()
    token: str = g.browser_token
    return token


def _finish(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    token = g.get("browser_token")
    path = f"{request.script_root}/"
    if token == "":
        response.delete_cookie(COOKIE, path=path, httponly=True, samesite="Lax")
    elif token is not None and token != _cookie():
        secure = request.is_secure or services().settings.public_url.startswith("https:")
        # No lifetime: the browser forgets it when it closes, the server eight idle hours after the last page.
        response.set_cookie(COOKIE, token, path=path, secure=secure, httponly=True, samesite="Lax")
    return response


def own_path(path: str) -> str:
    """The path if it is one of the consoles, else their front page."""
    return path if _OWN_PATH.fullmatch(path) else "/console"


@bp.get("/sign-in")
def sign_in() -> str:
    """Asks for address and password."""
    return _sign_in_page(own_path(request.args.get("next", "")), "", "")


@bp.post("/sign-in")
def post_sign_in() -> AnyResponse | tuple[str, int]:
    """Sign in. One answer for an unknown address and for a wrong password, after the same work."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    then = own_path(request.form.get("next", ""))
    spend_sign_in(email)
    our = services()
    token = signing_in.sign_in(our.database, email, password, _cookie(), our.now())
    if token is None:
        return _sign_in_page(then, email, "This address and this password do not belong together."), 422
    return _signed_in(token, then)


@bp.get("/sign-in/link")
def link() -> str:
    """Asks for a new password. Opening a link does not use it up: mail programs open links by themselves."""
    sent = request.args.get("t", "")
    email = signing_in.user_of_link(services().database, services().sign_in_links, sent)
    return _link_page(sent, email, "")


@bp.post("/sign-in/link")
def post_link() -> AnyResponse | tuple[str, int]:
    """Set the password, once, and sign in."""
    sent, password = request.form.get("t", ""), request.form.get("password", "")
    our = services()
    email = signing_in.user_of_link(our.database, our.sign_in_links, sent)
    if password != request.form.get("again", ""):
        return _link_page(sent, email, "The two are not the same."), 422
    try:
        token = signing_in.set_password(
            our.database, our.sign_in_links, sent, password, _cookie(), our.now(), our.random
        )
    except InvalidUser as refusal:
        return _link_page(sent, email, refusal.faults[0].detail), 422
    return _signed_in(token, "/console")


@bp.post("/sign-out")
def sign_out() -> AnyResponse:
    """End this browser's session."""
    signing_in.sign_out(services().database, _cookie())
    g.browser_token = ""
    return redirect(url_for("auth.sign_in"), 303)


def _signed_in(token: str, then: str) -> AnyResponse:
    # A new name for the session: one that somebody slipped to this browser before is worth nothing.
    g.browser_token = token
    return redirect(request.script_root + then, 303)


def _sign_in_page(then: str, email: str, fault: str) -> str:
    return _page("access/sign_in.html", then=then, email=email, fault=fault)


def _link_page(sent: str, email: str, fault: str) -> str:
    return _page("access/set_password.html", link=sent, email=email, fault=fault, shortest=signing_in.SHORTEST_PASSWORD)


def _page(template: str, **values: Any) -> str:
    return render_template(template, form_token=form_token(), access=None, **values)


guard(bp)
