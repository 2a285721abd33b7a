"""`consent doctor`: what is wrong, and how it is mended."""

import sys
from collections.abc import Iterable

import click
from flask.cli import with_appcontext

from consent_server.core.context import context
from consent_server.core.terminal import refusing, say
from consent_server.health.examine import examine_page, examine_server, examine_site, home_page
from consent_server.health.fetch_page import may_fetch
from consent_server.health.rules_findings import Finding, Level, quoted
from consent_server.sites.find import find_site, list_sites
from consent_server.sites.rules_site import StoredSite


@click.command("doctor")
@click.argument("site", required=False)
@click.option("--page", metavar="URL", help="A page of SITE, on one of its origins or on this machine.")
@with_appcontext
@refusing
def doctor(site: str | None, page: str | None) -> None:
    """Say what is wrong with the server, with SITE and with a page of it, and how it is mended.

    Without --page the home page of the site's first origin is looked at. Exits with 1 when something is wrong.
    """
    if page and not site:
        raise click.UsageError("--page needs the SITE that the page is of.")
    told = _tell(examine_server(context()))
    # Without the database there is nothing more to see.
    if any(finding.level is Level.OK and finding.about == "database" for finding in told):
        database = context().database
        for stored in [find_site(database, site)] if site else list_sites(database):
            told += _tell(examine_site(context(), stored))
            if site:
                told += _tell_page(stored, page)
    if any(finding.level is Level.WRONG for finding in told):
        sys.exit(1)


def _tell_page(stored: StoredSite, page: str | None) -> list[Finding]:
    if page and not may_fetch(page, stored.site):
        origins = ", ".join(stored.site.origins)
        raise click.BadParameter(
            f"it must be on this machine or on an origin of the site: {origins}", param_hint="--page"
        )
    url = page or home_page(stored)
    if url is None:
        return _tell([Finding(Level.NOTE, stored.site.key, "No page was looked at: name one with --page.")])
    return _tell(examine_page(context(), stored, url, Level.WRONG if page else Level.NOTE))


def _tell(findings: Iterable[Finding]) -> list[Finding]:
    """Print each as soon as it is known."""
    told = []
    for finding in findings:
        say(f"{finding.level.value:<5}  {quoted(finding.about)}: {quoted(finding.said, 1000)}")
        told.append(finding)
    return told
