"""The way in and out for people: address and password, one-time links, and the end of a session."""

import re
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access.credentials import OneTimeLinks, nobodys_hash
from consent_server.access.guard import form_token, guard, session_cookie
from consent_server.core.context import context, context_of
from consent_server.core.errors import InvalidUser
from consent_server.http.rate_limit import limited, spend_sign_in
from consent_server.people import sign_in as signing_in
from consent_server.people.browser import this_browser
from consent_server.people.known_browser import known_browser, remember_browser
from consent_server.people.passwords import SHORTEST_PASSWORD

bp = Blueprint("auth", __name__)


@bp.record_once
def keep_links(state: BlueprintSetupState) -> None:
    """Links are signed with the server's secret. Nobody's hash is made now, not at the first wrong guess."""
    made_for = context_of(state.app)
    made_for.keep(OneTimeLinks(made_for.settings.secret_key))
    nobodys_hash()


# Where a person may be sent after signing in: the consoles, and nowhere outside this server.
# A browser takes `..`, `%2e%2e` and `\` for steps, so that a step is letters and digits of ours or none.
_OWN_PATH = re.compile(r"/console(?:/[A-Za-z0-9_-]+)*(?:\?[^\x00-\x20\x7f\\#]*)?")


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
    spend_sign_in(email, known_browser(email))
    ctx = context()
    token = signing_in.sign_in(ctx.database, email, password, this_browser(), ctx.now())
    if token is None:
        return _sign_in_page(then, email, "This address and this password do not belong together."), 422
    return _signed_in(token, then, email)


@bp.get("/sign-in/link")
def link() -> str:
    """Asks for a new password. Opening a link does not use it up: mail programs open links by themselves."""
    sent = request.args.get("t", "")
    email = signing_in.user_of_link(context().database, context()[OneTimeLinks], sent, context().now())
    return _link_page(sent, email, "")


@bp.post("/sign-in/link")
@limited
def post_link() -> AnyResponse | tuple[str, int]:
    """Set the password, once, and sign in."""
    sent, password = request.form.get("t", ""), request.form.get("password", "")
    ctx = context()
    email = signing_in.user_of_link(ctx.database, ctx[OneTimeLinks], sent, ctx.now())
    if password != request.form.get("again", ""):
        return _link_page(sent, email, "The two are not the same."), 422
    try:
        token = signing_in.set_password(ctx.database, ctx[OneTimeLinks], sent, password, this_browser(), ctx.now())
    except InvalidUser as refusal:
        return _link_page(sent, email, refusal.faults[0].detail), 422
    return _signed_in(token, "/console", email)


@bp.post("/sign-out")
def sign_out() -> AnyResponse:
    """End this browser's session."""
    signing_in.sign_out(context().database, session_cookie())
    g.browser_token = ""
    return redirect(url_for("auth.sign_in"), 303)


def _signed_in(token: str, then: str, email: str) -> AnyResponse:
    # A new name for the session: one that somebody slipped to this browser before is worth nothing.
    g.browser_token = token
    return remember_browser(redirect(request.script_root + then, 303), email)


def _sign_in_page(then: str, email: str, fault: str) -> str:
    return _page("people/sign_in.html", then=then, email=email, fault=fault)


def _link_page(sent: str, email: str, fault: str) -> str:
    return _page("people/set_password.html", link=sent, email=email, fault=fault, shortest=SHORTEST_PASSWORD)


def _page(template: str, **values: Any) -> str:
    return render_template(template, form_token=form_token(), access=None, **values)


guard(bp)
