"""What all sites show now, as it is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from consent_server.core.rows import SiteRow
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.rows import ExperimentArmRow, LedgerRow, NoticeRow, PublicationRow
from consent_server.sites.rules_site import CONTROL
from consent_server.sites.store_experiments import StoredExperiment

# Parameters of a query, of which a database takes only so many.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Outline:
    """What tells whether anything of a site changed: two that are equal show the same."""

    site_id: int
    key: str
    name: str
    settings: Mapping[str, Any]
    ledger: str | None
    publication: int | None
    notice_id: int | None
    experiment: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """The notices of a site that visitors are shown: row id to hash and RFC 8785 bytes. Empty before the first.

    `regions` has the row id of what each region shows.
    """

    notices: Mapping[int, tuple[str, bytes]]
    experiment: StoredExperiment | None
    regions: Mapping[str, int] = field(default_factory=dict)


def outlines(session: Session) -> list[Outline]:
    """Every site, in one query."""
    later = aliased(PublicationRow)
    newest = select(func.max(later.id)).where(later.site_id == SiteRow.id).correlate(SiteRow)
    own = newest.where(later.region.is_(None)).scalar_subquery()
    runs = and_(
        ExperimentArmRow.site_id == SiteRow.id, ExperimentArmRow.ended_at.is_(None), ExperimentArmRow.arm == CONTROL
    )
    rows = session.execute(
        select(
            SiteRow.id, SiteRow.key, SiteRow.name, SiteRow.settings, LedgerRow.origin,
            newest.scalar_subquery(), PublicationRow.notice_id, ExperimentArmRow.experiment,
        )
        .outerjoin(LedgerRow, LedgerRow.site_id == SiteRow.id)
        .outerjoin(PublicationRow, PublicationRow.id == own)
        .outerjoin(ExperimentArmRow, runs)
    )  # fmt: skip
    return [Outline(*row) for row in rows]


def shown(session: Session, sites: Iterable[Outline]) -> dict[str, Shown]:
    """What these sites show, by key."""
    sites = list(sites)
    running = {site.key: experiments.running(session, site.site_id) for site in sites if site.experiment}
    regions = {site.key: _regions(session, site) for site in sites}
    wanted = {site.key: _notice_ids(site, running.get(site.key)) | {*regions[site.key].values()} for site in sites}
    stored: dict[int, tuple[str, bytes]] = {}
    every = sorted({row_id for ids in wanted.values() for row_id in ids})
    for start in range(0, len(every), AT_ONCE):
        some = NoticeRow.id.in_(every[start : start + AT_ONCE])
        query = select(NoticeRow.id, NoticeRow.hash, NoticeRow.body).where(some)
        stored |= {row_id: (notice_hash, body) for row_id, notice_hash, body in session.execute(query)}
    return {
        site.key: Shown(
            {row_id: stored[row_id] for row_id in wanted[site.key]}, running.get(site.key), regions[site.key]
        )
        for site in sites
    }


def _regions(session: Session, site: Outline) -> dict[str, int]:
    keys = {region["key"] for region in site.settings.get("regions", ())}
    in_force = notices.regions_in_force(session, site.site_id) if keys else {}
    return {key: notice_id for key, (notice_id, _) in in_force.items() if key in keys}


def _notice_ids(site: Outline, experiment: StoredExperiment | None) -> set[int]:
    own = {site.notice_id} if site.notice_id is not None else set()
    return own | {arm.notice.id for arm in (experiment.arms if experiment else ())}
