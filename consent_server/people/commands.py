"""Users of the consoles, and tokens of programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from consent_server.access.credentials import OneTimeLinks
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.core.terminal import link_url, refusing, say
from consent_server.people.invite import create_user, remove_user, renew_link
from consent_server.people.invite import list_users as read_users
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
ONCE = "Open it within a day; it works once."


def _said(sites: Sequence[str] | None) -> str:
    return "all sites" if sites is None else ",".join(sites)


@user.command("create")
@click.argument("email")
@ROLE
@SITES
@refusing
def create(email: str, role: str, sites: tuple[str, ...]) -> None:
    """Add a user for all sites or some; print the link by which they set their password."""
    ctx = context()
    link = create_user(ctx.database, ctx[OneTimeLinks], email, Role(role), sites, ctx.now(), ctx.random)
    click.echo(link_url(link))
    click.echo(ONCE, err=True)


@user.command("link")
@click.argument("email")
@refusing
def link(email: str) -> None:
    """Print a new one-time link, for a user who lost theirs or forgot the password."""
    ctx = context()
    click.echo(link_url(renew_link(ctx.database, ctx[OneTimeLinks], email, ctx.random)))
    click.echo(ONCE, err=True)


@user.command("list")
@refusing
def list_users() -> None:
    """One line a user: address, role, sites, whether a password is set."""
    for row in read_users(context().database):
        state = "password set" if row.password_hash else "link not used yet"
        say(f"{row.email}\t{row.role}\t{_said(row.sites)}\t{state}")


@user.command("remove")
@click.argument("email")
@refusing
def remove(email: str) -> None:
    """Remove a user, and sign them out everywhere."""
    remove_user(context().database, email)
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
