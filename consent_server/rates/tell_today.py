"""Tell of days that go on what may be told by now."""

from consent_server.core.database import Database
from consent_server.rates import store as told


def tell_today(database: Database) -> int:
    """Return for how many sites figures of such a day became others. Two at once take turns."""
    with database.reading() as session:
        due = told.steps_due(session)
    for site_id in due:
        with database.transaction() as session:
            told.take_step(session, site_id)
    return len(due)
