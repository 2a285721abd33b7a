"""Where a site's tag was seen: at most KEPT rows a site."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.decisions.rows import TagSightingRow
from consent_server.decisions.rules_sightings import KEPT, Sighting

SIGHTINGS: Table = TagSightingRow.__table__  # type: ignore[assignment]


def keep(session: Session, site_id: int, seen: Mapping[str, datetime]) -> None:
    """Keep when each origin was seen last, and forget the origins that were not seen for longest."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(SIGHTINGS)
    later = insert.on_conflict_do_update(
        index_elements=["site_id", "origin"],
        set_={"seen_at": insert.excluded.seen_at},
        # Another process may have seen it later, and written before this one.
        where=SIGHTINGS.c.seen_at < insert.excluded.seen_at,
    )
    # In a fixed order, so that two writers never wait for each other in a ring.
    rows = [{"site_id": site_id, "origin": origin, "seen_at": at} for origin, at in sorted(seen.items())]
    session.connection().execute(later, rows)
    latest = select(SIGHTINGS.c.origin).where(SIGHTINGS.c.site_id == site_id)
    found = session.scalars(latest.order_by(SIGHTINGS.c.seen_at.desc(), SIGHTINGS.c.origin)).all()
    if gone := found[KEPT:]:
        session.execute(delete(SIGHTINGS).where(SIGHTINGS.c.site_id == site_id, SIGHTINGS.c.origin.in_(gone)))


def newest(session: Session, site_id: int) -> Sighting | None:
    """Where the tag was seen last."""
    query = select(SIGHTINGS.c.origin, SIGHTINGS.c.seen_at).where(SIGHTINGS.c.site_id == site_id)
    row = session.execute(query.order_by(SIGHTINGS.c.seen_at.desc(), SIGHTINGS.c.origin).limit(1)).first()
    return Sighting(*row) if row else None
