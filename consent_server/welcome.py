"""What `make run` says last."""

import os

import click
from flask.cli import with_appcontext

from consent_server.access.commands import link_url
from consent_server.access.create_user import welcome_operator
from consent_server.core.context import services
from consent_server.core.terminal import refusing, site_tag
from consent_server.sites.find import list_sites


@click.command("welcome")
@with_appcontext
@refusing
def welcome() -> None:
    """Say where to look first: the demo page, the tag of each site, and the way into the consoles."""
    our = services()
    click.echo(f"\n  Demo page   http://127.0.0.1:{os.environ.get('DEMO_PORT', '8001')}/")
    for stored in list_sites(our.database):
        click.echo(f"  Tag         {site_tag(stored.site.key)}")
    email, link = welcome_operator(our.database, our.sign_in_links, our.now(), our.random)
    if link is None:
        click.echo(f"  Sign in     {our.settings.public_url}/sign-in as {email}")
    else:
        click.echo(f"  Sign in     {link_url(link)}\n              as {email}; works once, for a day")
    click.echo("")
