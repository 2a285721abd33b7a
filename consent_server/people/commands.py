"""Users of the consoles, and tokens of programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from consent_server.access.credentials import OneTimeLinks
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.core.terminal import confirm, destructive, link_url, refusing, say
from consent_server.people.change_roles import give_roles, take_roles
from consent_server.people.codes import stop_codes_of
from consent_server.people.invite import COMMAND_LINE, clean_email, find_user, invite, remove_user, renew_link
from consent_server.people.log_sign_ins import read_sign_ins
from consent_server.people.mail_link import INVITED, RENEWED, Letter, mail_link
from consent_server.people.read_people import read_people
from consent_server.people.sessions import end_sessions
from consent_server.people.tokens import LIFETIME, create_token, revoke_token
from consent_server.people.tokens import list_tokens as read_tokens

user = AppGroup("user", help="Users of the consoles.")
token = AppGroup("token", help="Access for programs.")

ROLE = click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What they may do.")
SITES = click.option("--site", "sites", multiple=True, metavar="KEY", help="Only this site; may be repeated.")
DAYS = click.option(
    "--days", type=click.IntRange(0, 36_500), default=LIFETIME.days, show_default=True,
    help="After how many days it ends; 0 for never.",
)  # fmt: skip
MAIL = click.option("--mail", is_flag=True, help="Send the link by mail instead of printing it.")


def _said(sites: Sequence[str] | None) -> str:
    return "all sites" if sites is None else ",".join(sites)


@user.command("create")
@click.argument("email")
@ROLE
@SITES
@MAIL
@refusing
def create(email: str, role: str, sites: tuple[str, ...], mail: bool) -> None:
    """Invite somebody for all sites or some: print the link by which they set their password, or mail it."""
    ctx = context()
    link = invite(ctx.database, ctx[OneTimeLinks], email, Role(role), sites, COMMAND_LINE, ctx.now(), ctx.random)
    _hand_over(clean_email(email), link, INVITED, mail, "Open it within a week; it works once.")


@user.command("link")
@click.argument("email")
@MAIL
@refusing
def link(email: str, mail: bool) -> None:
    """Make a new one-time link, for a user who lost theirs or forgot the password."""
    ctx = context()
    number = find_user(ctx.database, email)
    made = renew_link(ctx.database, ctx[OneTimeLinks], number, COMMAND_LINE, ctx.now(), ctx.random)
    _hand_over(clean_email(email), made, RENEWED, mail, "Open it within a day; it works once.")


def _hand_over(email: str, link: str, letter: Letter, mail: bool, how: str) -> None:
    if mail:
        mail_link(context().settings.sender, email, link_url(link), letter, context().now())
        say(f"Mailed to {email}. {how}")
        return
    click.echo(link_url(link))
    click.echo(how, err=True)


@user.command("list")
@refusing
def list_users() -> None:
    """One line a user: address, role, sites, and how they sign in. Who has several roles has several lines."""
    for person in read_people(context().database, COMMAND_LINE):
        for role in sorted({grant.role for grant in person.grants}):
            keys = [grant.site for grant in person.grants if grant.role == role]
            sites = _said(None if None in keys else [key for key in keys if key])
            say(f"{person.email}\t{role}\t{sites}\t{person.state}")


@user.command("grant")
@click.argument("email")
@ROLE
@SITES
@refusing
def grant(email: str, role: str, sites: tuple[str, ...]) -> None:
    """Give a user a role for all sites or some, beside those that they have."""
    ctx = context()
    give_roles(ctx.database, find_user(ctx.database, email), Role(role), sites, COMMAND_LINE)
    say(f"{email} is {role} of {_said(sites or None)}")


@user.command("ungrant")
@click.argument("email")
@ROLE
@SITES
@refusing
def ungrant(email: str, role: str, sites: tuple[str, ...]) -> None:
    """Take a role for all sites or some from a user. The last operator of all sites stays."""
    ctx = context()
    take_roles(ctx.database, find_user(ctx.database, email), Role(role), sites, COMMAND_LINE)
    say(f"{email} is no longer {role} of {_said(sites or None)}")


@user.command("sign-ins")
@click.argument("email")
@refusing
def list_sign_ins(email: str) -> None:
    """One line an attempt to sign in, newest first: when, how, whether it succeeded, kind of browser."""
    database = context().database
    for one in read_sign_ins(database, find_user(database, email)):
        say(f"{one.at:%Y-%m-%d %H:%M:%S}\t{one.how}\t{'succeeded' if one.succeeded else 'failed'}\t{one.browser}")


@user.command("sign-out")
@click.argument("email")
@refusing
def sign_out(email: str) -> None:
    """End all sessions of a user, wherever they are signed in."""
    database = context().database
    end_sessions(database, find_user(database, email))
    say(f"{email} signed out everywhere")


@user.command("codes-off")
@click.argument("email")
@refusing
def codes_off(email: str) -> None:
    """Take the codes off a user's account, who lost the device and the recovery codes."""
    database = context().database
    stop_codes_of(database, find_user(database, email), COMMAND_LINE)
    say(f"{email} is no longer asked for codes")


@user.command("remove")
@click.argument("email")
@destructive
@refusing
def remove(email: str, yes: bool, dry_run: bool) -> None:
    """Remove a user, and sign them out everywhere. The last operator of all sites stays."""
    database = context().database
    number = find_user(database, email)
    if dry_run:
        say(f"{email} would be removed")
        return
    confirm(f"Remove {email} for good?", yes, scheduled=True)
    remove_user(database, number, COMMAND_LINE)
    say(f"{email} removed")


@token.command("create")
@ROLE
@SITES
@click.option("--name", required=True, help="What it is for.")
@DAYS
@refusing
def create_one(role: str, sites: tuple[str, ...], name: str, days: int) -> None:
    """Print a new token, alone on stdout. It is not shown again."""
    lifetime = timedelta(days=days) if days else None
    click.echo(create_token(context().database, Role(role), sites, name, context().now(), lifetime))


@token.command("list")
@refusing
def list_tokens() -> None:
    """One line a token: number, name, role, sites, day made, day last used, and until when it is valid."""
    for row in read_tokens(context().database):
        used = f"used {row.last_used_on}" if row.last_used_on else "never used"
        state = f"revoked {row.revoked_at:%Y-%m-%d}" if row.revoked_at else _valid(row.expires_at)
        made = f"made {row.created_at:%Y-%m-%d}"
        say(f"{row.id}\t{row.name}\t{row.role}\t{_said(row.sites)}\t{made}\t{used}\t{state}")


def _valid(until: datetime | None) -> str:
    if until is None:
        return "valid, no end"
    return f"{'ended' if context().now() >= until else 'valid until'} {until:%Y-%m-%d}"


@token.command("revoke")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@refusing
def revoke(number: int) -> None:
    """Make a token worthless, by its number in the list."""
    say(f"{revoke_token(context().database, number, context().now())} revoked")
