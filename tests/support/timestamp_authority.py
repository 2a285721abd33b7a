"""A timestamp authority of the tests' own, made of openssl: root, issuer and signer, and what answers queries."""

import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

SETTINGS = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[issuer]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[authority]
serial = {folder}/serial
certs = {folder}/issuer.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
ess_cert_id_alg = sha256
ordering = no
"""


@dataclass
class Maker:
    """What answers queries. `digests` are the hashes that it stamps: without sha256 it rejects ours."""

    folder: Path
    name: str = "A timestamp authority"
    digests: str = "sha256"

    def __post_init__(self) -> None:
        self.folder.mkdir()
        settings = SETTINGS.format(folder=self.folder, name=self.name, digests=self.digests)
        (self.folder / "settings").write_text(settings)
        (self.folder / "serial").write_text("01")
        self._openssl("req", "-x509", *new_key("root"), "-out", "root.pem", "-extensions", "root", "-days", "2")
        self._certify("issuer", by="root")
        self._certify("signer", by="issuer")

    def _certify(self, name: str, by: str) -> None:
        self._openssl("req", *new_key(name), "-out", "request", "-subj", f"/CN={self.name}: {name}")
        issuer = ["-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-set_serial", "2", "-days", "2"]
        extensions = ["-extfile", "settings", "-extensions", name]
        openssl(self.folder, "x509", "-req", "-in", "request", *issuer, *extensions, "-out", f"{name}.pem")

    @property
    def roots(self) -> Path:
        """The root certificate, PEM."""
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """The answer to a query, both in DER."""
        (self.folder / "query").write_bytes(query)
        signer = ["-signer", "signer.pem", "-inkey", "signer.key"]
        self._openssl("ts", "-reply", "-section", "authority", "-queryfile", "query", *signer, "-out", "reply")
        return (self.folder / "reply").read_bytes()

    def _openssl(self, command: str, *arguments: str) -> None:
        first, rest = ([arguments[0]], arguments[1:]) if command == "ts" else ([], arguments)
        openssl(self.folder, command, *first, "-config", "settings", *rest)


def new_key(name: str) -> list[str]:
    """Options of `openssl req` for a new key in a file of its own."""
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]


def openssl(folder: Path, *command: str) -> str:
    """Run openssl; what it prints."""
    done = subprocess.run(["openssl", *command], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class TimestampAuthority:
    """The authority on a loopback address. What it does differently is set on it while it runs."""

    answer: Callable[[bytes], bytes]
    status: int = 200
    content_type: str = "application/timestamp-reply"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        authority, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                with lock:
                    authority.asked.append(query)
                    body = authority.answer(query)
                self.send_response(authority.status)
                self.send_header("Content-Type", authority.content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in authority.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/tsr"

    def close(self) -> None:
        """Be away from now on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
