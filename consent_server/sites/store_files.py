"""The texts of site files, as they were applied."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from consent_server.sites.rows import SiteFileRow


def keep(session: Session, site_id: int, text: str | None, now: datetime) -> None:
    """Keep the text of what was applied, in place of the one before; none where a program applied no file."""
    session.execute(delete(SiteFileRow).where(SiteFileRow.site_id == site_id))
    if text is not None:
        session.add(SiteFileRow(site_id=site_id, text=text, applied_at=now))
    session.flush()


def text(session: Session, site_id: int) -> str | None:
    """The file that a site is as; None where it was applied before files were kept."""
    row = session.get(SiteFileRow, site_id)
    return row.text if row else None
