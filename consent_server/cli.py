"""Commands: `flask --app wsgi …`, in the venv also `consent …`. They call use cases and say what these did."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from flask import Flask
from flask.cli import AppGroup

from consent_server.domain.errors import InvalidSiteFile, Refusal
from consent_server.extensions import services
from consent_server.signing import KeyRing
from consent_server.site_file import read_site_file
from consent_server.storage import notices, sites
from consent_server.usecases.check_ledger import check_ledger, kept_checkpoints
from consent_server.usecases.erase_visitor import erase_visitor
from consent_server.usecases.publish_notice import Published, publish_notice
from consent_server.usecases.run_retention import run_retention
from consent_server.usecases.seal_ledger import seal_ledger
from consent_server.usecases.verify_receipt import verify_offline

P = ParamSpec("P")
R = TypeVar("R")

site = AppGroup("site", help="Sites and their notices.")
receipt = AppGroup("receipt", help="Receipts.")
key = AppGroup("key", help="Signing keys.")
ledger = AppGroup("ledger", help="Ledgers: seal and check them.")
retention = AppGroup("retention", help="Let proofs go when their time is over.")
visitor = AppGroup("visitor", help="Visitors' rights.")


def register(app: Flask) -> None:
    """Add the commands to the application."""
    for group in (site, receipt, key, ledger, retention, visitor):
        app.cli.add_command(group)
    app.cli.add_command(welcome)


def refusing(command: Callable[P, R]) -> Callable[P, R]:
    """Tell a refusal in words, on stderr, and exit with 1."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Refusal as refusal:
            click.echo(refusal.detail, err=True)
            for fault in refusal.faults:
                click.echo(f"  {fault.pointer}: {fault.detail}", err=True)
            sys.exit(1)

    return wrapper


def site_tag(site_key: str) -> str:
    """The one line that a site pastes."""
    return f'<script async src="{services().settings.public_url}/widget/{site_key}.js"></script>'


@site.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only say what would change.")
@refusing
def apply_site(file: Path, check: bool) -> None:
    """Apply a site file; publish a new notice when a visitor would see a difference."""
    try:
        declared = read_site_file(file.read_text("utf-8"))
    except InvalidSiteFile as refusal:
        count = len(refusal.faults)
        detail = f"{file.name} is refused, {count} fault{'s' if count > 1 else ''}:"
        raise InvalidSiteFile(detail, refusal.faults) from refusal
    except UnicodeDecodeError as error:
        raise InvalidSiteFile(f"{file.name} is refused: it is not UTF-8 ({error.reason}).") from error
    published = publish_notice(
        services().database, declared, services().settings.public_url, services().now(), check_only=check
    )
    _say_published(declared, published, check)


def _say_published(declared: dict[str, Any], published: Published, check: bool) -> None:
    would = "would be " if check else ""
    accent, used = declared["banner"]["colours"]["accent"].lower(), published.colours["accent"]
    if accent != used:
        click.echo(f"contrast: accent {accent} {would}corrected to {used}")
    if published.new_notice:
        click.echo(
            f"notice {published.notice} {would}published{' for the first time' if not published.previous else ''}"
        )
    else:
        click.echo(f"notice {published.notice} unchanged")
    if published.settings_changed:
        click.echo(f"settings {would}changed")
    click.echo(f"tag {site_tag(published.site.key)}")


@click.command("welcome")
@refusing
def welcome() -> None:
    """Say where to look first: the demo page and the tag of each site."""
    click.echo(f"\n  Demo page   http://127.0.0.1:{os.environ.get('DEMO_PORT', '8001')}/")
    with services().database.reading() as session:
        for stored in sites.every(session):
            click.echo(f"  Tag         {site_tag(stored.site.key)}")
    click.echo("")


@site.command("list")
@refusing
def list_sites() -> None:
    """One line a site: key, name, notice in force."""
    with services().database.reading() as session:
        for stored in sites.every(session):
            notice = notices.in_force(session, stored.id)
            click.echo(f"{stored.site.key}\t{stored.site.name}\t{notice.notice.hash if notice else '-'}")


@receipt.command("verify")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--jwks", type=click.File("r", encoding="utf-8"), help="Published keys; default: this server's own.")
@refusing
def verify(file: Any, jwks: Any) -> None:
    """Check a receipt (a compact JWS in FILE, - for stdin) with published keys, without a network."""
    ring = KeyRing.from_jwks(jwks.read()) if jwks else services().keys.ring
    verification = verify_offline(file.read().strip(), ring)
    for check in verification.checks:
        click.echo(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
    if not verification.valid:
        sys.exit(1)
    for name, value in verification.claims.items():
        click.echo(f"     {name}: {value}")


@key.command("rotate")
@refusing
def rotate() -> None:
    """Sign with a new key from now on; old public keys stay published."""
    click.echo(f"new key {services().keys.rotate()}")


@ledger.command("seal")
@refusing
def seal() -> None:
    """Seal new records now. The server does so by itself; this is for those who run it rarely."""
    for sealed in seal_ledger(services().database, services().keys.ring, services().now):
        click.echo(f"site {sealed.site_id}: {sealed.records} sealed, {sealed.size} in all")


@ledger.command("check")
@click.argument("site_key", metavar="SITE")
@click.option(
    "--checkpoint", "kept", multiple=True, type=click.File("r", encoding="utf-8"), help="A checkpoint that you kept."
)
@refusing
def check_site_ledger(site_key: str, kept: tuple[Any, ...]) -> None:
    """Replay a ledger from its records, and compare with checkpoints that somebody kept."""
    notes = list(kept_checkpoints([file.read() for file in kept]))
    report = check_ledger(services().database, services().keys.ring, site_key, notes, _progress("leaves checked"))
    click.echo(f"{report.leaves} leaves, {report.removed} removed, {report.checkpoints} checkpoints, {len(notes)} kept")
    for fault in report.faults:
        click.echo(f"FAIL {fault}")
    if report.faults:
        sys.exit(1)
    click.echo("ok: nothing was altered, inserted, removed or moved")


@retention.command("run")
@refusing
def run_retention_now() -> None:
    """Remove records whose proof retention is over, behind signed entries."""
    total = 0
    show = _progress("removed")
    our = services()
    for _, count in run_retention(our.database, our.keys, our.settings.public_url, our.now, os.urandom):
        total += count
        show(total)
    click.echo(f"{total} removed")


@visitor.command("erase")
@click.argument("visitor_id", metavar="ID", type=click.UUID)
@refusing
def erase(visitor_id: Any) -> None:
    """Remove every record of a visitor, behind a signed entry."""
    our = services()
    count = erase_visitor(our.database, our.keys, our.settings.public_url, our.now, os.urandom, visitor_id)
    click.echo(f"{count} removed")


def _progress(what: str) -> Callable[[int], None]:
    """Shows a growing number on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda number: click.echo(f"\r{number} {what}", nl=False, err=True)
