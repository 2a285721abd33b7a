"""The operators' page of tokens: by which programs ask, made here and taken back."""

from datetime import timedelta

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import Fault, InvalidUser
from consent_server.people.forms import choices, faults_of, number_of, role_of, sites_of
from consent_server.people.tokens import LIFETIME, create_token, list_tokens, revoke_token

bp = Blueprint("tokens", __name__, url_prefix="/console/tokens")
console.frame_of_people(bp)
LONGEST_DAYS = 3650


@bp.get("")
def tokens() -> str:
    """Those that this operator could have made."""
    return _page({})


@bp.post("")
def post_token() -> str | tuple[str, int]:
    """Make one, and show it this once."""
    ctx, form = context(), request.form
    try:
        role, sites, days = role_of(form), sites_of(form), _days(form.get("days", ""))
        token = create_token(ctx.database, role, sites, form.get("name", ""), ctx.now(), days, auth.caller())
    except InvalidUser as refusal:
        return _page(faults_of(refusal), given=form.to_dict(), chosen=form.getlist("site")), 422
    return _page({}, token=token)


@bp.post("/<number>/revocation")
def post_revocation(number: str) -> AnyResponse:
    """Make one worthless."""
    revoke_token(context().database, number_of(number), context().now(), auth.caller())
    return redirect(url_for("tokens.tokens"), 303)


def _days(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= LONGEST_DAYS:
        says = f"Must be a number of days from 1 to {LONGEST_DAYS}."
        raise InvalidUser("This is not a number of days.", [Fault("#/days", says)])
    return timedelta(days=int(text))


def _page(
    faults: dict[str, str], token: str = "", given: dict[str, str] | None = None, chosen: list[str] | None = None
) -> str:
    now = context().now()
    found = [
        (row, row.revoked_at is None and (row.expires_at is None or now < row.expires_at))
        for row in reversed(list_tokens(context().database, auth.caller()))
    ]
    return console.page(
        "people/tokens.html", tokens=found, token=token, faults=faults, given=given or {}, chosen=chosen or [],
        usual_days=LIFETIME.days, **choices(),
    )  # fmt: skip
