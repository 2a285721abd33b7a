"""Sites and their settings."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow
from consent_server.sites.rules_site import KEY, Site, StoredSite, unknown_site


def save(session: Session, site: Site) -> int:
    """Insert or update a site's settings; return its row id."""
    row = session.scalar(select(SiteRow).where(SiteRow.key == site.key))
    if row is None:
        row = SiteRow(key=site.key, name=site.name, settings=site.to_json())
        session.add(row)
    else:
        row.name, row.settings = site.name, site.to_json()
    session.flush()
    return row.id


def get(session: Session, key: str) -> StoredSite:
    """The site of this key. Raises UnknownSite."""
    found = find(session, key) if KEY.fullmatch(key) else None
    if found is None:
        raise unknown_site(key)
    return found


def find(session: Session, key: str) -> StoredSite | None:
    """The site of this key, if there is one."""
    row = session.scalar(select(SiteRow).where(SiteRow.key == key))
    return None if row is None else _stored(row)


def hold(session: Session, key: str) -> StoredSite | None:
    """The site of this key, to be changed by this transaction alone; None where it is yet to be made, by it alone.

    Whoever decides by what a site shows, or runs, asks for it first: else two decide by what neither leaves as it was.
    Visitors do not wait.
    """
    # On SQLite a transaction that writes is alone from its beginning. On PostgreSQL the weaker of the two locks for
    # writing is enough: the records that refer to the site wait for the stronger one.
    query = select(SiteRow).where(SiteRow.key == key).with_for_update(key_share=True)
    row = session.scalar(query)
    if row is None and session.get_bind().dialect.name == "postgresql":
        # There is no row to hold yet.
        session.execute(text("LOCK TABLE sites IN SHARE ROW EXCLUSIVE MODE"))
        row = session.scalar(query)
    return None if row is None else _stored(row)


def by_id(session: Session, site_id: int) -> StoredSite:
    """The site of a row id that another row refers to."""
    return _stored(session.get_one(SiteRow, site_id))


def every(session: Session) -> list[StoredSite]:
    """All sites, by key."""
    return [_stored(row) for row in session.scalars(select(SiteRow).order_by(SiteRow.key))]


def keys(session: Session) -> list[str]:
    """The keys of all sites, in order."""
    return list(session.scalars(select(SiteRow.key).order_by(SiteRow.key)))


def _stored(row: SiteRow) -> StoredSite:
    return StoredSite(row.id, Site.from_json(row.key, row.name, row.settings))
