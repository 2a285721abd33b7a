"""Serving: for good, and as a demonstration."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import with_appcontext

from consent_server.access.credentials import OneTimeLinks
from consent_server.core.context import context
from consent_server.core.errors import InvalidSettings
from consent_server.core.migrations import migrate_database
from consent_server.core.settings import remember_address
from consent_server.core.terminal import link_url, refusing, site_tag
from consent_server.people.invite import welcome_operator
from consent_server.serving.demonstrate import (
    HOST,
    demonstration_folder,
    leave_settings,
    make_year,
    publish_example,
    serve_with_shop,
)
from consent_server.serving.listen import require_port
from consent_server.sites.find import list_sites

PORT = click.IntRange(1, 65535)
ANY_PORT = click.IntRange(0, 65535)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("serve")
@click.option("--host", metavar="ADDRESS", envvar="HOST", default="127.0.0.1", help="To listen on; 0.0.0.0 is all.")
@click.option("--port", metavar="PORT", envvar="PORT", type=ANY_PORT, default=8000, show_default=True)
@click.option(
    "--workers", metavar="NUMBER", envvar="WEB_CONCURRENCY", type=click.IntRange(1), default=2, show_default=True,
    help="Processes: as many as there are cores.",
)  # fmt: skip
@click.option("--no-migrate", is_flag=True, help="Leave the database as it is, and start also while it is away.")
@click.option(
    "--welcome/--no-welcome", "welcomes", default=None, help="Say where to look first; on a terminal it does."
)
@refusing
def serve(host: str, port: int, workers: int, no_migrate: bool, welcomes: bool | None) -> None:
    """Bring the database to this version, and serve until told to end.

    The options count before HOST, PORT and WEB_CONCURRENCY. Those who start together wait for one another's migration.
    """
    require_port(host, port)
    os.environ |= {"HOST": host, "PORT": str(port), "WEB_CONCURRENCY": str(workers)}
    if not no_migrate:
        _prepare(sys.stdout.isatty() if welcomes is None else welcomes)
    # As another program, which is told where to keep its measures before it reads anything.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "consent_server.gunicorn_conf"])  # noqa: S606


@with_appcontext
def _prepare(welcomes: bool, example: bool = False) -> None:
    migrate_database()
    remember_address(context().settings)
    if example:
        publish_example(context())
    if welcomes:
        click.get_current_context().invoke(welcome)
    context().database.close()


@click.command("migrate")
@with_appcontext
@refusing
def migrate() -> None:
    """Bring the database to this version: before it serves again, after an upgrade."""
    click.echo(f"The database is at migration {migrate_database()}, the newest.")


@click.command("welcome")
@with_appcontext
@refusing
def welcome() -> None:
    """Say where to look first: the demo page, the tag of each site, and the way into the consoles."""
    ctx = context()
    click.echo("")
    if shop_port := os.environ.get("DEMO_PORT"):
        _say_place("Demo page", f"http://127.0.0.1:{shop_port}/")
    sites = list_sites(ctx.database)
    if not sites:
        _say_place("Sites", "none yet: consent init writes a site file, consent site apply puts it in force")
    for stored in sites:
        _say_place("Tag", site_tag(stored.site.key))
    email, link = welcome_operator(ctx.database, ctx[OneTimeLinks], ctx.now(), ctx.random)
    if link is None:
        _say_place("Sign in", f"{ctx.settings.sign_in_url}/sign-in as {email}")
    else:
        _say_place("Sign in", link_url(link))
        _say_place("", f"as {email}; works once, within a week")
    click.echo("")


def _say_place(what: str, where: str) -> None:
    click.echo(f"  {what:<12}{where}")


@click.command("demo")
@click.option("--port", metavar="PORT", envvar="PORT", type=PORT, default=8000, show_default=True)
@click.option(
    "--shop-port", metavar="PORT", envvar="DEMO_PORT", type=PORT, default=8001, show_default=True, help="Of the shop."
)
@click.option("--keep", metavar="FOLDER", type=FOLDER, help="Keep everything there, and go on with it the next time.")
@click.option("--year", is_flag=True, help="Begin with a made-up year of visitors, which takes two minutes to make.")
@refusing
def demo(port: int, shop_port: int, keep: Path | None, year: bool) -> NoReturn:
    """Serve the example site and a shop that asks for consent, on this machine alone.

    All of it is deleted at the end, unless --keep says where it stays. No setting is heeded.
    """
    require_port(HOST, port)
    require_port(HOST, shop_port, "--shop-port")
    if port == shop_port:
        raise InvalidSettings(f"Server and shop need a port each. Choose another for the shop: --shop-port {port + 1}")
    with demonstration_folder(keep) as folder:
        leave_settings(os.environ, folder, port, shop_port)
        if year and not any(folder.glob("*")):
            click.echo("Making a year of visitors, about two minutes …", err=True)
            make_year(folder)
        _prepare(welcomes=False, example=True)
        sys.exit(serve_with_shop(port, lambda: _say_demonstration(keep)))


def _say_demonstration(kept: Path | None) -> None:
    click.get_current_context().invoke(welcome)
    context().database.close()
    click.echo(f"  Ctrl+C ends it. {f'What was made stays in {kept}' if kept else 'All of it is deleted then'}.\n")
