"""Read what the first page tells of a site: only what who looks at it may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consent_server.access.rules import Access, Role
from consent_server.core.context import Context
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.decisions.read_refused import refused_lately
from consent_server.decisions.rules_refused import mend
from consent_server.decisions.tag_sightings import TagSightings
from consent_server.editor.open_draft import find_draft
from consent_server.health.read import read_machine, read_sealing
from consent_server.home.rules import (
    LATE_WITNESS,
    Machine,
    Requests,
    Sealing,
    Tag,
    Task,
    alert_tasks,
    ledger_tasks,
    machine_tasks,
    request_tasks,
    scan_tasks,
    tag_tasks,
)
from consent_server.ledger.read_stopped import read_stopped
from consent_server.ledger.read_witnesses import witnesses_behind
from consent_server.rates import board
from consent_server.rates.read import RatesReader
from consent_server.rates.read_alerts import count_open_alerts
from consent_server.rates.rules_filters import USUAL_DAYS, Span
from consent_server.receipts.request_erasure import count_erasure_requests, oldest_erasure_request
from consent_server.scans.ask_scan import last_scan
from consent_server.sites.find import find_notice_in_force, find_site
from consent_server.sites.rules_rights import answer_by
from consent_server.sites.rules_site import Site, StoredSite
from consent_server.widget.replay_notice import widgets_of

# So many kinds of refused posts are told; the rest are on the way.
REFUSED_AT_MOST = 5
WHERE_SETTINGS = ("Settings", "editor.settings")


@dataclass(frozen=True, slots=True)
class Banner:
    """What visitors are asked now: the notice and its name, and the code that shows it, once it was served."""

    notice: str
    title: str
    widget: str | None


@dataclass(frozen=True, slots=True)
class SiteHome:
    """What is told of a site; `decisions_today` in steps of ten. What the reader's role does not see is None."""

    site: Site
    banner: Banner | None
    tag: Tag
    tasks: Sequence[Task]
    sealing: Sealing | None = None
    decisions_today: int | None = None
    consent: Mapping[str, Any] | None = None


def read_homes(context: Context, access: Access, keys: Sequence[str]) -> list[SiteHome]:
    """Of these sites, as of now. Raises UnknownSite."""
    stopped = read_stopped(context.database, context.keys.ring, context.now()) if access.has(Role.AUDITOR) else {}
    return [_home(context, access, key, stopped.get(key, "")) for key in keys]


def _home(context: Context, access: Access, key: str, stopped: str) -> SiteHome:
    stored, now = find_site(context.database, key), context.now()
    banner, tag = _banner(context, stored), _tag(context, stored)
    sealing = _sealing(context, stored, now, stopped) if access.has_on(Role.AUDITOR, key) else None
    tasks = tag_tasks(tag, banner is not None, now)
    if access.has_on(Role.OPERATOR, key):
        tasks += _refused(context, stored, now) + request_tasks(_requests(context, stored), now) + _draft(context, key)
        last = last_scan(context.database, key)
        tasks += scan_tasks(last.wrong if last else 0)
    if access.has_on(Role.MARKETER, key):
        tasks += alert_tasks(count_open_alerts(context.database, stored.id, now))
    tasks += ledger_tasks(sealing) if sealing else []
    rates = _rates(context, key) if access.has_on(Role.MARKETER, key) else {}
    return SiteHome(stored.site, banner, tag, tasks, sealing, **rates)


def read_server_tasks(context: Context, access: Access) -> list[Task]:
    """What the machine needs, for who runs all of it."""
    if not access.has_on(Role.OPERATOR, None):
        return []
    found = read_machine(context.database, context.settings)
    keys_at = None if found.keys_at is None else datetime.fromtimestamp(found.keys_at, UTC)
    return machine_tasks(Machine(found.disk_free / found.disk_size, keys_at), context.now())


def _banner(context: Context, stored: StoredSite) -> Banner | None:
    notice, title = find_notice_in_force(context.database, stored.id)
    if notice is None or title is None:
        return None
    return Banner(notice, title, next(iter(widgets_of(context.database, notice)), None))


def _tag(context: Context, stored: StoredSite) -> Tag:
    seen = context[TagSightings].newest(stored.id)
    return Tag(*seen) if seen else Tag(None, None)


def _refused(context: Context, stored: StoredSite, now: datetime) -> list[Task]:
    context[RefusedPosts].try_write()
    refused = refused_lately(context.database, stored, now)
    return [
        Task(f"Today {mend(each)}", *(WHERE_SETTINGS if each.reason == "foreign-origin" else ()))
        for each in refused[:REFUSED_AT_MOST]
    ]


def _draft(context: Context, key: str) -> list[Task]:
    draft = find_draft(context.database, key)
    if draft is None:
        return []
    return [Task(f"A draft of {draft.saved_at:%Y-%m-%d} by {draft.who} is not published.", *WHERE_SETTINGS)]


def _requests(context: Context, stored: StoredSite) -> Requests:
    oldest = oldest_erasure_request(context.database, stored.id)
    return Requests(count_erasure_requests(context.database, stored.id), answer_by(oldest) if oldest else None)


def _sealing(context: Context, stored: StoredSite, now: datetime, stopped: str) -> Sealing:
    waiting, sealed_at = read_sealing(context.database, stored.id, now)
    witnesses = context.settings.witnesses
    return Sealing(
        waiting,
        sealed_at,
        stopped,
        [witness.name for witness in witnesses],
        witnesses_behind(context.database, stored.id, witnesses, now - LATE_WITNESS),
    )


def _rates(context: Context, key: str) -> dict[str, Any]:
    with context[RatesReader].site(key) as site:
        today = site.whole(Span.ending(site.today, 1), None).totals.decisions
        usual = site.summary(Span.ending(site.today, USUAL_DAYS))
    consent = None if usual.totals.is_empty else board.headlines(usual.totals, usual.changes)[0]
    return {"decisions_today": today, "consent": consent}
