"""Make a server of a backup again: look into it first, and put it in place in one step."""

import fcntl
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from consent_server.backup import store_copy
from consent_server.backup.back_up import SECRET_KEY, SIGNING_KEYS, database_file, held_ledgers
from consent_server.backup.rules_manifest import Manifest, read_manifest, secret_mark
from consent_server.core.database import Session
from consent_server.core.errors import InvalidProof, StorageUnavailable
from consent_server.core.files import read_text, replace_secret
from consent_server.core.keys import KeyRing, KeySource
from consent_server.core.settings import Settings
from consent_server.ledger import store as ledgers
from consent_server.ledger.rules import Tree
from consent_server.ledger.seal import continues
from consent_server.sites import store as sites


@dataclass(frozen=True, slots=True)
class Examined:
    """A backup that is whole, as a copy beside the database. `missing` are the secrets that neither it nor this
    server has, each with where it is to be had. `manifest` is None where something else made the copy.
    """

    copy: Path
    migration: str
    manifest: Manifest | None
    missing: tuple[str, ...]


@contextmanager
def open_backup(
    settings: Settings, keys: KeySource, known_migrations: list[str], file: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Examined]:  # fmt: skip
    """Look into a backup, of which a copy stands beside the database meanwhile.

    Raises InvalidProof, which says what is wrong with it, and InvalidSettings where the database is not SQLite.
    """
    database = database_file(settings)
    _require_file(file)
    copy = database.with_name(f".{database.name}.{secrets.token_hex(8)}")
    try:
        progress("copying")
        _copy(file, copy)
        progress("checking")
        yield _examine(copy, file, settings, keys, known_migrations)
    finally:
        copy.unlink(missing_ok=True)
        for log in store_copy.LOGS:
            copy.with_name(copy.name + log).unlink(missing_ok=True)


def require_stopped(settings: Settings) -> None:
    """Raises StorageUnavailable while a server runs on this folder or has the database open."""
    for lock in settings.instance.glob("*.lock"):
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageUnavailable("A server runs here. Stop it first; nothing was changed.") from error
        finally:
            os.close(descriptor)
    database = database_file(settings)
    if database.exists():
        store_copy.require_alone(database)


def restore(settings: Settings, keys: KeySource, examined: Examined, now: datetime) -> None:
    """Put a backup in place of the database, and its secrets in their files where it has any.

    What the database that goes had signed last is remembered. Raises StorageUnavailable while a server runs.
    """
    require_stopped(settings)
    database = database_file(settings)
    if database.exists():
        with suppress(InvalidProof):
            _remember(keys, database)
    _put_keys(settings, keys, examined, now)
    store_copy.take_manifest(examined.copy)
    store_copy.sync(examined.copy)
    store_copy.put_in_place(examined.copy, database)


def _require_file(file: Path) -> None:
    if not stat.S_ISREG(file.stat().st_mode):
        raise InvalidProof(f"{file} is not a file.")
    for log in store_copy.LOGS:
        if (beside := file.with_name(file.name + log)).exists():
            raise InvalidProof(
                f"{beside} lies beside it: this is a file as a server wrote it and no backup, and what stands in the"
                f" log is not in it. Open and close it once: sqlite3 {file} 'PRAGMA journal_mode=DELETE'"
            )


def _copy(file: Path, copy: Path) -> None:
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as target, file.open("rb") as source:
        shutil.copyfileobj(source, target, 1 << 20)


def _examine(copy: Path, file: Path, settings: Settings, keys: KeySource, known: list[str]) -> Examined:
    try:
        store_copy.settle(copy)
        migration = store_copy.require_whole(copy)
        text = store_copy.manifest_of(copy)
        manifest = None if text is None else read_manifest(text)
        if migration not in known:
            raise InvalidProof(f"It has the migration {migration}, which this version does not know. Update first.")
        # What an older version wrote is looked at with `ledger check`, once it is migrated.
        if migration == known[0]:
            with store_copy.session_on(copy) as session:
                _require_sound(session, _every_key(keys, manifest), manifest)
    except InvalidProof as error:
        raise InvalidProof(f"{file} is not restored: {error.detail.replace(str(copy), str(file))}") from error
    return Examined(copy, migration, manifest, tuple(_missing(settings, keys, manifest)))


def _every_key(keys: KeySource, manifest: Manifest | None) -> KeyRing:
    """Whatever key a checkpoint of the backup may be signed with."""
    own = keys.ring.public_jwks()["keys"]
    held = list(manifest.jwks["keys"]) if manifest else []
    return KeyRing.from_jwks(json.dumps({"keys": [_bare(key) for key in [*held, *own]]}))


def _bare(key: dict[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in ("kty", "crv", "x", "d") if name in key}


def _require_sound(session: Session, ring: KeyRing, manifest: Manifest | None) -> None:
    if gone := store_copy.missing_guards(session):
        raise InvalidProof(f"The triggers that keep history from change are not all there: {', '.join(gone)}.")
    for stored in sites.every(session):
        ledger = ledgers.get(session, stored.id)
        tree = Tree(ledger.size, ledgers.tile_reader(session, stored.id))
        continues(ledgers.newest_checkpoint(session, stored.id), ledger, ring, tree.root())
    if manifest and held_ledgers(session) != manifest.ledgers:
        raise InvalidProof("Its ledgers are not those that its manifest names.")


def _missing(settings: Settings, keys: KeySource, manifest: Manifest | None) -> Iterator[str]:
    if manifest is None:
        return
    have = {key["kid"] for key in keys.ring.public_jwks()["keys"]}
    lacking = [kid for kid in manifest.key_ids if kid not in have]
    # What the environment sets, no file of the backup can replace.
    if lacking and (manifest.keys is None or settings.signing_keys):
        place = "CONSENT_SIGNING_KEYS" if settings.signing_keys else settings.signing_keys_file
        yield (
            f"signing keys {', '.join(lacking)}: copy {SIGNING_KEYS} of the server that was backed up to {place}."
            " Without them no ledger is continued under its own key."
        )
    file = settings.instance / SECRET_KEY
    if secret_mark(settings.secret_key) != manifest.secret and (manifest.keys is None or not file.exists()):
        yield (
            f"the secret key: copy {SECRET_KEY} of the server that was backed up to {file}, or set CONSENT_SECRET_KEY."
            " Without it every receipt link that was given out is invalid."
        )


def _remember(keys: KeySource, database: Path) -> None:
    with store_copy.session_on(database) as session:
        for origin, row in ledgers.newest_checkpoints(session):
            if row is not None:
                keys.guard.signed.see(row.note, row.size, origin)


def _put_keys(settings: Settings, keys: KeySource, examined: Examined, now: datetime) -> None:
    manifest = examined.manifest
    if manifest is None or settings.signing_keys:
        return
    if manifest.keys is not None:
        replace_secret(settings.signing_keys_file, manifest.keys[SIGNING_KEYS])
        if (settings.instance / SECRET_KEY).exists():
            replace_secret(settings.instance / SECRET_KEY, manifest.keys[SECRET_KEY])
        return
    have = {key["kid"] for key in keys.ring.public_jwks()["keys"]}
    # As after a rotation: the older keys verify what they signed until now, and the one that is here signs from now on.
    lacking = [{"exp": int(now.timestamp())} | key for key in manifest.jwks["keys"] if key["kid"] not in have]
    if lacking:
        own = json.loads(read_text(settings.signing_keys_file))["keys"]
        replace_secret(settings.signing_keys_file, json.dumps({"keys": [*lacking, *own]}, indent=1))
