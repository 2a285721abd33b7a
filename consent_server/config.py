"""Settings from the environment. Every name starts with CONSENT_; every one is optional in the embedded default."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import limits

from consent_server.domain.errors import Fault, InvalidSettings

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server runs with. See docs/settings.md for each."""

    instance: Path
    database_url: str
    secret_key: str
    signing_keys: str | None
    signing_keys_file: Path
    public_url: str
    trusted_proxies: int
    rate_limit: str
    rate_limit_url: str
    country_header: str | None
    seal_seconds: float

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings. Raises InvalidSettings that names every gap at once."""
        instance = Path(environ.get("CONSENT_INSTANCE", ROOT / "instance")).resolve()
        embedded = "CONSENT_DATABASE_URL" not in environ
        reader = _Reader(environ)
        secret_key = reader.secret("CONSENT_SECRET_KEY", required=not embedded)
        signing_keys_file = environ.get("CONSENT_SIGNING_KEYS_FILE")
        signing_keys = None if signing_keys_file else environ.get("CONSENT_SIGNING_KEYS")
        if not embedded and not (signing_keys or signing_keys_file):
            reader.missing("CONSENT_SIGNING_KEYS")
        if not embedded and signing_keys_file and not Path(signing_keys_file).is_file():
            # Keys that each server makes for itself would be keys that no two servers share.
            reader.faults.append(Fault("CONSENT_SIGNING_KEYS_FILE", "is not there; make it with: key new"))
        if signing_keys and not _is_key_set(signing_keys):
            reader.faults.append(Fault("CONSENT_SIGNING_KEYS", "must be a JWK Set of Ed25519 keys"))
        settings = cls(
            instance=instance,
            database_url=environ.get("CONSENT_DATABASE_URL", f"sqlite:///{instance / 'consent.sqlite3'}"),
            secret_key=secret_key,
            signing_keys=signing_keys,
            signing_keys_file=Path(signing_keys_file or instance / "signing-keys.json"),
            public_url=reader.url("CONSENT_PUBLIC_URL", f"http://127.0.0.1:{environ.get('PORT', '8000')}"),
            trusted_proxies=reader.count("CONSENT_TRUSTED_PROXIES", 0),
            rate_limit=reader.limit("CONSENT_RATE_LIMIT", "2000 per minute"),
            rate_limit_url=environ.get("CONSENT_RATE_LIMIT_URL", "process://"),
            country_header=environ.get("CONSENT_COUNTRY_HEADER"),
            seal_seconds=reader.count("CONSENT_SEAL_SECONDS", 1, least=1),
        )
        if reader.faults:
            raise InvalidSettings("The environment lacks settings or has wrong ones.", reader.faults)
        if not secret_key:
            return _with_own_secret(settings)
        return settings


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[Fault] = []

    def missing(self, name: str) -> None:
        self.faults.append(Fault(name, f"is required with CONSENT_DATABASE_URL; set it or {name}_FILE"))

    def secret(self, name: str, required: bool) -> str:
        path = self.environ.get(f"{name}_FILE")
        try:
            value = Path(path).read_text("utf-8").strip() if path else self.environ.get(name, "")
        except OSError as error:
            self.faults.append(Fault(f"{name}_FILE", f"cannot be read: {error.strerror}"))
            return ""
        if value and len(value) < 32:
            self.faults.append(Fault(name, "is shorter than 32 characters"))
        if required and not value:
            self.missing(name)
        return value

    def url(self, name: str, default: str) -> str:
        value = self.environ.get(name, default).rstrip("/")
        if not value.startswith(("http://", "https://")):
            self.faults.append(Fault(name, "must start with http:// or https://"))
        return value

    def count(self, name: str, default: int, least: int = 0) -> int:
        value = self.environ.get(name, str(default))
        if not (value.isascii() and value.isdigit()) or int(value) < least:
            self.faults.append(Fault(name, f"must be a number, {least} or more"))
            return default
        return int(value)

    def limit(self, name: str, default: str) -> str:
        value = self.environ.get(name, default)
        try:
            limits.parse(value)
        except ValueError:
            self.faults.append(Fault(name, 'must be a limit such as "2000 per minute"'))
        return value


def _is_key_set(text: str) -> bool:
    try:
        keys = json.loads(text)["keys"]
        return bool(keys) and all(key["crv"] == "Ed25519" for key in keys)
    except (ValueError, TypeError, KeyError):
        return False


def _with_own_secret(settings: Settings) -> Settings:
    path = settings.instance / "secret-key"
    write_once(path, secrets.token_urlsafe(48))
    return replace(settings, secret_key=path.read_text("utf-8").strip())


def write_once(path: Path, text: str) -> None:
    """Create a secret file with mode 0600, unless it is there.

    Two processes may start at once: the hard link makes one of them the winner, and a crash before it
    leaves only a stray temporary file.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _write_temporary(path, text)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def replace_secret(path: Path, text: str) -> None:
    """Put a secret file's new content in place in one step: a reader sees the old or the new, never a part."""
    _write_temporary(path, text).replace(path)


def _write_temporary(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return temporary
