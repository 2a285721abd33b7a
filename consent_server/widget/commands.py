"""Notices as they were shown."""

import click
from flask.cli import AppGroup

from consent_server.core.context import context
from consent_server.core.terminal import progress, refusing
from consent_server.sites.find import find_site
from consent_server.widget.chromium import Chromium
from consent_server.widget.picture_notice import picture_missing

notice = AppGroup("notice", help="Notices as they were shown.")


@notice.command("picture")
@click.argument("site_key", metavar="SITE")
@refusing
def picture(site_key: str) -> None:
    """Take the dated pictures of a site's banners that are missing. Needs a Chromium; a second each."""
    ctx = context()
    find_site(ctx.database, site_key)
    show, taken = progress("pictures taken"), 0
    for taken, _ in enumerate(
        picture_missing(ctx.database, Chromium.find(ctx.settings.chromium), ctx.now, site_key), 1
    ):
        show(taken)
    click.echo(f"{taken} picture{'' if taken == 1 else 's'} taken")
