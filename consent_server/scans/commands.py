"""`consent scan`: what a site does in a browser, whatever it says."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from consent_server.core.errors import Refusal
from consent_server.core.rules_address import address_fault
from consent_server.core.terminal import plain, say
from consent_server.core.times import utc_now
from consent_server.scans.devtools import BrowserFailed
from consent_server.scans.profile import PageFailed
from consent_server.scans.rules import Scan
from consent_server.scans.scan import Wanted, scan_site
from consent_server.scans.write_json import scan_json
from consent_server.scans.write_page import scan_page
from consent_server.scans.write_text import scan_lines
from consent_server.widget.chromium import Chromium

# Found something is 1, as with any check; this is "nobody can say".
COULD_NOT_LOOK = 2
FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("scan")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--pages", type=click.IntRange(1, 100), default=5, show_default=True, help="Pages to look at, at most.")
@click.option(
    "--timeout", type=click.IntRange(2, 300), default=20, show_default=True, help="Seconds that a page may take."
)
@click.option("--ignore-robots", is_flag=True, help="Also pages that robots.txt asks robots not to look at.")
@click.option("--allow", metavar="HOST", multiple=True, help="A host that the site needs, such as *.cdn.example.")
@click.option("--json", "as_json", is_flag=True, help="Print all that was seen as JSON (docs/formats/scan.md).")
@click.option("--html", type=FILE, help="Write a page to read, with pictures.")
@click.option(
    "--resolve",
    metavar="RULES",
    help="Where hosts are (Chromium's --host-resolver-rules): for test systems.",
)
def scan(
    urls: Sequence[str],
    pages: int,
    timeout: int,
    ignore_robots: bool,
    allow: Sequence[str],
    as_json: bool,
    html: Path | None,
    resolve: str | None,
) -> None:
    """Look at a site in Chromium: before a choice, after a refusal, after a grant and after a withdrawal.

    It works on any site, with our banner, another tool's or none. A start page is named, more are found in its sitemap
    and its links. Nobody but the site and those whom its pages load is asked for anything. Exits with 0 when nothing
    was found, 1 when something was, 2 when it could not look.
    """
    for url in urls:
        if fault := address_fault(url, query=True):
            raise click.BadParameter(f"{url}: it {fault}", param_hint="URL")
    flags = (f"--host-resolver-rules={resolve}", "--ignore-certificate-errors") if resolve else ()
    wanted = Wanted(tuple(urls), max(pages, len(urls)), timeout, not ignore_robots, allowed=tuple(allow), flags=flags)
    done = _scanned(wanted)
    if html:
        html.write_text(scan_page(done), "utf-8")
    if as_json:
        click.echo(json.dumps(scan_json(done), ensure_ascii=False, indent=2))
    else:
        for line in scan_lines(done):
            say(line)
        if html:
            say(f"The page to read is {html}.")
    sys.exit(done.exit_code)


def _scanned(wanted: Wanted) -> Scan:
    shown = sys.stderr.isatty()

    def tell(step: str) -> None:
        if shown:
            # The line is drawn over by the next one.
            click.echo(f"\r\x1b[K{plain(step)[:100]}", nl=False, err=True)

    try:
        return scan_site(Chromium.find(os.environ.get("CONSENT_CHROMIUM")), wanted, utc_now, tell)
    except Refusal as refusal:
        said = refusal.detail
    except (BrowserFailed, PageFailed) as error:
        said = str(error)
    finally:
        tell("")
    say(f"Nothing could be looked at. {said}", err=True)
    sys.exit(COULD_NOT_LOOK)
