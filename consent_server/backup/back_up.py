"""Copy the database while the server runs, with a manifest of what it holds."""

import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from consent_server import __version__
from consent_server.backup import store_copy
from consent_server.backup.rules_manifest import HeldLedger, Manifest, secret_mark
from consent_server.core.database import Session
from consent_server.core.errors import InvalidSettings
from consent_server.core.files import read_text
from consent_server.core.keys import KeySource
from consent_server.core.settings import Settings
from consent_server.core.times import rfc3339
from consent_server.ledger import store as ledger_store
from consent_server.sites import store as sites

# What the secrets are called in a manifest, and in the instance folder.
SIGNING_KEYS, SECRET_KEY = "signing-keys.json", "secret-key"
POSTGRESQL = (
    "The database is PostgreSQL: it is backed up with its own tools, which this command would only hide."
    " pg_dump --format=custom --file=FILE DATABASE copies it while it runs: see docs/deploy.md, section 9."
)


def back_up(
    settings: Settings, keys: KeySource, now: datetime, file: Path, with_keys: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Manifest:  # fmt: skip
    """Make a file of mode 0600 that nobody had before, whole and on the disk, or none at all.

    Raises FileExistsError, StorageUnavailable, and InvalidSettings where the database is not SQLite.
    """
    source = database_file(settings)
    if os.path.lexists(file):
        raise FileExistsError(17, "is there already; name a new file", str(file))
    partial = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        store_copy.copy_database(source, partial, progress)
        migration = store_copy.require_whole(partial)
        manifest = describe(partial, settings, keys, migration, now, with_keys)
        store_copy.write_manifest(partial, manifest.text())
        store_copy.sync(partial)
        # Unlike a rename this never takes the place of what somebody else put there meanwhile.
        os.link(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    store_copy.sync(file.parent)
    return manifest


def describe(copy: Path, settings: Settings, keys: KeySource, migration: str, now: datetime, secret: bool) -> Manifest:
    """What a copy holds, by the copy itself."""
    signing = settings.signing_keys or read_text(settings.signing_keys_file)
    held = {SIGNING_KEYS: signing, SECRET_KEY: settings.secret_key} if secret else None
    with store_copy.session_on(copy) as session:
        ledgers = held_ledgers(session)
    jwks, mark = keys.ring.public_jwks(), secret_mark(settings.secret_key)
    return Manifest(rfc3339(now), __version__, migration, ledgers, jwks, mark, held)


def held_ledgers(session: Session) -> tuple[HeldLedger, ...]:
    """Each site's ledger with its newest checkpoint."""
    return tuple(
        HeldLedger(stored.site.key, newest.size if newest else 0, newest.note if newest else None)
        for stored in sites.every(session)
        for newest in [ledger_store.newest_checkpoint(session, stored.id)]
    )


def database_file(settings: Settings) -> Path:
    """The SQLite file. Raises InvalidSettings for any other database."""
    if not settings.database_url.startswith("sqlite:///"):
        raise InvalidSettings(POSTGRESQL)
    return Path(settings.database_url.removeprefix("sqlite:///"))
