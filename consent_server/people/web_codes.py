"""Between the password and the consoles: a code, or setting codes up."""

import segno
from flask import Blueprint, g, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import Unauthenticated
from consent_server.core.settings import place_of
from consent_server.http.rate_limit import spend_code
from consent_server.people import codes as acts
from consent_server.people.browser import this_browser
from consent_server.people.codes import Codes, Waiting
from consent_server.people.own_path import own_path
from consent_server.people.rules_totp import base32, in_groups, key_uri

WRONG_FIRST = "This code does not hold. Look whether your device has the right time."

bp = Blueprint("codes", __name__, url_prefix="/sign-in")
console.frame(bp)


@bp.get("/code")
def code() -> str:
    """Asks for a code."""
    _waiting_for("code")
    return _code_page("")


@bp.post("/code")
def post_code() -> AnyResponse | tuple[str, int]:
    """Take a code, or a recovery code, once."""
    ctx = context()
    spend_code(_waiting_for("code").user_id)
    token = acts.give_code(ctx.database, ctx[Codes], this_browser(), request.form.get("code", ""), ctx.now())
    if token is None:
        return _code_page("This code does not hold: it is wrong, is over, or was taken before. Wait for the next."), 422
    g.browser_token = token
    return redirect(request.script_root + own_path(request.form.get("next", "")), 303)


@bp.get("/codes")
def set_up() -> AnyResponse | str:
    """Shows the secret as a picture and as text, and asks for the first code."""
    user_id, email = _setting_up()
    return _set_up_page(user_id, email, "")


@bp.post("/codes")
def post_set_up() -> AnyResponse | str | tuple[AnyResponse | str, int]:
    """Turn codes on, and show the recovery codes this once."""
    ctx, (user_id, email) = context(), _setting_up()
    spend_code(user_id)
    recovery = acts.confirm_codes(ctx.database, ctx[Codes], user_id, request.form.get("code", ""), ctx.now())
    if recovery is None:
        return _set_up_page(user_id, email, WRONG_FIRST), 422
    if auth.known_caller() is None:
        g.browser_token = acts.complete(ctx.database, this_browser(), ctx.now())
    then = request.script_root + own_path(request.form.get("next", ""))
    return console.bare_page("people/recovery.html", recovery=recovery, then=then)


def _waiting_for(awaits: str) -> Waiting:
    found = acts.waiting(context().database, auth.session_cookie(), context().now())
    if found.awaits != awaits:
        raise Unauthenticated("Begin again with your password at /sign-in.")
    return found


def _setting_up() -> tuple[int, str]:
    """Who may set codes up: who is signed in, or would be with codes."""
    access = auth.known_caller()
    if access is not None:
        return auth.person(), access.name
    found = _waiting_for("setup")
    return found.user_id, found.email


def _code_page(fault: str) -> str:
    then = own_path(request.values.get("next", ""))
    return console.bare_page("people/code.html", fault=fault, then=then)


def _set_up_page(user_id: int, email: str, fault: str) -> AnyResponse | str:
    secret = acts.pending_secret(context().database, context()[Codes], user_id)
    if secret is None:
        return redirect(url_for("account.account"), 303)
    host, _ = place_of(context().settings.sign_in_url) or ("consent", 0)
    picture = segno.make(key_uri(secret, host, email), error="m", micro=False)
    svg = Markup(picture.svg_inline(border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True))  # noqa: S704
    then = own_path(request.values.get("next", ""))
    return console.bare_page(
        "people/codes.html", fault=fault, then=then, picture=svg, secret=in_groups(base32(secret)),
        uri=key_uri(secret, host, email),
    )  # fmt: skip
