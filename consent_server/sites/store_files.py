"""The texts of site files, as they were applied, and what a site is as by the last of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consent_server.core.canonical import encode
from consent_server.core.hashes import sha256_hex
from consent_server.sites import store_notices as notices
from consent_server.sites.rows import EarlierFileRow, SiteFileRow
from consent_server.sites.rules_site import StoredSite


@dataclass(frozen=True, slots=True)
class AppliedFile:
    """A file that was applied. `number` is None for the one in force, `who` for one that a command applied."""

    number: int | None
    text: str
    applied_at: datetime
    who: str | None


def keep(session: Session, site_id: int, text: str | None, now: datetime, who: str | None = None) -> None:
    """Keep the text of what was applied, and the one before as an earlier one; none where a program applied no file."""
    before = applied(session, site_id)
    if before and before.text != text:
        kept = {"text": before.text, "applied_at": before.applied_at, "applied_by": before.who}
        session.add(EarlierFileRow(site_id=site_id, **kept))
    session.execute(delete(SiteFileRow).where(SiteFileRow.site_id == site_id))
    if text is not None:
        session.add(SiteFileRow(site_id=site_id, text=text, applied_at=now, applied_by=who))
    session.flush()


def text(session: Session, site_id: int) -> str | None:
    """The file that a site is as; None where it was applied before files were kept."""
    found = applied(session, site_id)
    return found.text if found else None


def applied(session: Session, site_id: int) -> AppliedFile | None:
    """The same, with when and by whom."""
    row = session.get(SiteFileRow, site_id)
    return AppliedFile(None, row.text, row.applied_at, row.applied_by) if row else None


def earlier(session: Session, site_id: int, most: int) -> list[AppliedFile]:
    """The files before that one, newest first."""
    own = select(EarlierFileRow).where(EarlierFileRow.site_id == site_id).order_by(EarlierFileRow.id.desc())
    return [AppliedFile(row.id, row.text, row.applied_at, row.applied_by) for row in session.scalars(own.limit(most))]


def earlier_text(session: Session, site_id: int, number: int) -> str | None:
    """One of them."""
    own = EarlierFileRow.site_id == site_id, EarlierFileRow.id == number
    return session.scalar(select(EarlierFileRow.text).where(*own))


def state(session: Session, stored: StoredSite | None) -> str:
    """Another word after each change of what a site is, shows, or is said by; "" for a site that is yet to be."""
    if stored is None:
        return ""
    shown = notices.in_force(session, stored.id)
    regions = {key: notice for key, (_, notice) in notices.regions_in_force(session, stored.id).items()}
    said = {"site": stored.site.to_json(), "name": stored.site.name, "notice": shown.notice.hash if shown else None}
    return sha256_hex(encode({**said, "regions": regions, "text": text(session, stored.id)}))
