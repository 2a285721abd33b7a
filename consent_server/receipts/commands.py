"""Receipts, ledgers, and letting records go."""

import os
import sys
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup

from consent_server.core.context import services
from consent_server.core.errors import InvalidSettings
from consent_server.core.keys import KeyRing
from consent_server.core.terminal import counting, progress, refusing
from consent_server.ledger.check import check_ledger
from consent_server.ledger.check_cosignatures import check_cosignatures
from consent_server.ledger.check_public import check_public_ledger
from consent_server.ledger.check_timestamps import check_timestamps
from consent_server.ledger.read import read_verifier_keys
from consent_server.ledger.regrow import kept_checkpoints
from consent_server.ledger.rules_removal import answer_by
from consent_server.ledger.rules_witness import is_prefix
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.timestamp import timestamp_ledger
from consent_server.ledger.witness import witness_ledger
from consent_server.receipts.erase_visitor import erase_requested, erase_visitor
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.receipts.run_retention import run_retention
from consent_server.receipts.verify import verify_offline
from consent_server.sites.find import find_site

# What is no text is read too, so that whoever parses it says what it should have been.
TEXT = click.File("r", encoding="utf-8", errors="replace")
# What --requested says without a site; no site has this key.
EVERY = "*"

receipt = AppGroup("receipt", help="Receipts.")
ledger = AppGroup("ledger", help="Ledgers: seal them, have them witnessed and timestamped, check them.")
retention = AppGroup("retention", help="Let proofs go when their time is over.")
visitor = AppGroup("visitor", help="Visitors' rights.")


def _address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    if url is not None and not is_prefix(url):
        raise click.BadParameter("must be http:// or https:// with a host, and without a query.")
    return url


@receipt.command("verify")
@click.argument("file", type=TEXT)
@click.option("--jwks", type=TEXT, help="Published keys; default: this server's own.")
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


@ledger.command("seal")
@refusing
def seal() -> None:
    """Seal new records now. The server does so by itself; this is for those who run it rarely."""
    our, show = services(), counting("sealed")
    for sealed in seal_ledger(our.database, our.keys.ring, our.now, progress=show):
        click.echo(f"site {sealed.site_id}: {sealed.records} sealed, {sealed.size} in all")


@ledger.command("timestamp")
@click.argument("site_key", metavar="[SITE]", required=False)
@refusing
def timestamp(site_key: str | None) -> None:
    """Have the timestamp authority stamp what it has not yet. The server does so by itself; this does it now."""
    our = services()
    if our.authority is None:
        raise InvalidSettings("No timestamp authority is set: set CONSENT_TIMESTAMP_URL and its roots.")
    for stamped in timestamp_ledger(our.database, our.authority, our.now, site_key, at_once=True):
        click.echo(stamped)


@ledger.command("key")
@click.argument("site_key", metavar="SITE")
@refusing
def verifier_keys(site_key: str) -> None:
    """Print the verifier keys of a ledger, oldest first, as witnesses and other readers of notes are given them."""
    for vkey in read_verifier_keys(services().database, services().keys.ring, site_key):
        click.echo(vkey)


@ledger.command("witness")
@click.argument("site_key", metavar="[SITE]", required=False)
@refusing
def witness(site_key: str | None) -> None:
    """Have the newest checkpoint cosigned now, of one site or of all. The server does so by itself."""
    our = services()
    if not our.settings.witnesses:
        raise InvalidSettings("No witnesses are set: set CONSENT_WITNESSES or CONSENT_WITNESSES_FILE.")
    failed = False
    for done in witness_ledger(our.database, our.settings.witnesses, our.now, site_key):
        failed |= not done.ok
        verdict = "ok   " if done.ok else "ALARM" if done.forked else "FAIL "
        click.echo(f"{verdict} {done.site} {done.size}: {done.witness}: {done.detail}")
    if failed:
        sys.exit(1)


@ledger.command("check")
@click.argument("site_key", metavar="SITE")
@click.option("--checkpoint", "kept", multiple=True, type=TEXT, help="Checkpoints that you kept: a note, or the feed.")
@click.option("--from", "url", metavar="URL", callback=_address, help="Ask the server there, as anyone elsewhere can.")
@refusing
def check_site_ledger(site_key: str, kept: tuple[Any, ...], url: str | None) -> None:
    """Replay a ledger from its records, or with --from from its public bytes, and compare with what others hold."""
    notes = kept_checkpoints([(file.name, file.read()) for file in kept])
    show = progress("leaves checked")
    if url is not None:
        report, beside = check_public_ledger(url, site_key, notes, show), []
    else:
        report = check_ledger(services().database, services().keys.ring, site_key, notes, show)
        beside = _check_beside(site_key)
    removed = f"{report.removed} removed, " if url is None else ""
    click.echo(f"{report.leaves} leaves, {removed}{report.checkpoints} checkpoints, {len(notes)} kept")
    for kind, count in report.archive.items():
        click.echo(f"{count} {kind}")
    faults = [*report.faults, *beside]
    for fault in faults:
        click.echo(f"FAIL {fault}")
    if report.untold:
        click.echo(f"and {report.untold} more")
    if faults:
        sys.exit(1)
    click.echo("ok: nothing was altered, inserted, removed or moved")


def _check_beside(site_key: str) -> list[str]:
    """Say how many cosignatures and timestamps hold; the faults of the others."""
    our = services()
    cosigned = check_cosignatures(our.database, our.settings.witnesses, our.now(), site_key)
    for name, count in cosigned.verified.items():
        click.echo(f"{count} checkpoints cosigned by {name}")
    for name, count in cosigned.unknown.items():
        click.echo(f"{count} checkpoints cosigned by {name}: not checked, the settings do not name this key")
    stamped = check_timestamps(our.database, our.settings.timestamp_roots, site_key)
    if stamped.verified:
        click.echo(f"{stamped.verified} timestamps hold")
    if stamped.unchecked:
        click.echo(f"{stamped.unchecked} timestamps: not checked, CONSENT_TIMESTAMP_ROOTS_FILE is not set")
    return [*cosigned.faults, *stamped.faults]


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


@visitor.command("requests")
@click.argument("site_key", metavar="[SITE]", required=False)
@refusing
def list_requests(site_key: str | None) -> None:
    """List the open requests for erasure, oldest first: receipt id, site, when asked, and by when to decide."""
    our = services()
    for one in read_erasure_requests(our.database, _site_id(site_key)):
        until = answer_by(one.asked_at)
        left = (until - our.now()).days
        due = f"{left} days left" if left >= 0 else "overdue"
        click.echo(f"{one.receipt_id}\t{one.site}\tasked {one.asked_at:%Y-%m-%d}\tdecide by {until:%Y-%m-%d}\t{due}")


@visitor.command("erase")
@click.argument("visitor_id", metavar="[ID]", type=click.UUID, required=False)
@click.option(
    "--requested", is_flag=False, flag_value=EVERY, metavar="[SITE]", help="Carry out all open requests, of one site."
)
@refusing
def erase(visitor_id: UUID | None, requested: str | None) -> None:
    """Remove every record of a visitor, or all whose erasure was asked for, behind signed entries."""
    our = services()
    shared = (our.database, our.keys, our.settings.public_url, our.now, os.urandom)
    if requested is not None and visitor_id is None:
        count = erase_requested(*shared, _site_id(None if requested == EVERY else requested), counting("removed"))
    elif visitor_id is not None and requested is None:
        count = erase_visitor(*shared, visitor_id, counting("removed"))
    else:
        raise click.UsageError("Name one visitor by ID, or say --requested.")
    click.echo(f"{count} removed")


def _site_id(key: str | None) -> int | None:
    return find_site(services().database, key).id if key else None
