"""What was refused lately, as sentences for who can mend it, and ever, as sums for a monitoring system."""

from datetime import datetime, timedelta

from consent_server.core.database import Database
from consent_server.core.times import local_day
from consent_server.decisions import store_refused as refused
from consent_server.decisions.rules_refused import Refused
from consent_server.sites.rules_site import StoredSite


def refused_lately(database: Database, stored: StoredSite, now: datetime, days: int = 1) -> list[Refused]:
    """Of the last days of a site, today included, by its own clock; the most frequent first."""
    first = local_day(now, stored.site.time_zone) - timedelta(days=days - 1)
    with database.reading() as session:
        return refused.since(session, stored.id, first)


def refused_ever(database: Database) -> list[tuple[str, str, int]]:
    """Site, reason and count since the first."""
    with database.reading() as session:
        return refused.ever(session)
