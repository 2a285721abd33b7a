"""What was worth a look lately: for people on the dashboard, and as figures for a monitoring system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from consent_server.core.channels import GIVEN_UP_AFTER, Channel
from consent_server.core.database import Database
from consent_server.rates import store_alerts as alerts
from consent_server.rates.read import By, SiteCounts, Span
from consent_server.rates.rules import Rate
from consent_server.rates.rules_alerts import Alert, AlertKind
from consent_server.rates.rules_drop import WATCHED
from consent_server.sites import store as sites

SHOWN_FOR = timedelta(days=14)
OPEN_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RecentAlert:
    """An alert, when it was raised, and the channels by which nobody could be told of it."""

    alert: Alert
    raised_at: datetime
    untold: Sequence[str]

    @property
    def text(self) -> str:
        """A plain sentence of what happened and what to do."""
        return self.alert.text


@dataclass(frozen=True, slots=True)
class SiteAlerts:
    """Of one site: alerts raised within a day, by kind, and the rates of its yesterday."""

    site: str
    raised: Mapping[AlertKind, int]
    yesterday: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """Of all sites. `given_up` are alerts of the last days that a channel could not tell, by channel."""

    sites: Sequence[SiteAlerts]
    given_up: Mapping[Channel, int]


def recent_alerts(database: Database, key: str, now: datetime) -> list[RecentAlert]:
    """Those of the last two weeks, newest first. Raises UnknownSite."""
    with database.reading() as session:
        site = sites.get(session, key)
        return [RecentAlert(*one) for one in alerts.recent(session, site.id, now - SHOWN_FOR)]


def read_alert_figures(database: Database, now: datetime) -> AlertFigures:
    """As of now; reads one day's roll-ups of each site."""
    with database.snapshot() as session:
        raised = alerts.raised_since(session, now - OPEN_FOR)
        lost = alerts.given_up_since(session, now - GIVEN_UP_AFTER - OPEN_FOR)
        found = []
        for stored in sites.every(session):
            key, site = stored.site.key, SiteCounts(session, stored.site.key)
            day = now.astimezone(ZoneInfo(stored.site.time_zone)).date() - timedelta(days=1)
            totals = site.report(Span(day, day), By.DAY).whole.totals
            kinds = {kind: raised.get((key, kind.value), 0) for kind in AlertKind}
            found.append(SiteAlerts(key, kinds, {name: totals.rate(name) for name in WATCHED}))
    return AlertFigures(found, {channel: lost.get(channel.value, 0) for channel in Channel})
