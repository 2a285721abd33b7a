"""Tell alerts by webhook and by mail, at least once each, until they are taken or three days are over.

No transaction is open while somebody is told. Whoever receives a message twice knows it by its id.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from consent_server.core.canonical import encode
from consent_server.core.channels import GIVEN_UP_AFTER, Channel, Channels, Mail, Webhook
from consent_server.core.database import Database
from consent_server.core.hashes import sha256_hex
from consent_server.core.outgoing import Unanswered, mail_message, post, send_mail
from consent_server.core.times import rfc3339
from consent_server.rates import store_alerts as alerts
from consent_server.rates.store_alerts import Due

# What is due at once is one mail. A webhook's event is one alert.
MOST_IN_MAIL = 50
# Nobody reads the answer beyond its status.
LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of it. `given_up`: there will be no other."""

    site: str
    channel: Channel
    text: str
    ok: bool
    detail: str = ""
    given_up: bool = False


class _Refused(Exception):
    """The other side answered, and did not take it."""


def deliver_alerts(
    database: Database, channels: Channels, console_url: str, now: Callable[[], datetime]
) -> Iterator[Attempt]:
    """Try all that is due. A channel whose other side does not answer at all is left for the next run."""
    if channels.webhook:
        yield from _through(database, Channel.WEBHOOK, 1, partial(_post, channels.webhook, console_url, now), now)
    if channels.mail:
        yield from _through(database, Channel.EMAIL, MOST_IN_MAIL, partial(_mail, channels.mail, console_url, now), now)


def _through(
    database: Database, channel: Channel, most: int, send: Callable[[list[Due]], None], now: Callable[[], datetime]
) -> Iterator[Attempt]:
    while True:
        with database.transaction() as session:
            together = alerts.take_due(session, channel, now(), most)
        if not together:
            return
        try:
            send(together)
        # Whatever it is: what one channel cannot do keeps no alert from the others, and has an end as well.
        except Exception as error:
            expected = isinstance(error, (_Refused, Unanswered))
            failure = str(error) if expected else f"{type(error).__name__}: {error!s:.200}"
            yield from [_failed(database, due, failure, now()) for due in together]
            if isinstance(error, Unanswered):
                return
        else:
            with database.transaction() as session:
                for due in together:
                    alerts.delivered(session, due, now())
            yield from [Attempt(due.site.site.key, channel, due.alert.text, True) for due in together]


def _failed(database: Database, due: Due, failure: str, now: datetime) -> Attempt:
    with database.transaction() as session:
        over = alerts.failed(session, due, failure, now, GIVEN_UP_AFTER)
    return Attempt(due.site.site.key, due.channel, due.alert.text, False, failure, over)


def _post(webhook: Webhook, console_url: str, now: Callable[[], datetime], together: list[Due]) -> None:
    (due,) = together
    body = encode(_event(due, console_url))
    headers = webhook.headers(_message_id(due, console_url), now(), body)
    answer = post(webhook.url, body, "application/json", LONGEST_ANSWER, headers)
    if not 200 <= answer.status < 300:
        raise _Refused(f"it answered {answer.status}")


def _event(due: Due, console_url: str) -> dict[str, object]:
    alert = due.alert
    return {
        "type": f"alert.{alert.kind}",
        "timestamp": rfc3339(due.raised_at),
        "data": {
            "site": due.site.site.key,
            "subject": alert.subject,
            "period": alert.period,
            "text": alert.text,
            "detail": dict(alert.detail),
            "url": _dashboard(due, console_url),
        },
    }


def _mail(mail: Mail, console_url: str, now: Callable[[], datetime], together: list[Due]) -> None:
    first, others = together[0], len(together) - 1
    more = f", and {others} more alert{'s' if others > 1 else ''}" if others else ""
    subject, recipients = f"{first.site.site.name}: {first.alert.title}{more}", ", ".join(mail.recipients)
    message = mail_message(mail.sender, recipients, subject, now(), _message_id(first, console_url))
    texts = (f"{due.site.site.name}\n{due.alert.text}\n{_dashboard(due, console_url)}\n" for due in together)
    message.set_content("\n".join(texts), cte="quoted-printable")
    send_mail(mail.server, message)


def _dashboard(due: Due, console_url: str) -> str:
    return f"{console_url}/console/sites/{due.site.site.key}/rates"


def _message_id(due: Due, console_url: str) -> str:
    """The same for every attempt, and for no other alert of any server."""
    alert = due.alert
    named = [console_url, due.site.site.key, alert.kind.value, alert.subject, alert.period]
    return f"alert_{sha256_hex(encode(named))[:32]}"
