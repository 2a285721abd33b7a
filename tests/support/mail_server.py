"""A mail server of the tests' own on a loopback address (RFC 5321), with STARTTLS and AUTH PLAIN where told so."""

import socketserver
import ssl
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self


@dataclass
class MailServer:
    """Keeps what it is handed. `refuse` is an answer to the end of a message, in place of taking it."""

    host: str = "127.0.0.1"
    context: ssl.SSLContext | None = None
    tls_at_once: bool = False
    account: str = ""
    refuse: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    accounts: list[tuple[str, bool]] = field(default_factory=list)

    def __enter__(self) -> Self:
        mail = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _Conversation(mail, self).hold()

        self._server = socketserver.ThreadingTCPServer((self.host, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])


class _Conversation:
    def __init__(self, mail: MailServer, handler: socketserver.StreamRequestHandler) -> None:
        self._mail, self._socket, self._read = mail, handler.request, handler.rfile
        self._encrypted = False
        self._sender, self._recipients = "", list[str]()

    def hold(self) -> None:
        try:
            if self._mail.tls_at_once:
                self._encrypt()
            self._say("220 mail.example")
            while (line := self._read.readline().decode()) and self._answer(line.strip()):
                pass
        except OSError:
            # Whoever mistrusts the certificate hangs up.
            pass
        finally:
            self._socket.close()

    def _answer(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                self._mail.greetings.append(rest)
                self._say(*self._offers())
            case "STARTTLS":
                self._say("220 go on")
                self._encrypt()
            case "AUTH":
                self._mail.accounts.append((b64decode(rest.split()[1]).decode(), self._encrypted))
                self._say("235 welcome" if self._mail.accounts[-1][0] == self._mail.account else "535 who is that?")
            case "MAIL":
                self._sender, self._recipients = _between(rest), []
                self._say("250 ok")
            case "RCPT":
                self._recipients.append(_between(rest))
                self._say("250 ok" if not _between(rest).startswith("nobody") else "550 no such person")
            case "DATA":
                self._say("354 go on")
                self._take()
            case "QUIT":
                self._say("221 bye")
                return False
            case _:
                self._say("250 ok")
        return True

    def _offers(self) -> list[str]:
        offers = ["mail.example"]
        offers += ["STARTTLS"] if self._mail.context and not self._encrypted else []
        offers += ["AUTH PLAIN"] if self._mail.account else []
        return [*(f"250-{one}" for one in offers[:-1]), f"250 {offers[-1]}"]

    def _take(self) -> None:
        lines = []
        while (line := self._read.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if self._mail.refuse:
            self._say(self._mail.refuse)
            return
        self._mail.envelopes.append((self._sender, self._recipients))
        self._mail.messages.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._say("250 taken")

    def _encrypt(self) -> None:
        assert self._mail.context
        self._socket = self._mail.context.wrap_socket(self._socket, server_side=True)
        self._read, self._encrypted = self._socket.makefile("rb"), True

    def _say(self, *lines: str) -> None:
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())


def _between(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]
