"""Receipts, keys, ledgers, and letting records go."""

import os
import sys
from typing import Any

import click
from flask.cli import AppGroup

from consent_server.cli.report import progress, refusing
from consent_server.extensions import services
from consent_server.signing import KeyRing, new_key_set
from consent_server.usecases.check_ledger import check_ledger, kept_checkpoints
from consent_server.usecases.erase_visitor import erase_visitor
from consent_server.usecases.run_retention import run_retention
from consent_server.usecases.seal_ledger import seal_ledger
from consent_server.usecases.verify_receipt import verify_offline

receipt = AppGroup("receipt", help="Receipts.")
key = AppGroup("key", help="Signing keys.")
ledger = AppGroup("ledger", help="Ledgers: seal and check them.")
retention = AppGroup("retention", help="Let proofs go when their time is over.")
visitor = AppGroup("visitor", help="Visitors' rights.")


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


@key.command("new")
def new_keys() -> None:
    """Print a new key set, for CONSENT_SIGNING_KEYS or a file of mode 0600."""
    click.echo(new_key_set())


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
    report = check_ledger(services().database, services().keys.ring, site_key, notes, progress("leaves checked"))
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
    show = progress("removed")
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
