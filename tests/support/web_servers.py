"""nginx, Apache and Caddy with the files of deploy/, each in a folder of its own and on ports of its own."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from itertools import count
from pathlib import Path

from tests.support.certificate import make_certificate
from tests.support.process import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
OWN, SITE, CONSOLE = "consent.example", "shop.example", "consent.intern.example"
SHOP_PAGE = "The shop."
START_SECONDS = 30
ACCOUNT = "www-data"  # Apache refuses to serve as root
IS_ROOT = os.getuid() == 0
# Loopback too, each another visitor.
VISITORS = (f"127.1.{number >> 8}.{number & 255}" for number in count(1))
UNVERIFIED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE
PATHS = f"{os.environ['PATH']}:/usr/sbin"
# Those that Debian loads by itself, and those that docs/servers.md has an operator load.
MODULES = [
    *("alias", "authz_core", "brotli", "deflate", "env", "filter", "mpm_event", "reqtimeout", "setenvif"),
    *("buffer", "cache", "cache_disk", "headers", "http2", "proxy", "proxy_http", "remoteip", "socache_shmcb", "ssl"),
]

NGINX = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    access_log {folder}/site.log;
    gzip on;
    gzip_types *;
    include consent/http.conf;
    include consent/host.conf;
    include consent/console.conf;
    server {{
        listen 443 ssl http2;
        server_name {site};
        ssl_certificate /etc/letsencrypt/live/{site}/fullchain.pem;
        ssl_certificate_key /etc/letsencrypt/live/{site}/privkey.pem;
        include consent/path.conf;
        location / {{ return 200 "{page}"; }}
    }}
}}
"""
APACHE = """\
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error.log
{user}
{modules}
Listen 443
Listen 80
StartServers 1
ThreadsPerChild 25
SSLSessionCache shmcb:{folder}/sessions(512000)
CacheRoot {folder}/cache
CacheLockPath {folder}/cache/lock
AddOutputFilterByType DEFLATE text/html text/css text/javascript application/json application/problem+json
Include consent/http.conf
Include consent/host.conf
Include consent/console.conf
<VirtualHost *:443>
    ServerName {site}
    SSLEngine on
    SSLCertificateFile /etc/letsencrypt/live/{site}/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/{site}/privkey.pem
    DocumentRoot {folder}/site
    CustomLog {folder}/site.log "%h %r" env=!consent_path
    Include consent/path.conf
</VirtualHost>
"""
# Certificates of its own making, and nothing that another Caddy of this machine has.
CADDY = """\
	admin off
	local_certs
	skip_install_trust
	storage file_system {folder}/storage
	https_port {port}
	http_port {plain}
	default_bind 127.0.0.1
"""


@dataclass(frozen=True)
class Answered:
    """One answer."""

    status: int
    headers: Message
    body: bytes


@dataclass
class WebServer:
    """A web server in front of what listens on `behind`, with `more` in its `http.conf` and other words there."""

    name: str
    behind: int
    more: str = ""
    replaced: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(init=False)
    port: int = field(default_factory=free_port)
    plain: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"consent-{self.name}-"))
        self._certificate = make_certificate(self.folder, OWN, SITE, CONSOLE)
        command = STARTS[self.name](self)
        environ = {"PATH": PATHS, "HOME": str(self.folder), "APACHE_LOG_DIR": str(self.folder)}
        with (self.folder / "said.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self.wait_for(self._answers)
        except AssertionError:
            self.stop()
            raise

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.logs()
        try:
            return self.ask("GET", OWN, "/healthz").status != 0
        except OSError:
            return False

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Return once this holds."""
        wait = threading.Event()
        for _ in range(START_SECONDS * 50):
            if holds():
                return
            wait.wait(0.02)
        raise AssertionError(f"What was waited for never came.\n{self.logs()}")

    def write(self, name: str, text: str) -> Path:
        """A file of its configuration, with what docs/servers.md has an operator replace, and this folder's logs."""
        certificate = str(self._certificate)
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{self.behind}")
        text = re.sub(r"/etc/letsencrypt/live/[a-z.]+/(fullchain|privkey)\.pem", certificate, text)
        text = re.sub(r"/var/(log|lib)/nginx", str(self.folder), text)
        text = re.sub(r" *listen \[::\].*\n", "", text)
        for usual, port in ((443, self.port), (80, self.plain)):
            text = re.sub(rf"(?i)^( *listen) {usual}\b", rf"\1 127.0.0.1:{port}", text, flags=re.M)
            text = text.replace(f"*:{usual}>", f"127.0.0.1:{port}>")
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def copy(self) -> None:
        """The files of deploy/ for it."""
        for path in (DEPLOY / self.name).glob("*.conf"):
            text = path.read_text("utf-8")
            if path.name == "http.conf":
                text += self.more
                for usual, instead in self.replaced.items():
                    assert usual in text
                    text = text.replace(usual, instead)
            self.write(f"consent/{path.name}", text)

    def ask(
        self, method: str, host: str, path: str, body: bytes | None = None,
        headers: Mapping[str, str] | None = None, address: str = "",
    ) -> Answered:  # fmt: skip
        """One request over TLS, by whoever has this address; without one by somebody new."""
        with self.connect(host, address) as connection:
            asked = http.client.HTTPConnection(host, timeout=30)
            asked.sock = connection
            asked.request(method, path, body, dict(headers or {}))
            answer = asked.getresponse()
            return Answered(answer.status, answer.headers, answer.read())

    def connect(self, host: str, address: str = "") -> ssl.SSLSocket:
        """A connection to one of its hosts."""
        plain = socket.create_connection(("127.0.0.1", self.port), 30, source_address=(address or next(VISITORS), 0))
        return UNVERIFIED.wrap_socket(plain, server_hostname=host)

    def logs(self) -> str:
        """All that it wrote down."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End it, and leave nothing behind."""
        self._process.terminate()
        self._process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


def nginx(server: WebServer) -> list[str]:
    """Write its files; how it is started."""
    server.copy()
    user = "user root;" if IS_ROOT else ""
    main = server.write("nginx.conf", NGINX.format(folder=server.folder, site=SITE, page=SHOP_PAGE, user=user))
    return ["nginx", "-c", str(main), "-e", f"{server.folder}/error.log"]


def apache(server: WebServer) -> list[str]:
    """Write its files; how it is started."""
    server.copy()
    (server.folder / "cache").mkdir()
    (server.folder / "site").mkdir()
    (server.folder / "site" / "index.html").write_text(SHOP_PAGE, "utf-8")
    if IS_ROOT:
        server.folder.chmod(0o711)
        shutil.chown(server.folder / "cache", ACCOUNT)
    user = f"User {ACCOUNT}\nGroup {ACCOUNT}" if IS_ROOT else ""
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
    main = server.write("apache.conf", APACHE.format(folder=server.folder, site=SITE, user=user, modules=modules))
    return ["apache2", "-DFOREGROUND", "-f", str(main)]


def caddy(server: WebServer) -> list[str]:
    """Write its file; how it is started."""
    text = (DEPLOY / "caddy" / "Caddyfile").read_text("utf-8")
    options = CADDY.format(folder=server.folder, port=server.port, plain=server.plain)
    main = server.write("Caddyfile", re.sub(r"(?m)^{\n", lambda found: found[0] + options, text, count=1))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(main)]


STARTS: dict[str, Callable[[WebServer], list[str]]] = {"nginx": nginx, "apache": apache, "caddy": caddy}
