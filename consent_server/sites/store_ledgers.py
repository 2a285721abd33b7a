"""The ledger that a site opens when it is first applied: its name stands for good."""

from sqlalchemy.orm import Session

from consent_server.sites.rows import LedgerRow


def origin(session: Session, site_id: int) -> str:
    """The name of a site's ledger."""
    return session.get_one(LedgerRow, site_id).origin


def create(session: Session, site_id: int, origin: str) -> None:
    """Open a site's ledger, once. A known ledger keeps its origin."""
    if session.get(LedgerRow, site_id) is None:
        session.add(LedgerRow(site_id=site_id, origin=origin, size=0, decisions_to=0, removals_to=0))
        session.flush()
