"""What was worth a look lately, as figures for a monitoring system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_server.core.channels import GIVEN_UP_AFTER, Channel
from consent_server.core.database import Database
from consent_server.rates import store_alerts as alerts
from consent_server.rates.read import RatesReader
from consent_server.rates.rules import Rate
from consent_server.rates.rules_alerts import AlertKind
from consent_server.rates.rules_drop import WATCHED
from consent_server.rates.rules_filters import By, Span
from consent_server.rates.rules_report import totals

OPEN_FOR = timedelta(days=1)


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


def count_open_alerts(database: Database, site_id: int, now: datetime) -> int:
    """How many were raised on a site within a day."""
    with database.reading() as session:
        return len(alerts.recent(session, site_id, now - OPEN_FOR))


def read_alert_figures(reader: RatesReader, together: str | None = None) -> AlertFigures:
    """As of now; reads one day's roll-ups of each site, and of no notice what it asks for.

    `together`: the alerts of all sites as of one of this name, and nobody's rates.
    """
    now = reader.now()
    with reader.database.snapshot() as session:
        raised = alerts.raised_since(session, now - OPEN_FOR)
        lost = alerts.given_up_since(session, now - GIVEN_UP_AFTER - OPEN_FOR)
        sites = []
        if together is not None:
            sums = {kind: sum(count for (_, of), count in raised.items() if of == kind.value) for kind in AlertKind}
            sites = [SiteAlerts(together, sums, {})]
        for site in reader.every_site(session) if together is None else ():
            yesterday = totals(site.counts(Span.ending(site.today - timedelta(days=1), 1), By.DAY))
            kinds = {kind: raised.get((site.site.key, kind.value), 0) for kind in AlertKind}
            sites.append(SiteAlerts(site.site.key, kinds, {name: yesterday.rate(name) for name in WATCHED}))
    return AlertFigures(sites, {channel: lost.get(channel.value, 0) for channel in Channel})
