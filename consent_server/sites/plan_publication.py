"""Plan what a publication changes, and for whom; part of the transaction that does it, or only looks."""

import json
from collections.abc import Iterator, Mapping, Sequence

from consent_server.core.database import Session
from consent_server.sites import store_notices as notices
from consent_server.sites.configure_widget import revision
from consent_server.sites.notice_titles import notice_titles, told_between
from consent_server.sites.rules_differences import Difference
from consent_server.sites.rules_notice import Notice
from consent_server.sites.rules_plan import PublicationPlan, RegionPlan, setting_differences
from consent_server.sites.rules_site import Site, StoredSite
from consent_server.sites.rules_titles import FIRST, computed_title
from consent_server.sites.standing_grants import StandingGrants


def plan_publication(
    session: Session, stored: StoredSite | None, site: Site, notice: Notice, title: str | None,
    standing: StandingGrants | None, regional: Mapping[str, Notice],
) -> PublicationPlan:  # fmt: skip
    """What changes where this site, as it is `stored`, becomes `site` and shows `notice`, and by region `regional`."""
    before = notices.in_force(session, stored.id) if stored else None
    settings = setting_differences(stored.site, site) if stored else ()
    if stored is None or before is None:
        return PublicationPlan(notice.hash, None, title or FIRST, (), settings, asks_again=True,
                               regions=tuple(RegionPlan(None, region) for region in site.regions))  # fmt: skip
    told = told_between(before.notice.body, notice.body)
    known = notice_titles(session, stored.id)
    asks_again = revision(before.notice.body) != revision(notice.body)
    return PublicationPlan(
        notice=notice.hash,
        previous=before.notice.hash,
        title=title or computed_title(known, notice.hash, lambda: told),
        differences=told,
        settings=settings,
        asks_again=asks_again,
        standing=_standing(session, stored, before.notice, standing) if asks_again and standing else None,
        regions=tuple(_regions(session, stored, site, before.notice, regional, told)),
    )


def _regions(
    session: Session, stored: StoredSite, site: Site, own: Notice, regional: Mapping[str, Notice],
    told: Sequence[Difference],
) -> Iterator[RegionPlan]:  # fmt: skip
    """The regions in which something changes, in the order of the file; those that go come last."""
    shown = {key: notice_hash for key, (_, notice_hash) in notices.regions_in_force(session, stored.id).items()}
    earlier = {region.key: region for region in stored.site.regions}
    for region in site.regions:
        before, after = earlier.pop(region.key, None), regional[region.key].body
        # What visitors of a new region were shown was the site's own.
        body = json.loads(notices.body(session, shown[region.key])) if before else own.body
        differences = [one for one in told_between(body, after) if one not in told]
        # By another rule all words are others, and nobody worded them.
        same_rule = before is not None and before.rule == region.rule
        plan = RegionPlan(before, region, tuple(differences) if same_rule else (), revision(body) != revision(after))
        if plan.changes:
            yield plan
    yield from (RegionPlan(region, None) for region in earlier.values())


def _standing(session: Session, stored: StoredSite, before: Notice, standing: StandingGrants) -> int:
    """Grants under all notices that asked the same: those under others were asked again before."""
    asked = revision(before.body)
    hashes = {notice_hash: row_id for row_id, notice_hash in notices.hashes(session, stored.id).items()}
    bodies = notices.bodies(session, stored.id, 0)
    same = [hashes[notice_hash] for notice_hash, body in bodies.items() if revision(json.loads(body)) == asked]
    return standing.count(session, stored, same, before.body["choice_days"])
