"""Replicas that start together: one migrates, the others wait and have nothing to do."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from consent_server.core.keys import new_key_set
from consent_server.core.resources import ROOT
from tests.support.postgresql import PostgreSQL

LOCK = int.from_bytes(b"consent")


@contextmanager
def held_postgresql(server: PostgreSQL) -> Iterator[Callable[[], int]]:
    """Another who migrates; how many wait for them."""
    with psycopg.connect(host=str(server.folder), user="consent", dbname="together") as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        yield lambda: (holder.execute(waiting).fetchone() or (0,))[0]


@contextmanager
def held_sqlite(file: Path) -> Iterator[Callable[[], int]]:
    """The same for a file."""
    descriptor = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    inode = f":{os.fstat(descriptor).st_ino} "
    yield lambda: sum("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())
    os.close(descriptor)


@pytest.mark.on_both_databases
def test_the_second_waits_and_finds_nothing_to_do(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "keys").write_text(new_key_set())
    environ = os.environ | {
        "CONSENT_INSTANCE": str(tmp_path), "CONSENT_SECRET_KEY": "x" * 32,
        "CONSENT_SIGNING_KEYS_FILE": str(tmp_path / "keys"), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    if dialect == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        server.execute("CREATE DATABASE together")
        environ["CONSENT_DATABASE_URL"] = server.url("together")
        held = held_postgresql(server)
    else:
        environ["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path / 'consent.sqlite3'}"
        held = held_sqlite(tmp_path / "consent.sqlite3")
    command = [sys.executable, "-m", "consent_server", "migrate"]
    with held as waiting:
        both = [subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        while waiting() < 2:
            assert all(each.poll() is None for each in both), "it did not wait"
    # Who migrated a second time would meet the tables of the first.
    said = [each.communicate(timeout=60)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
