"""Where alerts are told: a webhook whose messages are signed, and a mail server."""

import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from standardwebhooks import Webhook as StandardWebhook

# Until a message is taken: again after a minute, then after twice as long each time, up to six hours, for three days.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=3)
# Of a key in bytes, as Standard Webhooks has it.
LEAST_KEY, LONGEST_KEY = 24, 64
_ADDRESS = re.compile(r"[!-~]+@[A-Za-z0-9.-]+")
_PORTS = {"smtp": 587, "smtps": 465}
# What goes there never leaves the machine.
LOCAL = ("localhost", "127.0.0.1", "::1")


class Channel(StrEnum):
    """A way to tell an alert."""

    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that alerts are posted to, and the key of their signatures."""

    url: str
    key: bytes = field(repr=False)

    def headers(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers of Standard Webhooks 1.0. An id stays the same when a message is sent again; the time, in UTC,
        is that of this attempt."""
        signature = StandardWebhook(self.key).sign(message_id, at, body.decode())
        timestamp = str(int(at.timestamp()))
        return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `tls`: from the first byte; else as soon as the server offers it (STARTTLS)."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where mail servers seldom have a certificate of their name, or need one."""
        return self.host in LOCAL


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom mail comes, and through which server."""

    server: MailServer
    address: str


@dataclass(frozen=True, slots=True)
class Mail:
    """Who is told by mail, from whom, through which server."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channels:
    """All that are set."""

    webhook: Webhook | None = None
    mail: Mail | None = None

    @property
    def names(self) -> Sequence[Channel]:
        """Which there are."""
        set_up = ((Channel.WEBHOOK, self.webhook), (Channel.EMAIL, self.mail))
        return [name for name, channel in set_up if channel is not None]


def wait(attempts: int) -> timedelta:
    """For how long to wait after so many attempts, one at least."""
    # A thousand minutes are over the longest already, and a number of any size is no time.
    return min(FIRST_WAIT * (1 << min(attempts - 1, 10)), LONGEST_WAIT)


def webhook_key(text: str) -> bytes:
    """The key in `whsec_` and base64. Raises ValueError."""
    key = b64decode(text.removeprefix("whsec_"), validate=True)
    if not text.startswith("whsec_") or not LEAST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError("Not a key of Standard Webhooks.")
    return key


def mail_server(text: str) -> MailServer:
    """What `smtp://USER:PASSWORD@HOST:PORT` names. User and password are percent-encoded. Raises ValueError."""
    parts = urlsplit(text)
    port = parts.port if parts.port is not None else _PORTS.get(parts.scheme)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if (
        parts.scheme not in _PORTS
        or not parts.hostname
        or not port
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError("Not an address of a mail server.")
    if bool(user) != bool(password) or not (user + password).isascii() or not (user + password + "x").isprintable():
        raise ValueError("A user has a password, both of printable ASCII.")
    return MailServer(parts.hostname, port, parts.scheme == "smtps", user, password)


def addresses(text: str) -> tuple[str, ...]:
    """Mail addresses between commas, none twice. Raises ValueError for one that is none."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not all(_ADDRESS.fullmatch(one) and one.count("@") == 1 and not set('"<>,;:\\()[]') & set(one) for one in found):
        raise ValueError("Not mail addresses between commas.")
    return found
