"""Plan what a publication changes, and for whom; part of the transaction that does it, or only looks."""

import json

from consent_server.core.database import Session
from consent_server.sites import store_notices as notices
from consent_server.sites.configure_widget import revision
from consent_server.sites.notice_titles import notice_titles, told_between
from consent_server.sites.rules_notice import Notice
from consent_server.sites.rules_plan import PublicationPlan, setting_differences
from consent_server.sites.rules_site import Site, StoredSite
from consent_server.sites.rules_titles import FIRST, computed_title
from consent_server.sites.standing_grants import StandingGrants


def plan_publication(
    session: Session, stored: StoredSite | None, site: Site, notice: Notice, title: str | None,
    standing: StandingGrants | None,
) -> PublicationPlan:  # fmt: skip
    """What changes where this site, as it is `stored`, becomes `site` and shows `notice`."""
    before = notices.in_force(session, stored.id) if stored else None
    settings = setting_differences(stored.site, site) if stored else ()
    if stored is None or before is None:
        return PublicationPlan(notice.hash, None, title or FIRST, (), settings, asks_again=True)
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
    )


def _standing(session: Session, stored: StoredSite, before: Notice, standing: StandingGrants) -> int:
    """Grants under all notices that asked the same: those under others were asked again before."""
    asked = revision(before.body)
    hashes = {notice_hash: row_id for row_id, notice_hash in notices.hashes(session, stored.id).items()}
    bodies = notices.bodies(session, stored.id, 0)
    same = [hashes[notice_hash] for notice_hash, body in bodies.items() if revision(json.loads(body)) == asked]
    return standing.count(session, stored, same, before.body["choice_days"])
