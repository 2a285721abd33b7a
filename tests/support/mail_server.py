"""A mail server on a loopback address that keeps what it is handed, with STARTTLS and AUTH where told so."""

import ssl
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class _Controller(Controller):
    def _trigger_server(self) -> None:
        # Asked for any free port: here is which.
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@dataclass
class MailServer:
    """`refuse` is an answer to the end of a message, in place of taking it. Nobody whose name begins so is here."""

    host: str = "127.0.0.1"
    context: ssl.SSLContext | None = None
    tls_at_once: bool = False
    account: tuple[str, str] | None = None
    refuse: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str | None, list[str]]] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    accounts: list[tuple[tuple[str, str], bool]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._controller = _Controller(
            self,
            self.host,
            0,
            server_hostname="mail.example",
            ssl_context=self.context if self.tls_at_once else None,
            tls_context=None if self.tls_at_once else self.context,
            auth_require_tls=False,
            auth_exclude_mechanism=() if self.account else ("LOGIN", "PLAIN"),
            authenticator=self._authenticate,
        )
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Keeps who greets."""
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes mail for all but nobody."""
        if address.startswith("nobody"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keeps the message."""
        if self.refuse:
            return self.refuse
        assert isinstance(envelope.content, bytes)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        account = (data.login.decode(), data.password.decode())
        self.accounts.append((account, server.transport.get_extra_info("ssl_object") is not None))  # type: ignore[union-attr]
        if account == self.account:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message="535 who is that?")
