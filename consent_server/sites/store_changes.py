"""A mark that is another one after each change of what sites are or show, and alone tells whether to look again."""

import secrets

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.sites.rows import SiteChangesRow

ROW = 1


def mark(session: Session) -> int:
    """That of the last change; 0 before the first."""
    return session.scalar(select(SiteChangesRow.mark).where(SiteChangesRow.id == ROW)) or 0


def record(session: Session) -> None:
    """Mark a change, with the change or not at all. The last thing that a transaction does.

    Changes of all sites take turns from here to the end of the transaction: who would wait for another lock
    afterwards could wait in a ring. By chance, since a number that counts comes again after a restore.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    new = insert(SiteChangesRow).values(id=ROW, mark=secrets.randbits(62))
    session.execute(new.on_conflict_do_update(index_elements=[SiteChangesRow.id], set_={"mark": new.excluded.mark}))
