"""Settings from the environment. Every name starts with CONSENT_; every one is optional in the embedded default."""

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import limits
from cryptography.x509 import load_pem_x509_certificates
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from consent_server.core.channels import LOCAL, Channels, Mail, Sender, Webhook, addresses, mail_server, webhook_key
from consent_server.core.errors import Fault, InvalidSettings
from consent_server.core.files import read_text, write_once
from consent_server.core.openid import OpenIdProvider
from consent_server.core.resources import default_instance
from consent_server.core.rules_address import address_fault, host_and_port
from consent_server.core.rules_text import meant
from consent_server.core.witnesses import Witness, parse_witnesses

# In the instance folder: what the server that was started last said is its address.
_ADDRESS = "address"
DATABASES = {"sqlite", "postgresql", "postgresql+psycopg"}
NAMES = frozenset([
    "CONSENT_CONSOLE_URL", "CONSENT_SECURITY_CONTACT", "CONSENT_SITE_RATE_LIMIT",
    "CONSENT_ALERT_EMAILS", "CONSENT_ALERT_SECRET", "CONSENT_ALERT_SECRET_FILE", "CONSENT_ALERT_SENDER",
    "CONSENT_ALERT_WEBHOOK", "CONSENT_CHROMIUM", "CONSENT_COUNTRY_HEADER", "CONSENT_DATABASE_URL", "CONSENT_INSTANCE",
    "CONSENT_OIDC_CLIENT_ID", "CONSENT_OIDC_CLIENT_SECRET", "CONSENT_OIDC_CLIENT_SECRET_FILE", "CONSENT_OIDC_ISSUER",
    "CONSENT_PUBLIC_URL", "CONSENT_RATE_LIMIT", "CONSENT_RATE_LIMIT_URL", "CONSENT_REPLICA_URL", "CONSENT_SCAN_DAYS",
    "CONSENT_REQUIRE_CODES", "CONSENT_SEAL_SECONDS",
    "CONSENT_SECRET_KEY", "CONSENT_SECRET_KEY_FILE", "CONSENT_SIGNING_KEYS", "CONSENT_SIGNING_KEYS_FILE",
    "CONSENT_SMTP_URL", "CONSENT_SMTP_URL_FILE", "CONSENT_TIMESTAMP_ROOTS_FILE", "CONSENT_TIMESTAMP_SECONDS",
    "CONSENT_TIMESTAMP_URL", "CONSENT_TRUSTED_PROXIES", "CONSENT_WITNESSES", "CONSENT_WITNESSES_FILE",
    "CONSENT_WITNESS_SECONDS",
])  # fmt: skip
# RFC 9116, section 2.5.3: a URI, on one line.
CONTACT = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|tel:\+?[0-9-]+|https://[^\s/]+\S*)", re.ASCII)
COUNTERS = {"process", "redis", "rediss", "redis+unix"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server runs with. See docs/settings.md for each."""

    instance: Path
    database_url: str
    replica_url: str | None
    secret_key: str
    signing_keys: str | None
    signing_keys_file: Path
    public_url: str
    console_url: str | None
    security_contact: str | None
    trusted_proxies: int
    rate_limit: str
    rate_limit_url: str
    site_rate_limit: str | None
    country_header: str | None
    seal_seconds: float
    witnesses: tuple[Witness, ...]
    witness_seconds: float
    timestamp_url: str | None
    timestamp_roots: bytes | None
    timestamp_seconds: int
    chromium: str | None
    scan_days: int
    alerts: Channels
    sender: Sender | None = None
    codes_required: bool = False
    provider: OpenIdProvider | None = None

    @property
    def sign_in_url(self) -> str:
        """Where people sign in and have their consoles."""
        return self.console_url or self.public_url

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings. Raises InvalidSettings that names every gap at once."""
        instance = Path(environ.get("CONSENT_INSTANCE", default_instance())).resolve()
        embedded = "CONSENT_DATABASE_URL" not in environ
        reader = _Reader(environ)
        secret_key = reader.secret("CONSENT_SECRET_KEY", required=not embedded)
        signing_keys_file = environ.get("CONSENT_SIGNING_KEYS_FILE")
        signing_keys = None if signing_keys_file else environ.get("CONSENT_SIGNING_KEYS")
        if not embedded and not (signing_keys or signing_keys_file):
            reader.missing("CONSENT_SIGNING_KEYS")
        if not embedded and signing_keys_file and not Path(signing_keys_file).is_file():
            # Keys that each server makes for itself would be keys that no two servers share.
            reader.faults.append(Fault("CONSENT_SIGNING_KEYS_FILE", "does not exist; make it with: consent key new"))
        if signing_keys and not _is_key_set(signing_keys):
            reader.faults.append(Fault("CONSENT_SIGNING_KEYS", "must be a JWK Set of Ed25519 keys"))
        public_url = reader.url("CONSENT_PUBLIC_URL", _own_address(environ, instance))
        sender = reader.sender(
            "CONSENT_ALERT_SENDER", "CONSENT_SMTP_URL", "CONSENT_SMTP_URL_FILE", needed_by="CONSENT_ALERT_EMAILS"
        )
        settings = cls(
            instance=instance,
            database_url=reader.database("CONSENT_DATABASE_URL", f"sqlite:///{instance / 'consent.sqlite3'}"),
            replica_url=reader.replica("CONSENT_REPLICA_URL"),
            secret_key=secret_key,
            signing_keys=signing_keys,
            signing_keys_file=Path(signing_keys_file or instance / "signing-keys.json"),
            public_url=public_url,
            console_url=reader.console("CONSENT_CONSOLE_URL", public_url),
            security_contact=reader.contact("CONSENT_SECURITY_CONTACT"),
            trusted_proxies=reader.count("CONSENT_TRUSTED_PROXIES", 0),
            rate_limit=reader.limit("CONSENT_RATE_LIMIT", "2000 per minute"),
            rate_limit_url=reader.counter("CONSENT_RATE_LIMIT_URL", "process://"),
            site_rate_limit=reader.limit("CONSENT_SITE_RATE_LIMIT", "") or None,
            country_header=environ.get("CONSENT_COUNTRY_HEADER"),
            seal_seconds=reader.count("CONSENT_SEAL_SECONDS", 1, least=1),
            witnesses=reader.witnesses("CONSENT_WITNESSES", "CONSENT_WITNESSES_FILE"),
            witness_seconds=reader.count("CONSENT_WITNESS_SECONDS", 60, least=1),
            timestamp_url=reader.address("CONSENT_TIMESTAMP_URL"),
            timestamp_roots=reader.certificates("CONSENT_TIMESTAMP_ROOTS_FILE", needed_by="CONSENT_TIMESTAMP_URL"),
            timestamp_seconds=reader.count("CONSENT_TIMESTAMP_SECONDS", 3600, least=1),
            chromium=environ.get("CONSENT_CHROMIUM"),
            scan_days=reader.count("CONSENT_SCAN_DAYS", 0),
            alerts=Channels(
                reader.webhook("CONSENT_ALERT_WEBHOOK", "CONSENT_ALERT_SECRET", "CONSENT_ALERT_SECRET_FILE"),
                reader.mail("CONSENT_ALERT_EMAILS", sender),
            ),
            sender=sender,
            codes_required=reader.flag("CONSENT_REQUIRE_CODES"),
            provider=reader.provider("CONSENT_OIDC_ISSUER", "CONSENT_OIDC_CLIENT_ID", "CONSENT_OIDC_CLIENT_SECRET"),
        )
        if reader.faults:
            raise InvalidSettings("Settings in the environment are missing or wrong.", reader.faults)
        if not secret_key:
            return _with_own_secret(settings)
        return settings


def unknown_settings(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Names in the environment that look like settings and are none: a misspelt one has no effect."""
    return sorted(name for name in environ if name.startswith("CONSENT_") and name not in NAMES)


def say_unknown_settings(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """A sentence for each, which names the one that was probably meant."""
    for name in unknown_settings(environ):
        yield f"{name} is no setting of this server and has no effect.{meant(name, NAMES) or ' See docs/settings.md.'}"


def place_of(url: str) -> tuple[str, int] | None:
    """Host and port of an address, as browsers tell them apart; None of what is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        return (parts.hostname, port) if parts.hostname else None
    except ValueError:
        return None


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[Fault] = []

    def missing(self, name: str) -> None:
        self.faults.append(Fault(name, f"is required with CONSENT_DATABASE_URL; set it or {name}_FILE"))

    def witnesses(self, name: str, file: str) -> tuple[Witness, ...]:
        witnesses, faults = parse_witnesses(self._text(name))
        source = file if self.environ.get(file) else name
        self.faults += [Fault(f"{source} {fault.pointer}", fault.detail) for fault in faults]
        return witnesses

    def _text(self, name: str) -> str:
        """What a setting says, or the file that counts before it."""
        path = self.environ.get(f"{name}_FILE")
        try:
            return read_text(Path(path)) if path else self.environ.get(name, "")
        except OSError as error:
            self.faults.append(Fault(f"{name}_FILE", f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError:
            self.faults.append(Fault(f"{name}_FILE", "is not UTF-8"))
        return ""

    def secret(self, name: str, required: bool) -> str:
        value = self._text(name).strip()
        if value and len(value) < 32:
            self.faults.append(Fault(name, "is shorter than 32 characters"))
        if required and not value:
            self.missing(name)
        return value

    def database(self, name: str, default: str) -> str:
        value = self.environ.get(name, default)
        # The value is not repeated: it may hold a password.
        if not _is_database(value):
            says = "must be postgresql+psycopg://USER:PASSWORD@HOST/NAME or sqlite:////absolute/path"
            self.faults.append(Fault(name, says))
        elif not value.startswith("sqlite") and value.count("@") > 1:
            # The driver would tell what follows the first one as the name of a host.
            self.faults.append(Fault(name, "has @ in its user or password: percent-encode it, as %40"))
        return value

    def replica(self, name: str) -> str | None:
        value = self.environ.get(name)
        if not value or not self.database(name, value).startswith("postgresql"):
            if value:
                self.faults.append(Fault(name, "must be a replica of the PostgreSQL of CONSENT_DATABASE_URL"))
            return None
        return value

    def counter(self, name: str, default: str) -> str:
        value = self.environ.get(name, default)
        try:
            parts = urlsplit(value)
            # Whatever `/`, `?` or `#` in a password cut off would be taken for a part of the address, and be told.
            known = (
                parts.scheme in COUNTERS and parts.port != 0 and "@" not in parts.path + parts.query + parts.fragment
            )
        except ValueError:
            known = False
        if not known:
            says = "must be process:// or redis://:PASSWORD@HOST:PORT/NUMBER, the password percent-encoded"
            self.faults.append(Fault(name, says))
        return value

    def url(self, name: str, default: str) -> str:
        value = self.environ.get(name, default).rstrip("/")
        if name in self.environ and (fault := address_fault(value)):
            self.faults.append(Fault(name, fault))
        return value

    def address(self, name: str) -> str | None:
        value = self.environ.get(name)
        if not value:
            return None
        if fault := address_fault(value, query=True):
            self.faults.append(Fault(name, fault))
        return value

    def console(self, name: str, public_url: str) -> str | None:
        value = self.url(name, "")
        if value and place_of(value) in (None, place_of(public_url)):
            # One origin would be one for scripts too: they are told apart by host and port, never by path.
            self.faults.append(Fault(name, "must have another host or port than CONSENT_PUBLIC_URL"))
        return value or None

    def contact(self, name: str) -> str | None:
        value = self.environ.get(name)
        if value and not CONTACT.fullmatch(value):
            self.faults.append(Fault(name, "must be mailto:ADDRESS, tel:NUMBER or an https:// address"))
        return value or None

    def webhook(self, name: str, secret: str, file: str) -> Webhook | None:
        url, text = self.address(name), self._text(secret).strip()
        if not url:
            return None
        try:
            return Webhook(url, webhook_key(text))
        except ValueError:
            made = "whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)"
            says = f"must be {made}" if text else f"is required with {name}; set it or {file} to {made}"
            self.faults.append(Fault(secret, says))
            return None

    def sender(self, name: str, server: str, file: str, needed_by: str) -> Sender | None:
        senders, url = self._addresses(name, self.environ.get(name, "")), self._text(server).strip()
        needing = needed_by if self.environ.get(needed_by) else server if url else name if senders else None
        if needing is None:
            return None
        if len(senders) != 1:
            self.faults.append(Fault(name, f"is required with {needing}: one address"))
        try:
            return Sender(mail_server(url), "".join(senders))
        except ValueError:
            # The value is not repeated: it may hold a password.
            form = "smtp://USER:PASSWORD@HOST:PORT or smtps://…, user and password percent-encoded or left out"
            says = f"must be {form}" if url else f"is required with {needing}; set it or {file} to {form}"
            self.faults.append(Fault(server, says))
            return None

    def mail(self, name: str, sender: Sender | None) -> Mail | None:
        recipients = self._addresses(name, self.environ.get(name, ""))
        return Mail(sender.server, sender.address, recipients) if recipients and sender else None

    def _addresses(self, name: str, text: str) -> tuple[str, ...]:
        try:
            return addresses(text)
        except ValueError:
            self.faults.append(Fault(name, "must be mail addresses separated by commas, such as a@shop.example"))
            # Read on as if it were right: what else is wrong is named too.
            return ("a@shop.example",)

    def certificates(self, name: str, needed_by: str) -> bytes | None:
        path = self.environ.get(name)
        if not path:
            if self.environ.get(needed_by):
                self.faults.append(Fault(name, f"is required with {needed_by}: the authority's root certificates, PEM"))
            return None
        try:
            pem = Path(path).read_bytes()
            load_pem_x509_certificates(pem)
        except OSError as error:
            self.faults.append(Fault(name, f"cannot be read: {error.strerror}"))
            return None
        except ValueError:
            self.faults.append(Fault(name, "must hold certificates in PEM"))
            return None
        return pem

    def count(self, name: str, default: int, least: int = 0) -> int:
        value = self.environ.get(name, str(default))
        if not (value.isascii() and value.isdigit()) or int(value) < least:
            self.faults.append(Fault(name, f"must be a number, {least} or more"))
            return default
        return int(value)

    def flag(self, name: str) -> bool:
        value = self.environ.get(name, "no")
        if value not in ("yes", "no"):
            self.faults.append(Fault(name, "must be yes or no"))
        return value == "yes"

    def provider(self, issuer: str, client: str, secret: str) -> OpenIdProvider | None:
        url = self.address(issuer)
        if url is None:
            return None
        client_id, client_secret = self.environ.get(client, ""), self._text(secret).strip()
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOCAL:
            self.faults.append(Fault(issuer, "must be an https:// address"))
        if not client_id:
            self.faults.append(Fault(client, f"is required with {issuer}"))
        if not client_secret:
            self.faults.append(Fault(secret, f"is required with {issuer}; set it or {secret}_FILE"))
        return OpenIdProvider(url, client_id, client_secret)

    def limit(self, name: str, default: str) -> str:
        value = self.environ.get(name, default)
        try:
            if value:
                limits.parse(value)
        except ValueError:
            self.faults.append(Fault(name, 'must be a limit such as "2000 per minute"'))
        return value


def _is_database(text: str) -> bool:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return False
    return url.drivername in DATABASES and (url.drivername != "sqlite" or bool(url.database))


def remember_address(settings: Settings) -> None:
    """Have commands in the same folder know where the server is that was started last, with `--port` or without.

    Where the folder takes no file, as beside a database and secrets of one's own, the settings say it to both.
    """
    with suppress(OSError):
        (settings.instance / _ADDRESS).write_text(f"{settings.public_url}\n", "utf-8")


def _own_address(environ: Mapping[str, str], instance: Path) -> str:
    """Where a browser on this machine reaches the server: as HOST and PORT say, or as it was started last."""
    if "PORT" not in environ:
        with suppress(OSError, ValueError):
            return (instance / _ADDRESS).read_text("utf-8").strip()
    try:
        host = ip_address(environ.get("HOST", "127.0.0.1").strip("[]"))
    except ValueError:
        # A name: some shells have that of the machine in HOST.
        host = ip_address("127.0.0.1")
    # What listens on all addresses of either kind listens on this one too.
    return f"http://{host_and_port('127.0.0.1' if host.is_unspecified else str(host), environ.get('PORT', '8000'))}"


def _is_key_set(text: str) -> bool:
    try:
        keys = json.loads(text)["keys"]
        return bool(keys) and all(key["crv"] == "Ed25519" for key in keys)
    except (ValueError, TypeError, KeyError):
        return False


def _with_own_secret(settings: Settings) -> Settings:
    path = settings.instance / "secret-key"
    write_once(path, secrets.token_urlsafe(48))
    return replace(settings, secret_key=read_text(path).strip())
