"""Ask by mail for a new password.

Whoever asks is answered before anybody looks whether the address is somebody's: neither the answer nor its time
tells. The mail is written later, by what the server does by itself; so no link is ever kept, but by its hash.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from consent_server.access.credentials import OneTimeLinks
from consent_server.core.channels import Sender
from consent_server.core.database import Database
from consent_server.core.errors import MailNotSent
from consent_server.core.rules_email import LONGEST_EMAIL, email_or_as_given
from consent_server.people import store as users
from consent_server.people import store_requests as requests
from consent_server.people.invite import RESET, new_link
from consent_server.people.mail_link import RENEWED, mail_link

# While the mail server is away. Whoever still waits asks again.
TRIED_FOR = timedelta(hours=1)


def request_password(database: Database, email: str, now: datetime) -> None:
    """Write down that somebody asked, whoever it is."""
    spelt = email_or_as_given(email)[:LONGEST_EMAIL]
    with database.transaction() as session:
        # What cannot be an address is written down as none, with the same work.
        requests.add(session, spelt if spelt.isprintable() else "", now)


def answer_requests(
    database: Database,
    links: OneTimeLinks,
    sender: Sender,
    link_url: Callable[[str], str],
    now: Callable[[], datetime],
    random: Callable[[int], bytes],
) -> Iterator[str]:
    """Mail a link to each who asked and is here; yield what failed. A failure is tried again for an hour."""
    last = 0
    while True:
        with database.transaction() as session:
            request = requests.oldest(session, last)
            if request is None:
                return
            last, email, asked_at = request.id, request.email, request.asked_at
            user = users.by_email(session, email)
            link = new_link(links, user, RESET, now(), random) if user else None
        if link is not None:
            try:
                mail_link(sender, email, link_url(link), RENEWED, now())
            except MailNotSent as refusal:
                yield refusal.detail
                if now() - asked_at < TRIED_FOR:
                    continue
        with database.transaction() as session:
            requests.forget(session, last)
