"""Commands: `flask --app wsgi …`, in the venv also `consent …`. They call use cases and say what these did."""

import os

import click
from flask import Flask
from flask.cli import with_appcontext

from consent_server.access.commands import link_url, token, user
from consent_server.access.create_user import welcome_operator
from consent_server.access.credentials import OneTimeLinks
from consent_server.audit.commands import evidence
from consent_server.backup.commands import backup, restore
from consent_server.core.commands import key
from consent_server.core.context import context
from consent_server.core.terminal import refusing, site_tag
from consent_server.health.commands import doctor
from consent_server.ledger.commands import ledger
from consent_server.rates.commands import report
from consent_server.receipts.commands import receipt, retention, visitor
from consent_server.sites.commands import csp, site, vendor
from consent_server.sites.find import list_sites
from consent_server.widget.commands import notice


@click.command("welcome")
@with_appcontext
@refusing
def welcome() -> None:
    """Say where to look first: the demo page, the tag of each site, and the way into the consoles."""
    ctx = context()
    click.echo(f"\n  Demo page   http://127.0.0.1:{os.environ.get('DEMO_PORT', '8001')}/")
    for stored in list_sites(ctx.database):
        click.echo(f"  Tag         {site_tag(stored.site.key)}")
    email, link = welcome_operator(ctx.database, ctx[OneTimeLinks], ctx.now(), ctx.random)
    if link is None:
        click.echo(f"  Sign in     {ctx.settings.sign_in_url}/sign-in as {email}")
    else:
        click.echo(f"  Sign in     {link_url(link)}\n              as {email}; works once, for a day")
    click.echo("")


def register(app: Flask) -> None:
    """Add the commands to the application."""
    commands = (
        site, vendor, csp, notice, receipt, key, ledger, retention, visitor, user, token, evidence, report, doctor,
        welcome, backup, restore,
    )  # fmt: skip
    for command in commands:
        app.cli.add_command(command)
