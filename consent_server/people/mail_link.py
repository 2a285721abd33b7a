"""Mail somebody their one-time link."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import urlsplit

from consent_server.core.channels import Sender
from consent_server.core.errors import MailNotSent
from consent_server.core.outgoing import Unanswered, mail_message, send_mail


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says around the link: `{host}` is where it leads, `days` how long it holds."""

    subject: str
    before: str
    days: int
    after: str


INVITED = Letter(
    "You are invited to {host}",
    "You are invited to the consent records at {host}. Open this link, and set your password:",
    7,
    "It works once, within a week. If you did not expect it, do nothing: without the link nobody can use it.",
)
RENEWED = Letter(
    "Set a new password for {host}",
    "Open this link to set a new password for the consent records at {host}:",
    1,
    "It works once, within a day. If you did not ask for it, do nothing: your password stays as it is.",
)


def mail_link(sender: Sender | None, email: str, url: str, letter: Letter, now: datetime) -> None:
    """Hand the mail in. Call it with no transaction open: it may last half a minute. Raises MailNotSent."""
    if sender is None:
        raise MailNotSent("No mail server is set: CONSENT_SMTP_URL and CONSENT_ALERT_SENDER. See docs/settings.md.")
    try:
        send_mail(sender.server, _write(sender, email, url, letter, now))
    except (Unanswered, ValueError) as error:
        raise MailNotSent(f"The mail to {email} was not taken: {error}") from error


def _write(sender: Sender, email: str, url: str, letter: Letter, now: datetime) -> EmailMessage:
    host, (local, _, domain) = urlsplit(url).netloc, email.rpartition("@")
    # Parts and not text: a comma in a name would be a second recipient.
    to = Address(username=local, domain=domain)
    message = mail_message(sender.address, to, letter.subject.format(host=host), now)
    message.set_content(f"{letter.before.format(host=host)}\n\n{url}\n\n{letter.after}\n", cte="quoted-printable")
    return message
