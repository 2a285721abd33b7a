"""SQLite's files as such: copied while others write, looked into, and kept from others while they are replaced."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from consent_server.core import append_only
from consent_server.core.errors import InvalidProof, StorageUnavailable

# Pages copied at once, between which progress is said.
PAGES = 2048
LOGS = ("-wal", "-shm", "-journal")


def copy_database(source: Path, target: Path, progress: Callable[[int], None] = lambda _: None) -> None:
    """Make a copy of one moment, in one file that needs no log. Who writes meanwhile is not kept waiting.

    Raises StorageUnavailable.
    """
    with _as_unavailable(), closing(_open(source, "ro")) as reading, closing(_open(target, "rwc")) as copy:
        # Held open, so that what is written meanwhile does not make the copy begin again.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(copy, pages=PAGES, progress=lambda _, left, total: progress(100 - 100 * left // (total or 1)))
        copy.execute("PRAGMA journal_mode=DELETE")


def write_manifest(path: Path, text: str) -> None:
    """Put a manifest into a copy."""
    with closing(_open(path, "rw")) as copy, copy:
        copy.execute("CREATE TABLE backup_manifest (manifest TEXT NOT NULL)")
        copy.execute("INSERT INTO backup_manifest VALUES (?)", (text,))


def take_manifest(path: Path) -> None:
    """Take the manifest out again, with the secrets that may stand in it."""
    with closing(_open(path, "rw")) as copy:
        copy.execute("PRAGMA secure_delete=ON")
        copy.execute("DROP TABLE IF EXISTS backup_manifest")
        copy.commit()


def manifest_of(path: Path) -> str | None:
    """The manifest in a copy; None in one that something else made. Raises InvalidProof."""
    with _as_fault(path), closing(_open(path, "ro")) as copy:
        if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'backup_manifest'").fetchone() is None:
            return None
        return str(copy.execute("SELECT manifest FROM backup_manifest").fetchone()[0])


def require_whole(path: Path) -> str:
    """The migration of a database whose every page and index fits. Raises InvalidProof."""
    with _as_fault(path), closing(_open(path, "ro")) as copy:
        faults = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
        if faults != ["ok"]:
            raise InvalidProof(f"{path} is damaged: {'; '.join(faults)}")
        try:
            found = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            found = None
        if found is None:
            raise InvalidProof(f"{path} is not a database of this server.")
        return str(found[0])


def settle(path: Path) -> None:
    """Have a copy be one file, that can be read without a log beside it. Raises InvalidProof."""
    with _as_fault(path), closing(_open(path, "rw")) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def session_on(path: Path) -> Iterator[Session]:
    """A session that reads a database in a file of its own, and leaves nothing beside it. Raises InvalidProof."""
    engine = create_engine("sqlite://", creator=lambda: _open(path, "ro"), poolclass=NullPool)
    try:
        with Session(engine) as session:
            yield session
    except DBAPIError as error:
        raise InvalidProof(f"{path} cannot be read as a database: {error.orig}.") from error


def missing_guards(session: Session) -> list[str]:
    """Which triggers that keep history from change a database lacks."""
    return sorted(append_only.missing(session.connection()))


def require_alone(path: Path) -> None:
    """Write a database's log back into its file, so that none is left beside it.

    Raises StorageUnavailable while anybody has it open. What is no database has nothing to write back.
    """
    try:
        with closing(_open(path, "rw")) as held:
            held.execute("PRAGMA busy_timeout=0")
            # Refused while any other connection is there, in whatever process, however idle.
            held.execute("PRAGMA locking_mode=EXCLUSIVE")
            held.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        raise StorageUnavailable(f"{path} is in use ({error}). Stop the server first; nothing was changed.") from error
    except sqlite3.DatabaseError:
        return


def put_in_place(new: Path, path: Path) -> None:
    """Put a database in place of another in one step, without any log of that one. On the disk when this returns."""
    if path.exists():
        before = path.stat()
        with suppress(PermissionError):
            os.chown(new, before.st_uid, before.st_gid)
    for log in LOGS:
        # A log that is left would be taken for that of the new file, and destroy it.
        path.with_name(path.name + log).unlink(missing_ok=True)
    sync(path.parent)
    new.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageUnavailable(f"The database cannot be copied: {error}.") from error


@contextmanager
def _as_fault(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise InvalidProof(f"{path} cannot be read as a database: {error}.") from error
