"""Which sites there are: all that access needs to know of them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.core.rows import SiteRow


def every(session: Session) -> Sequence[SiteRow]:
    """All sites, by key."""
    return session.scalars(select(SiteRow).order_by(SiteRow.key)).all()
