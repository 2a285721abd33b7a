"""A strict witness of the tests' own on a loopback address (C2SP tlog-witness), made without the code that it tests."""

import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent_server.core.errors import InvalidProof
from consent_server.ledger.rules import EMPTY_ROOT, verify_consistency

BASE64 = "[A-Za-z0-9+/]+={0,2}"
REQUEST = re.compile(f"old (0|[1-9][0-9]*)\n((?:{BASE64}\n){{0,63}})\n(.*)", re.DOTALL)
CHECKPOINT = re.compile(f"([^\n]+)\n(0|[1-9][0-9]*)\n({BASE64})\n((?:[^\n]+\n)*)")
SIGNATURE = re.compile(f"\u2014 ([^ +\n]+) ({BASE64})\n")
Reply = tuple[int, str, bytes]


@dataclass
class Witness:
    """`logs` are the ledgers that it knows, origin to public key. What it does differently is set while it runs."""

    clock: Callable[[], datetime]
    name: str = "witness.example/w1"
    logs: dict[str, bytes] = field(default_factory=dict)
    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    # The newest checkpoint that it cosigned, by origin: size and root.
    state: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    # Runs while a request waits; may put another answer in place of the true one.
    meanwhile: Callable[[], None] = lambda: None
    twist: Callable[[Reply], Reply] = lambda reply: reply
    loses_answers: bool = False

    def __post_init__(self) -> None:
        self.public = self.signer.public_key().public_bytes_raw()
        self.key_id = sha256(self.name.encode() + b"\n\x04" + self.public).digest()[:4]
        self._lock = threading.Lock()

    @property
    def vkey(self) -> str:
        """Its verifier key."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([4]) + self.public).decode()}"

    @property
    def line(self) -> str:
        """Its line in the settings."""
        return f"witness {self.name.replace('/', '-')} {self.vkey} {self.url}"

    def knows(self, origin: str, public: bytes) -> Self:
        """Take a ledger on."""
        self.logs[origin] = public
        return self

    def cosignature(self, text: str, time: int | None = None) -> str:
        """Its line under a checkpoint."""
        time = int(self.clock().timestamp()) if time is None else time
        signature = self.signer.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return f"\u2014 {self.name} {b64encode(self.key_id + time.to_bytes(8) + signature).decode()}\n"

    def holds(self, note: str) -> bool:
        """Whether a note carries a good cosignature of this witness."""
        text, _, lines = note.rpartition("\n\n")
        for name, encoded in SIGNATURE.findall(lines):
            value = b64decode(encoded)
            if (name, value[:4]) == (self.name, self.key_id):
                message = f"cosignature/v1\ntime {int.from_bytes(value[4:12])}\n{text}\n".encode()
                return _is_signed(self.public, message, value[12:])
        return False

    def add_checkpoint(self, body: bytes) -> Reply:
        """The rules of tlog-witness, in their order."""
        request = REQUEST.fullmatch(body.decode())
        text, _, lines = (request[3] if request else "").rpartition("\n\n")
        checkpoint = CHECKPOINT.fullmatch(f"{text}\n")
        if not request or not checkpoint or not re.fullmatch(f"({SIGNATURE.pattern})+", lines):
            return 400, "text/plain", b"malformed\n"
        origin, size, root = checkpoint[1], int(checkpoint[2]), b64decode(checkpoint[3])
        if origin not in self.logs:
            return 404, "text/plain", b"unknown origin\n"
        if not self._is_signed(origin, f"{text}\n", lines):
            return 403, "text/plain", b"no signature of a known key\n"
        old, proof = int(request[1]), [b64decode(line) for line in request[2].splitlines()]
        if old > size:
            return 400, "text/plain", b"the old size exceeds the checkpoint's\n"
        with self._lock:
            known, known_root = self.state.get(origin, (0, EMPTY_ROOT))
            if old != known or (old == size and root != known_root):
                return 409, "text/x.tlog.size", f"{known}\n".encode()
            try:
                verify_consistency(old, size, proof, known_root, root)
            except InvalidProof as error:
                return 422, "text/plain", str(error).encode()
            self.state[origin] = (size, root)
        return 200, "text/plain; charset=utf-8", self.cosignature(f"{text}\n").encode()

    def _is_signed(self, origin: str, text: str, lines: str) -> bool:
        public = self.logs[origin]
        key_id = sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
        values = [b64decode(encoded) for name, encoded in SIGNATURE.findall(lines) if name == origin]
        return any(value[:4] == key_id and _is_signed(public, text.encode(), value[4:]) for value in values)

    # On the network

    def __enter__(self) -> Self:
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                witness.asked.append(body.decode())
                witness.meanwhile()
                status, content_type, answer = (404, "text/plain", b"")
                if self.path == "/prefix/add-checkpoint":
                    status, content_type, answer = witness.twist(witness.add_checkpoint(body))
                witness.answered.append(status)
                if witness.loses_answers:
                    return
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                if 300 <= status < 400:
                    self.send_header("Location", "/prefix/add-checkpoint")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its submission prefix."""
        return f"http://127.0.0.1:{self._server.server_port}/prefix"


def _is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
