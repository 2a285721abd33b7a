"""Look at every site's rates, and raise an alert where one is worth a look."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from consent_server.core.channels import Channel
from consent_server.core.times import local_day, local_hour
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.rates import store_alerts as alerts
from consent_server.rates.close_days import SETTLED
from consent_server.rates.read import RatesReader, SiteRates
from consent_server.rates.rules import Totals
from consent_server.rates.rules_alerts import (
    BASELINE_DAYS,
    LEAST_BURST,
    SILENCES,
    Alert,
    burst,
    left_usual,
    longest_silence,
    silence,
)
from consent_server.rates.rules_band import KNOWN
from consent_server.rates.rules_filters import By, Span
from consent_server.rates.rules_report import Counts, by_key, figures, totals
from consent_server.sites import store as sites

# Complete days that are judged each time, so that a server that was off for a weekend still says what happened.
JUDGED_DAYS = 3
RECORDS = CounterName(Measure.RECORDS)


def watch_rates(reader: RatesReader, channels: Sequence[Channel]) -> list[tuple[str, Alert]]:
    """Judge the last days, the views since the last answer and the last hours; return what is new with its site's key.

    Each alert is raised once, however many look at once. It goes out through the channels that are set now.
    """
    with reader.database.reading() as session:
        keys = [stored.site.key for stored in sites.every(session)]
    return [(key, alert) for key in keys for alert in _watch(reader, key, channels)]


def _watch(reader: RatesReader, key: str, channels: Sequence[Channel]) -> list[Alert]:
    with reader.site(key) as site:
        last = local_day(site.now - SETTLED, site.site.time_zone) - timedelta(days=1)
        # What is known of a day that is over changes no more: it is judged once by a process, and by the next two days.
        due = reader.judged.get(site.id) != last and site.is_over(last)
        seen = [*(_bands(site, last) if due else ()), *_silence(site), *_bursts(site)]
    new = []
    if seen:
        with reader.database.transaction() as session:
            new = [alert for alert in seen if alerts.raise_once(session, site.id, alert, site.now, channels)]
    if due:
        reader.judged[site.id] = last
    return new


def _bands(site: SiteRates, last: date) -> Iterator[Alert]:
    judged = [last - timedelta(days=back) for back in reversed(range(JUDGED_DAYS))]
    counts = site.counts(Span(judged[0] - KNOWN, last), By.DAY)
    days = {date.fromisoformat(day): figures(counted, site.asked) for day, counted in by_key(counts).items()}
    return left_usual(days, judged)


def _silence(site: SiteRates) -> Iterator[Alert]:
    since = site.last_answer() or site.first_day()
    if since is None:
        return
    # In the hour of the last answer itself nobody knows which views came after it.
    began = date.fromisoformat(since[:10])
    month = Span.ending(began, BASELINE_DAYS)
    hours = {hour: totals(counted) for hour, counted in by_key(site.pulse(Span(month.first, site.today))).items()}
    shown = sum(views.shown for hour, views in hours.items() if hour > since)
    usual = sum((views for hour, views in hours.items() if month.holds(hour)), Totals())
    alert = silence(since, shown, usual)
    if alert is not None and shown > SILENCES * longest_silence(hours[hour] for hour in sorted(hours) if hour <= since):
        yield alert


def _bursts(site: SiteRates) -> Iterator[Alert]:
    hours = sorted({local_hour(site.now - timedelta(hours=back), site.site.time_zone) for back in (0, 1)})
    first = date.fromisoformat(hours[0][:10])
    recent = _records(site.pulse(Span(first, date.fromisoformat(hours[-1][:10]))))
    if max(recent[hour] for hour in hours) < LEAST_BURST:
        return
    days: Counter[str] = Counter()
    for hour, records in _records(site.pulse(Span.ending(first - timedelta(days=1), BASELINE_DAYS))).items():
        days[hour[:10]] += records
    for hour in hours:
        if alert := burst(hour, recent[hour], [*days.values()]):
            yield alert


def _records(pulse: Iterable[Counts]) -> Counter[str]:
    """By hour, how many records there were: answers to a banner, and what was changed or withdrawn later."""
    records: Counter[str] = Counter()
    for count in pulse:
        records[count.key] += count.events.get(RECORDS, 0)
    return +records
