"""Reports that are shared by a link, and remarks on days."""

from datetime import date
from typing import Any

import click
from flask.cli import AppGroup

from consent_server.core.context import context
from consent_server.core.rules_text import read_line
from consent_server.core.terminal import refusing, say
from consent_server.http.fields import COUNTED_DAY, LARGEST_NUMBER
from consent_server.rates.annotate import annotate, list_annotations, remove_annotation
from consent_server.rates.rules_annotations import LONGEST
from consent_server.rates.share_report import list_reports, revoke_report

annotation = AppGroup("annotation", help="Remarks on days, beside the rates.")
report = AppGroup("report", help="Reports of rates that are shared by a link.")


class Text(click.ParamType[str]):
    """What people read beside a chart."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse in the words of the rules."""
        try:
            return read_line(str(value), LONGEST)
        except ValueError as fault:
            return self.fail(str(fault), param, ctx)


class Day(click.ParamType[date]):
    """A day on the site's own clock."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """As in addresses."""
        try:
            if COUNTED_DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        return self.fail("a day such as 2026-11-23 is expected", param, ctx)


@annotation.command("add")
@click.argument("site_key", metavar="SITE")
@click.argument("day", type=Day())
@click.argument("text", type=Text())
@refusing
def annotate_day(site_key: str, day: date, text: str) -> None:
    """Remark on a DAY of a site, as in: consent annotation add shop 2026-11-17 "campaign began"."""
    say(f"annotation {annotate(context().database, site_key, day, text).id}")


@annotation.command("list")
@click.argument("site_key", metavar="SITE")
@refusing
def list_remarks(site_key: str) -> None:
    """One line a remark: number, day, text."""
    for one in list_annotations(context().database, site_key):
        say(f"{one.id}\t{one.day}\t{one.text}")


@annotation.command("remove")
@click.argument("site_key", metavar="SITE")
@click.argument("number", type=click.IntRange(1, LARGEST_NUMBER))
@refusing
def remove_remark(site_key: str, number: int) -> None:
    """Take a remark back, by its number in the list."""
    remove_annotation(context().database, site_key, number)
    click.echo(f"{number} removed")


@report.command("list")
@refusing
def listed() -> None:
    """One line a link that can still be opened: number, site, who shared it, since when, until when."""
    for shared in list_reports(context().database, context().now()):
        days = f"{shared.shared_at:%Y-%m-%d}\t{shared.until:%Y-%m-%d}"
        click.echo(f"{shared.number}\t{shared.site}\t{shared.who}\t{days}")


@report.command("revoke")
@click.argument("number", type=click.IntRange(1, LARGEST_NUMBER))
@refusing
def revoke(number: int) -> None:
    """Make a link worthless, by its number in the list."""
    revoke_report(context().database, number, context().now())
    click.echo(f"{number} revoked")
