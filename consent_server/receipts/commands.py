"""Receipts, and letting records go."""

import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

import click
from flask.cli import AppGroup, with_appcontext

from consent_server.core.context import context
from consent_server.core.database import Database
from consent_server.core.errors import InvalidProof
from consent_server.core.files import TEXT
from consent_server.core.keys import KeyRing
from consent_server.core.terminal import confirm, counting, destructive, progress, refusing, say
from consent_server.decisions.encrypt_records import not_rewritten, read_encryption, rewrite_once
from consent_server.receipts.count_removable import count_of_visitor, count_over, count_requested
from consent_server.receipts.decide_request import refuse
from consent_server.receipts.erase_visitor import erase_requested, erase_visitor
from consent_server.receipts.pasted import receipt_in
from consent_server.receipts.prove import read_proof
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.receipts.run_retention import run_retention
from consent_server.receipts.verify import verify_offline
from consent_server.sites.find import find_site
from consent_server.sites.rules_rights import answer_by

# What --requested says without a site; no site has this key.
EVERY = "*"

receipt = AppGroup("receipt", help="Receipts that visitors hold.")
retention = AppGroup("retention", help="Proofs whose time is over.")
visitor = AppGroup("visitor", help="What visitors ask for their records.")


@receipt.command("verify", with_appcontext=False)
@click.argument("file", type=TEXT)
@click.option("--jwks", type=TEXT, help="Published keys; default: this server's own.")
@click.option("--proof", type=TEXT, help="Its proof from the ledger: what a receipt of a revoked key needs to hold.")
@refusing
def verify(file: Any, jwks: Any, proof: Any) -> None:
    """Check a receipt (a compact JWS in FILE, - for stdin) with published keys, without a network.

    It may be wrapped, indented or quoted, as in a mail.
    """
    ring = KeyRing.from_jwks(jwks.read()) if jwks else _own_keys()
    verification = verify_offline(receipt_in(file.read()), ring, read_proof(proof.read()) if proof else None)
    if not verification.readable:
        raise InvalidProof(verification.checks[0].detail)
    for check in verification.checks:
        say(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
    if not verification.valid:
        sys.exit(1)
    for name, value in verification.claims.items():
        say(f"     {name}: {value}")


@with_appcontext
def _own_keys() -> KeyRing:
    return context().keys.ring


@retention.command("run")
@click.option(
    "--rewrite-files", is_flag=True, help="Then write all files of the database anew; nobody can decide meanwhile."
)
@destructive
@refusing
def run_retention_now(rewrite_files: bool, dry_run: bool, yes: bool) -> None:
    """Remove records whose proof retention is over, behind signed entries."""
    ctx = context()
    _rehearse(count_over(ctx.database, ctx.now()), "whose retention is over", dry_run, yes)
    total, show = 0, progress("removed")
    for _, count in run_retention(ctx.database, ctx.keys, ctx.settings.public_url, ctx.now, os.urandom):
        total += count
        show(total)
    click.echo(f"{total} removed")
    if rewrite_files:
        rewrite_once(ctx.database)
        click.echo("files rewritten")
    _say_what_may_remain(ctx.database)


@visitor.command("requests")
@click.argument("site_key", metavar="[SITE]", required=False)
@refusing
def list_requests(site_key: str | None) -> None:
    """List the open requests for erasure, oldest first: receipt id, site, when asked, and by when to decide."""
    ctx = context()
    for request in read_erasure_requests(ctx.database, _site_id(site_key)):
        until = answer_by(request.asked_at)
        left = (until - ctx.now()).days
        due = f"{left} days left" if left >= 0 else "overdue"
        decide = f"decide by {until:%Y-%m-%d}\t{due}"
        say(f"{request.receipt_id}\t{request.site}\tasked {request.asked_at:%Y-%m-%d}\t{decide}")


@visitor.command("refuse")
@click.argument("site_key", metavar="SITE")
@click.argument("receipt_id", metavar="RECEIPT")
@click.option("--reason", required=True, help="What the visitor reads on the page of the receipt.")
@refusing
def refuse_request(site_key: str, receipt_id: str, reason: str) -> None:
    """Refuse a visitor's request for erasure, and tell the visitor why."""
    ctx = context()
    refuse(ctx.database, find_site(ctx.database, site_key), receipt_id, reason, ctx.now(), "the command line")
    click.echo("refused")


class VisitorId(click.ParamType[UUID]):
    """An identifier as records have it, or as a browser keeps it, with its tag."""

    name = "uuid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """Fails like click's own type for what is no UUID."""
        return click.UUID.convert(str(value).partition(".")[0], param, ctx)


@visitor.command("erase")
@click.argument("visitor_id", metavar="[ID]", type=VisitorId(), required=False)
@click.option(
    "--requested", is_flag=False, flag_value=EVERY, metavar="[SITE]", help="Carry out all open requests, of one site."
)
@destructive
@refusing
def erase(visitor_id: UUID | None, requested: str | None, dry_run: bool, yes: bool) -> None:
    """Remove every record of a visitor, or all whose erasure was asked for, behind signed entries."""
    ctx = context()
    shared = (ctx.database, ctx.keys, ctx.settings.public_url, ctx.now, os.urandom)
    if requested is not None and visitor_id is None:
        site_id = _site_id(None if requested == EVERY else requested)
        _rehearse(count_requested(ctx.database, site_id), "whose erasure was asked for", dry_run, yes)
        count = erase_requested(*shared, site_id, counting("removed"))
    elif visitor_id is not None and requested is None:
        found = count_of_visitor(ctx.database, visitor_id)
        if not found and dry_run:
            _say_unknown(visitor_id)
        _rehearse(found, "of this visitor", dry_run, yes)
        # Also where nothing was found: an erasure that was cut short may have left keys in the files.
        count = erase_visitor(*shared, visitor_id, counting("removed"))
        if not count:
            _say_unknown(visitor_id)
    else:
        raise click.UsageError("Give the ID of one visitor, or --requested.")
    click.echo(f"{count} removed")
    _say_what_may_remain(ctx.database)


def _say_unknown(visitor_id: UUID) -> NoReturn:
    say(f"No record here is of a visitor {visitor_id}. The id is `sub` of a receipt, and `i` of the cookie.", err=True)
    sys.exit(1)


def _rehearse(counts: Mapping[str, int], which: str, dry_run: bool, yes: bool) -> None:
    """Say what would be removed and end, or ask whether it shall be."""
    total = sum(counts.values())
    records = f"{total:,} record{'' if total == 1 else 's'} {which}"
    sites = ", ".join(f"{key} {count:,}" for key, count in counts.items())
    told = f"{records} ({sites})" if counts else records
    if dry_run:
        say(f"{told} would be removed")
        sys.exit(0)
    if total:
        confirm(f"Remove {told}? That cannot be taken back.", yes, scheduled=True)


def _say_what_may_remain(database: Database) -> None:
    found = read_encryption(database)
    if not found.rewritten:
        click.echo(not_rewritten(found), err=True)


def _site_id(key: str | None) -> int | None:
    return find_site(context().database, key).id if key else None
