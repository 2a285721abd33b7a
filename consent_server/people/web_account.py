"""What everybody may see and change of their own account."""

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import InvalidUser
from consent_server.http.rate_limit import spend_sign_in
from consent_server.people import codes
from consent_server.people.browser import this_browser
from consent_server.people.codes import Codes
from consent_server.people.forms import faults_of
from consent_server.people.known_browser import known_browser
from consent_server.people.log_sign_ins import read_sign_ins
from consent_server.people.passwords import SHORTEST_PASSWORD
from consent_server.people.sessions import end_session, end_sessions, read_sessions
from consent_server.people.sign_in import change_password, knows_password

bp = Blueprint("account", __name__, url_prefix="/console/account")
console.frame_of_people(bp)


@bp.get("")
def account() -> str:
    """Password, sessions, sign-ins."""
    return _page({})


@bp.post("/password")
def post_password() -> AnyResponse | tuple[str, int]:
    """Change one's own password: all other sessions end."""
    form, ctx = request.form, context()
    if form.get("password", "") != form.get("again", ""):
        return _page({"again": "The two are not the same."}), 422
    # Who finds a browser open has as few guesses as anybody.
    email = auth.caller().name
    spend_sign_in(email, known_browser(email))
    try:
        token = change_password(
            ctx.database, auth.person(), form.get("current", ""), form.get("password", ""), this_browser(), ctx.now()
        )
    except InvalidUser as refusal:
        return _page(faults_of(refusal)), 422
    if token is None:
        return _page({"current": "This is not your password."}), 422
    g.browser_token = token
    return redirect(url_for("account.account"), 303)


@bp.post("/codes")
def post_codes() -> AnyResponse | str | tuple[str, int]:
    """Set codes up, turn them off, or make new recovery codes: for who knows the password."""
    ctx, own, act = context(), auth.person(), request.form.get("act", "")
    email = auth.caller().name
    spend_sign_in(email, known_browser(email))
    if not knows_password(ctx.database, own, request.form.get("current", "")):
        return _page({act: "This is not your password."}), 422
    if act == "renew":
        recovery = codes.renew_recovery(ctx.database, ctx[Codes], own)
        return console.bare_page("people/recovery.html", recovery=recovery, then=url_for("account.account"))
    if act == "stop" and not ctx.settings.codes_required:
        codes.stop_codes(ctx.database, own)
    if act == "begin":
        codes.begin_codes(ctx.database, ctx[Codes], own)
        return redirect(url_for("codes.set_up", next="/console/account"), 303)
    return redirect(url_for("account.account"), 303)


@bp.post("/sessions")
def post_sessions() -> AnyResponse:
    """End one session, or all others."""
    name = request.form.get("session", "")
    if name:
        end_session(context().database, auth.person(), name)
    else:
        end_sessions(context().database, auth.person(), but=auth.session_cookie())
    return redirect(url_for("account.account"), 303)


def _page(faults: dict[str, str]) -> str:
    ctx, own = context(), auth.person()
    return console.page(
        "people/account.html",
        faults=faults,
        shortest=SHORTEST_PASSWORD,
        codes=codes.read_codes(ctx.database, own),
        required=ctx.settings.codes_required,
        sessions=read_sessions(ctx.database, own, auth.session_cookie(), ctx.now()),
        sign_ins=read_sign_ins(ctx.database, own),
    )
