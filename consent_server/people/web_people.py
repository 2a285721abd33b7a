"""The operators' pages of people: who is here, with which roles, and what can be done about it."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.access.credentials import OneTimeLinks
from consent_server.core.context import context
from consent_server.core.errors import InvalidUser, MailNotSent, UserConflict
from consent_server.core.terminal import link_url
from consent_server.people.change_roles import give_roles, take_roles
from consent_server.people.codes import read_codes, stop_codes_of
from consent_server.people.forms import choices, faults_of, number_of, role_of, sites_of
from consent_server.people.invite import clean_email, find_user, invite, remove_user, renew_link
from consent_server.people.log_sign_ins import read_sign_ins
from consent_server.people.mail_link import INVITED, RENEWED, Letter, mail_link
from consent_server.people.read_people import read_managed, read_people, read_person
from consent_server.people.sessions import end_session, end_sessions, read_sessions

bp = Blueprint("people", __name__, url_prefix="/console/people")
console.frame_of_people(bp)


@bp.get("")
def people() -> str:
    """Everybody on the sites of this operator, and a form to invite somebody."""
    return _people_page({})


@bp.post("")
def post_invitation() -> AnyResponse | str | tuple[str, int]:
    """Invite somebody. Who is here already gets the role beside those that they have."""
    ctx, email = context(), request.form.get("email", "")
    try:
        email, role, sites = clean_email(email), role_of(request.form), sites_of(request.form)
    except InvalidUser as refusal:
        return _people_page(faults_of(refusal), request.form.to_dict(), request.form.getlist("site")), 422
    try:
        link = invite(ctx.database, ctx[OneTimeLinks], email, role, sites, auth.caller(), ctx.now(), ctx.random)
    except UserConflict:
        number = find_user(ctx.database, email)
        give_roles(ctx.database, number, role, sites, auth.caller())
        return redirect(url_for("people.person", number=number), 303)
    return _hand_over(email, link, INVITED)


@bp.get("/<number>")
def person(number: str) -> str:
    """One of them: roles, sessions, sign-ins."""
    return _person_page(number, {})


@bp.post("/<number>/roles")
def post_roles(number: str) -> AnyResponse | tuple[str, int]:
    """Give a role, or take one back."""
    change = take_roles if request.form.get("act") == "take" else give_roles
    try:
        role, sites = role_of(request.form), sites_of(request.form)
    except InvalidUser as refusal:
        return _person_page(number, faults_of(refusal)), 422
    change(context().database, number_of(number), role, sites, auth.caller())
    # Who gave away their own last role here sees the list.
    still = any(one.number == number_of(number) for one in read_people(context().database, auth.caller()))
    return redirect(url_for("people.person", number=number) if still else url_for("people.people"), 303)


@bp.post("/<number>/link")
def post_link(number: str) -> str:
    """Make a link by which they set a new password."""
    ctx = context()
    person = read_managed(ctx.database, number_of(number), auth.caller())
    link = renew_link(ctx.database, ctx[OneTimeLinks], person.number, auth.caller(), ctx.now(), ctx.random)
    return _hand_over(person.email, link, RENEWED)


@bp.post("/<number>/sessions")
def post_sessions(number: str) -> AnyResponse:
    """End one session of theirs, or all."""
    database, name = context().database, request.form.get("session", "")
    person = read_managed(database, number_of(number), auth.caller())
    if name:
        end_session(database, person.number, name)
    else:
        end_sessions(database, person.number)
    return redirect(url_for("people.person", number=person.number), 303)


@bp.post("/<number>/codes")
def post_codes(number: str) -> AnyResponse:
    """Take their codes off the account."""
    stop_codes_of(context().database, number_of(number), auth.caller())
    return redirect(url_for("people.person", number=number), 303)


@bp.post("/<number>/removal")
def post_removal(number: str) -> AnyResponse:
    """Remove them."""
    remove_user(context().database, number_of(number), auth.caller())
    return redirect(url_for("people.people"), 303)


def _people_page(faults: dict[str, str], given: dict[str, str] | None = None, sites: list[str] | None = None) -> str:
    found = read_people(context().database, auth.caller())
    mails = context().settings.sender is not None
    return console.page(
        "people/people.html", people=found, faults=faults, given=given or {}, chosen=sites or [], mails=mails,
        own=auth.person(), **choices(),
    )  # fmt: skip


def _person_page(number: str, faults: dict[str, str]) -> str:
    ctx = context()
    person = read_person(ctx.database, number_of(number), auth.caller())
    shown: dict[str, Any] = {}
    if person.managed:
        shown["sessions"] = read_sessions(ctx.database, person.number, auth.session_cookie(), ctx.now())
        shown["codes"], shown["required"] = read_codes(ctx.database, person.number), ctx.settings.codes_required
        shown["sign_ins"] = read_sign_ins(ctx.database, person.number)
    return console.page(
        "people/person.html", person=person, faults=faults, own=auth.person(), chosen=[], **shown, **choices()
    )


def _hand_over(email: str, link: str, letter: Letter) -> str:
    """Mail the link where a mail server is set; else, or where it is not taken, show it to whoever made it."""
    settings, failure = context().settings, ""
    mailed = settings.sender is not None
    if mailed:
        try:
            mail_link(settings.sender, email, link_url(link), letter, context().now())
        except MailNotSent as refusal:
            mailed, failure = False, refusal.detail
    return console.page(
        "people/link.html", email=email, url="" if mailed else link_url(link), failure=failure, days=letter.days
    )
