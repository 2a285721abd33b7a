"""The way in and out for people: address and password, one-time links, and the end of a session."""

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access.credentials import OneTimeLinks, nobodys_hash
from consent_server.access.guard import form_token, guard, session_cookie
from consent_server.core.context import context, context_of
from consent_server.core.errors import InvalidUser
from consent_server.http.rate_limit import limited, spend_reset, spend_sign_in
from consent_server.people import sign_in as signing_in
from consent_server.people.browser import this_browser
from consent_server.people.codes import Codes, begin_codes
from consent_server.people.encryption import SecretBox
from consent_server.people.known_browser import known_browser, remember_browser
from consent_server.people.own_path import own_path
from consent_server.people.passwords import SHORTEST_PASSWORD
from consent_server.people.reset_password import request_password

bp = Blueprint("auth", __name__)


@bp.record_once
def keep_links(state: BlueprintSetupState) -> None:
    """Links are signed with the server's secret. Nobody's hash is made now, not at the first wrong guess."""
    made_for = context_of(state.app)
    made_for.keep(OneTimeLinks(made_for.settings.secret_key))
    made_for.keep(Codes(SecretBox(made_for.settings.secret_key), made_for.signer("recovery-code"), made_for.random))
    nobodys_hash()


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
    required = ctx.settings.codes_required
    begun = signing_in.sign_in(ctx.database, email, password, this_browser(), ctx.now(), required)
    if begun is None:
        return _sign_in_page(then, email, "This address and this password do not belong together."), 422
    return _begin(begun, then, email)


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
        begun = signing_in.set_password(
            ctx.database, ctx[OneTimeLinks], sent, password, this_browser(), ctx.now(), ctx.settings.codes_required
        )
    except InvalidUser as refusal:
        return _link_page(sent, email, refusal.faults[0].detail), 422
    return _begin(begun, "/console", email)


@bp.get("/sign-in/forgotten")
def forgotten() -> str:
    """Asks for the address to which a link for a new password is mailed."""
    return _page("people/forgotten.html", asked=False, mails=context().settings.sender is not None)


@bp.post("/sign-in/forgotten")
def post_forgotten() -> str:
    """One answer for every address, before anybody looks whose it is."""
    ctx, email = context(), request.form.get("email", "")
    mails = ctx.settings.sender is not None
    if mails:
        spend_reset(email)
        request_password(ctx.database, email, ctx.now())
    return _page("people/forgotten.html", asked=mails, mails=mails)


@bp.post("/sign-out")
def sign_out() -> AnyResponse:
    """End this browser's session."""
    signing_in.sign_out(context().database, session_cookie())
    g.browser_token = ""
    return redirect(url_for("auth.sign_in"), 303)


def _begin(begun: signing_in.Begun, then: str, email: str) -> AnyResponse:
    # A new name for the session: one that somebody slipped to this browser before is worth nothing.
    g.browser_token = begun.token
    there = request.script_root + then
    if begun.awaits == "code":
        there = url_for("codes.code", next=then)
    elif begun.awaits == "setup":
        begin_codes(context().database, context()[Codes], begun.user_id)
        there = url_for("codes.set_up", next=then)
    return remember_browser(redirect(there, 303), email)


def _sign_in_page(then: str, email: str, fault: str) -> str:
    settings = context().settings
    return _page(
        "people/sign_in.html", then=then, email=email, fault=fault, mails=settings.sender is not None,
        provider=settings.provider and settings.provider.name,
    )  # fmt: skip


def _link_page(sent: str, email: str, fault: str) -> str:
    return _page("people/set_password.html", link=sent, email=email, fault=fault, shortest=SHORTEST_PASSWORD)


def _page(template: str, **values: Any) -> str:
    return render_template(template, form_token=form_token(), access=None, **values)


guard(bp)
