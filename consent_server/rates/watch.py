"""Look at every site's rates, and raise an alert where one is worth a look."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from consent_server.core.channels import Channel
from consent_server.core.database import Database
from consent_server.rates import store_alerts as alerts
from consent_server.rates.close_days import SETTLED
from consent_server.rates.read import By, SiteCounts, Span
from consent_server.rates.rules_alerts import BASELINE_DAYS, Alert, AlertKind, is_news, outside_bands, silence
from consent_server.rates.rules_report import Figures, figures
from consent_server.sites import store as sites

# Complete days that are judged each time, so that a server that was off for a weekend still says what happened.
JUDGED_DAYS = 3


def watch_rates(database: Database, channels: Sequence[Channel], now: datetime) -> list[tuple[str, Alert]]:
    """Judge the last complete days and the views since the last answer; return what is new, with the site's key.

    Each alert is raised once, however many look at once. It goes out through the channels that are set now.
    """
    with database.reading() as session:
        keys = [stored.site.key for stored in sites.every(session)]
    return [(key, alert) for key in keys for alert in _watch(database, key, channels, now)]


def _watch(database: Database, key: str, channels: Sequence[Channel], now: datetime) -> list[Alert]:
    with database.snapshot() as session:
        site = SiteCounts(session, key)
        first = _day(site, now) - timedelta(days=BASELINE_DAYS + JUDGED_DAYS)
        raised = alerts.raised(session, site.stored.id, AlertKind.OUTSIDE_BAND, first.isoformat())
        found = [*_bands(site, raised, now), *_silence(site, now)]
    if not found:
        return []
    with database.transaction() as session:
        return [alert for alert in found if alerts.raise_once(session, site.stored.id, alert, now, channels)]


def _bands(site: SiteCounts, raised: list[Alert], now: datetime) -> Iterator[Alert]:
    last = _day(site, now - SETTLED) - timedelta(days=1)
    judged = [last - timedelta(days=back) for back in reversed(range(JUDGED_DAYS))]
    rows = site.report(Span(judged[0] - timedelta(days=BASELINE_DAYS), last), By.DAY).rows
    days = {date.fromisoformat(key): of or Figures() for key, of in rows}
    for day in judged:
        for alert in outside_bands(days, day):
            if is_news(alert, raised, days):
                raised.append(alert)
                yield alert


def _silence(site: SiteCounts, now: datetime) -> Iterator[Alert]:
    since = site.last_answer() or site.first_day()
    if since is None:
        return
    # In the hour of the last answer itself nobody knows which views came after it.
    began = date.fromisoformat(since[:10])
    views = site.counts(Span(began, _day(site, now)), By.HOUR)
    shown = sum(one.events for one in views if one.key > since and one.counter == "shown")
    usual = site.counts(Span(began - timedelta(days=BASELINE_DAYS - 1), began), By.DAY)
    alert = silence(since, shown, figures(usual, site.asked).totals)
    if alert is not None:
        yield alert


def _day(site: SiteCounts, at: datetime) -> date:
    return at.astimezone(ZoneInfo(site.stored.site.time_zone)).date()
