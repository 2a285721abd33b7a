"""Look for what is wrong with a server, with its sites and with a page of one, as `consent doctor` tells it."""

import os
from collections.abc import Iterator, Mapping
from datetime import date
from urllib.parse import urlsplit

from consent_server.core import outgoing
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.core.migrations import require_migrated
from consent_server.core.outgoing import Unanswered
from consent_server.core.rules_text import meant
from consent_server.core.settings import NAMES, unknown_settings
from consent_server.decisions.encrypt_records import not_rewritten, read_encryption
from consent_server.decisions.read_refused import refused_lately
from consent_server.decisions.rules_refused import mend
from consent_server.health import store as figures
from consent_server.health.examine_front import examine_front
from consent_server.health.fetch_page import Fetched, fetch_page, is_loopback, may_fetch, origin_of
from consent_server.health.rules_examine import Expected, examine
from consent_server.health.rules_findings import Finding, Level
from consent_server.health.rules_page import Page, read_page
from consent_server.health.rules_vendors import KnownVendor
from consent_server.ledger.read_stopped import read_stopped
from consent_server.sites import catalogue
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.draft_site_file import EXAMPLE_ADDRESS
from consent_server.sites.find import list_sites
from consent_server.sites.rules_site import StoredSite

# Refused posts of so many days are told, the most frequent of them.
DAYS, MOST_REFUSED = 7, 20
LONGEST_SCRIPT = 1_000_000
NO_PROXY = (
    "CONSENT_TRUSTED_PROXIES is 0, yet the public address is not this machine's own: put a web server that takes whole "
    "requests before it hands them on, such as nginx, in front and set 1, or all visitors share one rate limit and "
    "whoever opens many connections keeps others out (docs/servers.md)."
)


def examine_server(ctx: Context, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The settings, and then the database: where it is wrong, nothing more can be seen."""
    for name in unknown_settings(environ):
        yield Finding(Level.WRONG, "settings", f"{name} is none of them and has no effect.{meant(name, NAMES)}")
    if not is_loopback(ctx.settings.public_url):
        yield from examine_front(ctx) if ctx.settings.trusted_proxies else [Finding(Level.WRONG, "settings", NO_PROXY)]
    try:
        applied = require_migrated(ctx.database)
    except StorageUnavailable as refusal:
        yield Finding(Level.WRONG, "database", refusal.detail)
        return
    yield Finding(Level.OK, "database", f"It answers, and migration {applied} is the newest.")
    encryption = read_encryption(ctx.database)
    if not encryption.rewritten:
        yield Finding(Level.NOTE, "database", not_rewritten(encryption))
    for site, why in read_stopped(ctx.database, ctx.keys.ring, ctx.now()).items():
        yield Finding(Level.WRONG, site, f"Its records are kept and not sealed. {why}")


def examine_site(ctx: Context, stored: StoredSite) -> Iterator[Finding]:
    """What visitors read that nobody wrote, what came in from a site's pages, and what was refused in the last days."""
    key = stored.site.key
    if ctx[CurrentSites].get(key).notice.controller["address"] == EXAMPLE_ADDRESS:
        said = f'Visitors read "{EXAMPLE_ADDRESS}": put the address of who asks into the site file, at [controller].'
        yield Finding(Level.NOTE, key, said)
    yield from _old_proposals(stored, ctx.now().date())
    with ctx.database.reading() as session:
        last = figures.last_decision(session, stored.id)
    if last is None:
        yield Finding(Level.NOTE, key, "No decision has been recorded yet.")
    else:
        yield Finding(Level.OK, key, f"The last decision was recorded on {last:%Y-%m-%d at %H:%M} UTC.")
    refused = refused_lately(ctx.database, stored, ctx.now(), DAYS)
    for each in refused[:MOST_REFUSED]:
        yield Finding(Level.WRONG, key, f"In the last {DAYS} days {mend(each)}")
    if not refused:
        yield Finding(Level.OK, key, f"No post was refused in the last {DAYS} days.")


def _old_proposals(stored: StoredSite, today: date) -> Iterator[Finding]:
    """What the table of places says of the site's regions, where nobody looked for a year."""
    rows = [row for region in stored.site.regions for code in region.places for row in catalogue.places().named(code)]
    if old := {row.name: row.reviewed for row in rows if row.is_old(today)}:
        said = (
            f"For more than a year nobody looked what the law asks for in {', '.join(old)} (last on "
            f"{min(old.values())}). Do the site's regions still fit? `consent place show CODE` has the sources."
        )
        yield Finding(Level.NOTE, stored.site.key, said)


def home_page(stored: StoredSite) -> str | None:
    """The page to look at where none is named: of the first of the site's origins that is one address."""
    return next((f"{origin}/" for origin in stored.site.origins if not origin.endswith("*")), None)


def examine_page(ctx: Context, stored: StoredSite, url: str, unreached: Level = Level.WRONG) -> Iterator[Finding]:
    """A page of the site. Asks that page and the tag in it, on the site's origins, on this machine and here alone.

    `unreached` is how bad it is that the page cannot be looked at: this machine may have no way out.
    """
    try:
        fetched = fetch_page(url, stored.site)
    except Unanswered as error:
        yield Finding(unreached, url, f"The page cannot be looked at: {error}.")
        return
    yield from _answered(fetched, stored)
    current = ctx[CurrentSites].get(stored.site.key)
    policies = fetched.answer.headers.get_all("Content-Security-Policy", [])
    page = read_page(fetched.url, fetched.text, policies)
    yield from examine(page, _expected(ctx, current))
    yield from _script(ctx, current, page)


def _answered(fetched: Fetched, stored: StoredSite) -> Iterator[Finding]:
    answer, origin = fetched.answer, origin_of(fetched.url)
    if answer.status != 200:
        yield Finding(Level.WRONG, fetched.url, f"The page answers {answer.status}.")
    elif answer.content_type not in ("text/html", "application/xhtml+xml"):
        yield Finding(Level.WRONG, fetched.url, f"This is no page but {answer.content_type}.")
    if not stored.site.admits(origin):
        said = f"{origin} is not among the site's `origins`, so that its posts are refused: add it to the site file."
        yield Finding(Level.WRONG, fetched.url, said)


def _expected(ctx: Context, current: CurrentSite) -> Expected:
    tags = {tag.vendor: tag for tag in current.site.tags}
    entries = catalogue.vendors()
    vendors = []
    for key in {**entries, **current.notice.vendors}:
        entry, tag = entries.get(key, {}), tags.get(key)
        vendors.append(
            KnownVendor(
                key=key,
                adapter=entry.get("adapter"),
                hosts=tuple(entry.get("hosts") or (tag.hosts if tag else ())),
                id_pattern=entry.get("id_pattern"),
                sources={name: tuple(sources) for name, sources in entry.get("csp", {}).items()},
                on_site=key in current.notice.vendors,
            )
        )
    return Expected(
        site=current.site.key,
        sites=[stored.site.key for stored in list_sites(ctx.database)],
        purposes=current.notice.purposes,
        vendors=vendors,
        conversions={name for tag in current.site.tags for name in tag.conversions},
    )


def _script(ctx: Context, current: CurrentSite, page: Page) -> Iterator[Finding]:
    """Whether the tag's own address answers with the script of this server."""
    own = [tag for key, tag in page.tags() if key == current.site.key]
    if not own:
        return
    src, public = page.address(own[0].get("src")), ctx.settings.public_url
    if not src.startswith(f"{public}/") and not may_fetch(src, current.site):
        said = f"The tag is loaded from {urlsplit(src).netloc}, which is neither this server ({public}) nor the site: "
        yield Finding(Level.WRONG, page.url, said + f"take the address {public}/widget/{current.site.key}.js.")
        return
    if is_loopback(src) and not is_loopback(page.url):
        yield Finding(Level.WRONG, page.url, f"The tag is loaded from {src}, which only this machine reaches.")
    try:
        answer = outgoing.get(src, LONGEST_SCRIPT)
    except Unanswered as error:
        yield Finding(Level.WRONG, page.url, f"The tag's address {src} does not answer: {error}.")
        return
    if answer.status != 200 or answer.content_type != "text/javascript":
        said = f"The tag's address {src} answers {answer.status} ({answer.content_type}) and not the script."
        yield Finding(Level.WRONG, page.url, f"{said} See whether a proxy hands /widget/ on to this server.")
    elif current.notice.hash.encode() not in answer.body:
        said = f"The tag's address {src} answers with another notice than the one in force: a cache keeps an old one, "
        yield Finding(Level.NOTE, page.url, f"{said}or it is not this server.")
