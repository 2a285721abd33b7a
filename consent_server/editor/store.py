"""Drafts of site files."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consent_server.editor.rows import DraftRow
from consent_server.editor.rules import Draft


def find(session: Session, key: str) -> Draft | None:
    """The draft of this site."""
    row = session.get(DraftRow, key)
    return Draft(row.text, row.based_on, row.who, row.saved_at) if row else None


def keep(session: Session, key: str, text: str, based_on: str, who: str, now: datetime) -> None:
    """Keep this as the draft of the site, in place of the one before."""
    remove(session, key)
    session.add(DraftRow(site_key=key, text=text, based_on=based_on, who=who, saved_at=now))
    session.flush()


def remove(session: Session, key: str) -> None:
    """Let the draft of a site go."""
    session.execute(delete(DraftRow).where(DraftRow.site_key == key))


def keys(session: Session) -> list[str]:
    """The keys of all sites that have one."""
    return list(session.scalars(select(DraftRow.site_key).order_by(DraftRow.site_key)))
