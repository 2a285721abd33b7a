"""How this server reaches others, at addresses that the operator set: bounded requests, and mail."""

import smtplib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.utils import format_datetime, make_msgid
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from consent_server.core.channels import MailServer

# Seconds without a byte, and seconds for the whole answer: a host that sends one byte a while gains nothing.
TIMEOUT = 10
LONGEST = 30
CHUNK = 64 * 1024
# What stands in an address as it is (RFC 3986, section 2).
WRITTEN = "%:/?#[]@!$&'()*+,;="


class Unanswered(Exception):
    """Nobody answered, or not in time, or too much; the text says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said. `content_type` is in lower case and without parameters; any status is an answer."""

    status: int
    content_type: str
    body: bytes
    headers: Message = field(default_factory=Message, compare=False, repr=False)


class _NoRedirect(HTTPRedirectHandler):
    # The operator named this address, and nobody else may choose where the bytes go.
    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = build_opener(_NoRedirect)


def post(url: str, body: bytes, content_type: str, most: int, more: Mapping[str, str] | None = None) -> Answer:
    """POST with `more` headers, and read an answer of at most `most` bytes. A redirect is an answer, never followed.

    Call it with no transaction open: it may last half a minute. Raises Unanswered.
    """
    return _ask("POST", url, body, {"Content-Type": content_type, **(more or {})}, most)


def get(url: str, most: int, more: Mapping[str, str] | None = None) -> Answer:
    """GET an answer of at most `most` bytes, under the same rules as `post`. Raises Unanswered."""
    return _ask("GET", url, None, more or {}, most)


def _ask(method: str, url: str, body: bytes | None, headers: Mapping[str, str], most: int) -> Answer:
    sent = {"User-Agent": "consent-server", **headers}
    # A redirect, or a page that an operator names, may hold letters that a browser would encode.
    written = quote(url, safe=WRITTEN)
    request = Request(written, body, sent, method=method)  # noqa: S310  settings and commands take http and https only
    deadline = time.monotonic() + LONGEST
    try:
        with _open(request) as response:
            said, answered = _read(response, most, deadline), response.headers
            return Answer(response.status, answered.get_content_type(), said, answered)
    except TimeoutError as error:
        raise Unanswered(f"it did not answer within {TIMEOUT} seconds") from error
    except URLError as error:
        raise Unanswered(f"it cannot be reached: {error.reason}") from error
    except (HTTPException, OSError) as error:
        raise Unanswered(f"the connection broke: {error!s:.100}") from error


def mail_message(
    sender: str, to: str | Address, subject: str, now: datetime, message_id: str | None = None
) -> EmailMessage:
    """A message without a text yet. `message_id` is its part before the @: one that stays when it is sent again."""
    message, domain = EmailMessage(), sender.partition("@")[2]
    # A name may hold anything, a header no line break.
    message["Subject"] = " ".join(subject.split())
    message["From"] = sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{message_id}@{domain}>" if message_id else make_msgid(domain=domain)
    # RFC 3834: no absence note is sent back.
    message["Auto-Submitted"] = "auto-generated"
    return message


def send_mail(server: MailServer, message: EmailMessage) -> None:
    """Hand a message in to all whom it names in To, over TLS wherever a server elsewhere offers it. Raises Unanswered.

    A certificate that does not hold is a failure, and no password leaves this machine in the clear. Who is
    refused while others are taken is not tried again: that would tell the others twice.
    """
    try:
        with _mail_session(server, message["From"].partition("@")[2]) as session:
            if server.user:
                session.login(server.user, server.password)
            session.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise Unanswered(f"it refuses mail for the recipients: {code} {_words(words)}") from error
    except smtplib.SMTPResponseException as error:
        raise Unanswered(f"it answered {error.smtp_code}: {_words(error.smtp_error)}") from error
    except TimeoutError as error:
        raise Unanswered(f"it did not answer within {TIMEOUT} seconds") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unanswered(f"the mail server cannot be used: {error!s:.200}") from error


def _mail_session(server: MailServer, name: str) -> smtplib.SMTP:
    # `name` in EHLO, in place of this machine's own.
    context = ssl.create_default_context()
    if server.tls:
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=TIMEOUT, context=context)
    session = smtplib.SMTP(server.host, server.port, name, timeout=TIMEOUT)
    if server.local:
        return session
    try:
        session.ehlo()
        if session.has_extn("starttls"):
            session.starttls(context=context)
        elif server.user:
            raise Unanswered("it offers no TLS (STARTTLS), and a password is not sent in the clear")
    except BaseException:
        session.close()
        raise
    return session


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]


def _open(request: Request) -> Any:
    try:
        return OPENER.open(request, timeout=TIMEOUT)
    except HTTPError as answer:
        return answer


def _read(response: HTTPResponse, most: int, deadline: float) -> bytes:
    body = b""
    while chunk := response.read1(CHUNK):
        body += chunk
        if len(body) > most:
            raise Unanswered(f"its answer is longer than {most} bytes")
        if time.monotonic() > deadline:
            raise Unanswered(f"its answer took longer than {LONGEST} seconds")
    if response.length:
        raise Unanswered("its answer was cut short")
    return body
