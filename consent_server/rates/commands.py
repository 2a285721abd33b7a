"""Reports that are shared by a link."""

import click
from flask.cli import AppGroup

from consent_server.core.context import context
from consent_server.core.terminal import refusing
from consent_server.rates.share_report import list_reports, revoke_report

report = AppGroup("report", help="Reports of rates that are shared by a link.")


@report.command("list")
@refusing
def listed() -> None:
    """One line a link that can still be opened: number, site, who shared it, since when, until when."""
    for shared in list_reports(context().database, context().now()):
        days = f"{shared.shared_at:%Y-%m-%d}\t{shared.until:%Y-%m-%d}"
        click.echo(f"{shared.number}\t{shared.site}\t{shared.who}\t{days}")


@report.command("revoke")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@refusing
def revoke(number: int) -> None:
    """Make a link worthless, by its number in the list."""
    revoke_report(context().database, number, context().now())
    click.echo(f"{number} revoked")
