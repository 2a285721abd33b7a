"""`consent evidence …`: packs that prove a site's records to a third party."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click
from flask.cli import AppGroup

from consent_server.audit import verify as verifier
from consent_server.audit.export import export_evidence
from consent_server.core.context import context
from consent_server.core.files import OUTPUT, STANDARD_OUTPUT, write_whole
from consent_server.core.terminal import progress, refusing
from consent_server.core.times import midnight
from consent_server.sites.find import find_site

evidence = AppGroup("evidence", help="Evidence packs for whoever audits.")

DAY = click.DateTime(["%Y-%m-%d"])


@evidence.command("export")
@click.argument("site_key", metavar="SITE")
@click.option("--from", "since", type=DAY, help="First day, on the site's clock; default: from the beginning.")
@click.option("--to", "until", type=DAY, help="Last day, included; default: until now.")
@click.option("-o", "--output", required=True, type=OUTPUT, help="The zip; - for standard output.")
@refusing
def export(site_key: str, since: datetime | None, until: datetime | None, output: Path) -> None:
    """Write a pack. A file appears only when it is whole."""
    ctx = context()
    if since and until and since > until:
        raise click.BadParameter("must not be before --from.", param_hint="--to")
    time_zone = find_site(ctx.database, site_key).site.time_zone
    first = midnight(since.date(), time_zone) if since else None
    end = midnight(until.date() + timedelta(days=1), time_zone) if until else None
    size = 0
    with write_whole(output) as file:
        for piece in export_evidence(
            ctx.database, ctx.keys.ring, ctx.settings.public_url, ctx.now, site_key, first, end,
            progress("records written"),
        ):  # fmt: skip
            size += file.write(piece)
    # Standard output may be the pack.
    click.echo(f"{output} written, {size} bytes", err=output == STANDARD_OUTPUT)


@evidence.command("verify", with_appcontext=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--checkpoint", "kept", multiple=True, type=click.Path(exists=True), help="A checkpoint that you kept.")
def verify(file: str, kept: tuple[str, ...]) -> None:
    """Check a pack with this server's own verify.py, not with the one that the pack carries, and ask no database."""
    arguments = [file]
    for path in kept:
        arguments += ["--checkpoint", path]
    sys.exit(verifier.main(arguments))
