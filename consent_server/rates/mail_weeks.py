"""Mail the rates of each week that is over to those who are told of alerts, for the sites whose file asks for it.

Each week of a site is told once, tried again as alerts are, and given up after three days. No transaction is open
while a mail server is spoken to.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from consent_server.core.canonical import encode
from consent_server.core.channels import GIVEN_UP_AFTER, Channel, Mail
from consent_server.core.hashes import sha256_hex
from consent_server.core.outgoing import Unanswered, send_mail
from consent_server.rates import store_weekly_mails as mails
from consent_server.rates.deliver_alerts import Attempt
from consent_server.rates.read import RatesReader
from consent_server.rates.rules_filters import Span, monday
from consent_server.rates.store_weekly_mails import DueWeek
from consent_server.rates.write_week import read_week, write_mail
from consent_server.sites import store as sites

WEEK = timedelta(days=7)


def mail_weeks(reader: RatesReader, mail: Mail, console_url: str) -> Iterator[Attempt]:
    """Put the last week of each site on its way, and try all that is due until the mail server does not answer."""
    _plan(reader)
    while due := _take(reader):
        try:
            _send(reader, mail, console_url, due)
        except Exception as error:
            yield _failed(reader, due, error)
            if isinstance(error, Unanswered):
                return
        else:
            with reader.database.transaction() as session:
                mails.delivered(session, due, reader.now())
            yield Attempt(due.site.site.key, Channel.EMAIL, f"week of {due.week}", True)


def _plan(reader: RatesReader) -> None:
    with reader.database.reading() as session:
        asking = [
            stored.site.key for stored in sites.every(session) if stored.site.weekly_mail and not stored.site.retired
        ]
    for key in asking:
        with reader.site(key) as site:
            week = date.fromisoformat(monday(site.today.isoformat())) - WEEK
            began = site.first_day()
            ready = began is not None and began[:10] <= _last(week).isoformat() and site.is_over(_last(week))
            site_id, now = site.id, site.now
        if ready:
            with reader.database.transaction() as session:
                mails.plan_once(session, site_id, week.isoformat(), now)


def _last(week: date) -> date:
    return week + WEEK - timedelta(days=1)


def _take(reader: RatesReader) -> DueWeek | None:
    with reader.database.transaction() as session:
        return mails.take_due(session, reader.now())


def _send(reader: RatesReader, mail: Mail, console_url: str, due: DueWeek) -> None:
    week = date.fromisoformat(due.week)
    with reader.site(due.site.site.key) as site:
        told = read_week(site, Span(week, _last(week)), console_url)
    # The same for every attempt: whoever receives it twice sees it once.
    message_id = f"week_{sha256_hex(encode([console_url, due.site.site.key, due.week]))[:32]}"
    send_mail(mail.server, write_mail(mail, told, message_id, reader.now()))


def _failed(reader: RatesReader, due: DueWeek, error: Exception) -> Attempt:
    failure = str(error) if isinstance(error, Unanswered) else f"{type(error).__name__}: {error!s:.200}"
    with reader.database.transaction() as session:
        over = mails.failed(session, due, failure, reader.now(), GIVEN_UP_AFTER)
    return Attempt(due.site.site.key, Channel.EMAIL, f"week of {due.week}", False, failure, over)
