"""Make the scans that were asked for, one after another, and keep them."""

import json
from collections.abc import Callable

from consent_server.core.context import Context
from consent_server.core.errors import Refusal
from consent_server.health.fetch_page import is_loopback
from consent_server.scans import store as scans
from consent_server.scans.ask_scan import is_of
from consent_server.scans.devtools import BrowserFailed
from consent_server.scans.known_vendors import named_vendors
from consent_server.scans.own_network import OwnNetwork, is_named, pinned
from consent_server.scans.profile import PageFailed
from consent_server.scans.read_json import write_pictures
from consent_server.scans.rules import ReadNotice, Scan
from consent_server.scans.rules_kept import AskedScan
from consent_server.scans.scan import Wanted, scan_site
from consent_server.scans.write_json import scan_json
from consent_server.sites.current_site import CurrentSites
from consent_server.widget.chromium import Chromium

Look = Callable[[Wanted], Scan]


def make_scan(ctx: Context, look: Look | None = None) -> str | None:
    """Make the one that waits longest; the site's key, None where none waits.

    No transaction is open while the browser works. `look` is how it is done, with Chromium if nothing else is said.
    """
    # Asked every few seconds, and nearly always for nothing.
    with ctx.database.reading() as session:
        if not scans.is_waiting(session):
            return None
    with ctx.database.transaction() as session:
        asked = scans.take(session, ctx.now())
    if asked is None:
        return None
    try:
        wanted = _wanted(ctx, asked)
        done = look(wanted) if look else scan_site(Chromium.find(ctx.settings.chromium), wanted, ctx.now)
    except (BrowserFailed, PageFailed, OwnNetwork) as error:
        _fail(ctx, asked, str(error))
    except Refusal as refusal:
        _fail(ctx, asked, refusal.detail)
    else:
        kept, pictures = json.dumps(scan_json(done), ensure_ascii=False), write_pictures(done.pictures)
        counts = len(done.wrong), len(done.unseen)
        with ctx.database.transaction() as session:
            scans.finish(session, asked.number, ctx.now(), *counts, kept, pictures)
    return asked.site


def _wanted(ctx: Context, asked: AskedScan) -> Wanted:
    """A scan of the site's own pages, compared with the notice in force."""
    current = ctx[CurrentSites].get(asked.site)
    site, local = current.site, is_loopback(ctx.settings.public_url)
    exact = [origin for origin in site.origins if not origin.endswith("*")]
    return Wanted(
        (asked.url,),
        flags=pinned(exact, asked.url, local),
        may_open=lambda url: is_of(url, site),
        may_frame=lambda url: local or not is_named(url),
        notice=ReadNotice(site.key, current.notice.hash, named_vendors(current.notice)),
    )


def _fail(ctx: Context, asked: AskedScan, why: str) -> None:
    with ctx.database.transaction() as session:
        scans.fail(session, asked.number, ctx.now(), why)
