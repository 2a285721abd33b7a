"""Ledgers: seal them, have others hold them, check them."""

import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import click
from flask.cli import AppGroup
from marshmallow import ValidationError

from consent_server.core.context import context
from consent_server.core.errors import InvalidSettings
from consent_server.core.files import TEXT
from consent_server.core.rules_address import address_fault
from consent_server.core.terminal import confirm, counting, progress, refusing, say
from consent_server.core.times import midnight
from consent_server.http.fields import Moment
from consent_server.ledger.check import check_ledger
from consent_server.ledger.check_cosignatures import check_cosignatures
from consent_server.ledger.check_public import check_public_ledger
from consent_server.ledger.check_timestamps import check_timestamps
from consent_server.ledger.correct_clock import correct_clock
from consent_server.ledger.mark_records import mark_records
from consent_server.ledger.read import read_verifier_keys
from consent_server.ledger.recover import recover_ledger, require_lost
from consent_server.ledger.regrow import kept_checkpoints
from consent_server.ledger.remark import Remarker
from consent_server.ledger.request_timestamps import Authority, request_timestamps
from consent_server.ledger.rules_report import Report
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.witness import heed, witness_ledger
from consent_server.sites.find import find_site

ledger = AppGroup("ledger", help="Ledgers, by which nothing is changed unseen.")


def _address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    if url is not None and (fault := address_fault(url)):
        raise click.BadParameter(f"{fault}.")
    return url


@ledger.command("seal")
@refusing
def seal() -> None:
    """Seal new records now. The server does so by itself; this is for those who run it rarely."""
    ctx, show = context(), counting("sealed")
    for sealed in seal_ledger(ctx.database, ctx.keys.ring, ctx.now, progress=show):
        click.echo(f"site {sealed.site_id}: {sealed.records} sealed, {sealed.size} in all")


@ledger.command("timestamp")
@click.argument("site_key", metavar="[SITE]", required=False)
@refusing
def timestamp(site_key: str | None) -> None:
    """Have the timestamp authority stamp what it has not yet. The server does so by itself; this does it now."""
    ctx = context()
    authority = ctx.find(Authority)
    if authority is None:
        raise InvalidSettings("No timestamp authority is set: set CONSENT_TIMESTAMP_URL and its roots.")
    for stamped in request_timestamps(ctx.database, authority, ctx.now, site_key, at_once=True):
        say(stamped)


@ledger.command("key")
@click.argument("site_key", metavar="SITE")
@refusing
def verifier_keys(site_key: str) -> None:
    """Print the verifier keys of a ledger, oldest first, as witnesses and other readers of notes are given them."""
    for vkey in read_verifier_keys(context().database, context().keys.ring, site_key):
        click.echo(vkey)


@ledger.command("witness")
@click.argument("site_key", metavar="[SITE]", required=False)
@refusing
def witness(site_key: str | None) -> None:
    """Have the newest checkpoint cosigned now, of one site or of all. The server does so by itself."""
    ctx = context()
    if not ctx.settings.witnesses:
        raise InvalidSettings("No witnesses are set: set CONSENT_WITNESSES or CONSENT_WITNESSES_FILE.")
    failed = False
    for done in witness_ledger(ctx.database, ctx.settings.witnesses, ctx.now, site_key):
        heed(ctx.keys.guard, done)
        failed |= not done.ok
        verdict = "ok   " if done.ok else "ALARM" if done.forked else "FAIL "
        say(f"{verdict} {done.site} {done.size}: {done.witness}: {done.detail}")
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
        ctx = context()
        report = check_ledger(ctx.database, ctx.keys.ring, site_key, notes, show)
        beside = [
            check_cosignatures(ctx.database, ctx.settings.witnesses, ctx.now(), site_key),
            check_timestamps(ctx.database, ctx.settings.timestamp_roots, site_key),
        ]
    for outside in beside:
        _print_counts(outside.counts)
    leaves, removed, checkpoints = (report.counts.pop(kind, 0) for kind in ("leaves", "removed", "checkpoints"))
    of_these = f"{removed} removed, " if url is None else ""
    say(f"{leaves} leaves, {of_these}{checkpoints} checkpoints, {len(notes)} kept")
    _print_counts(report.counts)
    _print_verdict([report, *beside])


@ledger.command("correct-clock")
@click.argument("site_key", metavar="SITE")
@click.option("--dry-run", is_flag=True, help="Only say which leaves it would name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@refusing
def correct_clock_of(site_key: str, dry_run: bool, yes: bool) -> None:
    """Name the leaves that a wrong clock dated in a signed entry, once the clock is right again."""
    ctx = context()
    if not dry_run:
        confirm(f"It is {ctx.now():%Y-%m-%d %H:%M:%S} UTC. Is that right?", yes)
    remarker = Remarker(ctx.keys.ring, ctx.settings.public_url, ctx.random)
    named = correct_clock(ctx.database, remarker, ctx.now, site_key, dry_run, progress("leaves checked"))
    for first, last in named:
        click.echo(f"leaves {first} to {last}: {'would be ' if dry_run else ''}named as dated by a wrong clock")
    if not named:
        click.echo("Every leaf is dated as it should be; there is nothing to correct.")


def _moment(_: click.Context, parameter: click.Parameter, text: str) -> date:
    try:
        moment: date = Moment(end=parameter.name == "before").deserialize(text)
    except ValidationError as error:
        raise click.BadParameter(str(error.messages[0])) from error
    return moment


@ledger.command("mark")
@click.argument("site_key", metavar="SITE")
@click.option(
    "--from", "since", required=True, metavar="WHEN", callback=_moment, help="A day on the site's clock; or a time."
)
@click.option(
    "--to", "before", required=True, metavar="WHEN", callback=_moment, help="A day, included; or a time, not."
)
@click.option("--reason", required=True, help="One line, for whoever reads the ledger.")
@click.option("--dry-run", is_flag=True, help="Only say which leaves it would name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@refusing
def mark(site_key: str, since: date, before: date, reason: str, dry_run: bool, yes: bool) -> None:
    """Say for good in a signed entry that nobody made the records of a span: a program did, or a test. They stay."""
    ctx = context()
    remarker = Remarker(ctx.keys.ring, ctx.settings.public_url, ctx.random)
    time_zone = find_site(ctx.database, site_key).site.time_zone
    begin, end = (at if isinstance(at, datetime) else midnight(at, time_zone) for at in (since, before))
    shared = (ctx.database, remarker, ctx.now, site_key, begin, end, reason)
    found = mark_records(*shared, dry_run=True)
    if not dry_run:
        count = sum(last - first + 1 for first, last in found)
        confirm(f"Mark {count} records and what is not sealed yet as not genuine? This cannot be taken back.", yes)
        found = mark_records(*shared)
    for first, last in found:
        click.echo(f"leaves {first} to {last}: {'would be ' if dry_run else ''}marked as not genuine")
    if not found:
        click.echo("No record of this span is there that is not marked already.")


@ledger.command("recover")
@click.argument("site_key", metavar="SITE")
@click.option("--checkpoint", "kept", multiple=True, type=TEXT, help="Checkpoints that were kept elsewhere.")
@click.option("--dry-run", is_flag=True, help="Only say what was lost.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@refusing
def recover(site_key: str, kept: tuple[Any, ...], dry_run: bool, yes: bool) -> None:
    """Go on after an older backup was restored: open the ledger that follows, and sign what was lost."""
    ctx = context()
    notes = kept_checkpoints([(file.name, file.read()) for file in kept])
    remarker = Remarker(ctx.keys.ring, ctx.settings.public_url, ctx.random)
    shared = (ctx.database, remarker, ctx.keys.guard, ctx.now, site_key, notes)
    lost = recover_ledger(*shared, dry_run=True)
    require_lost(lost, site_key)
    for gap in lost:
        say(f"{gap.ledger}: {gap.size} leaves were signed, {gap.restored} are here, {gap.lost} are lost")
    if not dry_run:
        confirm("Open a new ledger, and say in it that these are lost for good?", yes)
        recover_ledger(*shared)
        click.echo(f"A new ledger goes on from here. Witnesses need its keys: consent ledger key {site_key}")


def _print_counts(counts: Mapping[str, int]) -> None:
    for kind, count in counts.items():
        say(f"{count} {kind}")


def _print_verdict(reports: Sequence[Report]) -> None:
    faults = [fault for report in reports for fault in report.faults]
    for fault in faults:
        say(f"FAIL {fault}")
    if unlisted := sum(report.unlisted for report in reports):
        click.echo(f"and {unlisted} more")
    if faults:
        sys.exit(1)
    click.echo("ok: nothing was altered, inserted, removed or moved")
