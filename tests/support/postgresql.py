"""A PostgreSQL that the tests start themselves, in a folder of its own, reached by a socket in that folder."""

import glob
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg

ACCOUNT = "postgres"  # made by Debian's package; the server refuses to run as root


class PostgreSQL:
    """One cluster. It listens on no network port, so that nothing else can be met or be in its way.

    It goes with the process that made it, however that ends.
    `durable` as in production: what is committed outlives a power cut, which costs tests time and tells them nothing.
    """

    def __init__(self, durable: bool = True) -> None:
        self._programs = _programs()
        self._durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="consent-postgresql-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, ACCOUNT)
        self._make()
        self._mourner = self._mourn()
        self.start()

    def _make(self) -> None:
        options = ("-U", "consent", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions")
        self.run("initdb", "-D", str(self.data), *options, *(() if self._durable else ("--no-sync",)))

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-c listen_addresses='' -c max_connections=200 -k {self.folder}"
        if not self._durable:
            options += " -c fsync=off -c full_page_writes=off"
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop the server; it is away for everybody at once."""
        self.run(*self._stop)

    def remove(self) -> None:
        """Stop it for good."""
        self._mourner.communicate()

    @property
    def _stop(self) -> tuple[str, ...]:
        return ("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def _mourn(self) -> subprocess.Popen[bytes]:
        # Reads a pipe that nobody writes to: it ends when this process closes it, or when this process ends.
        script = 'read -r nothing; "$@"; rm -rf "$0"'
        return subprocess.Popen(
            ["sh", "-c", script, str(self.folder), *self._command(*self._stop)], cwd="/", start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def url(self, database: str) -> str:
        """What CONSENT_DATABASE_URL would be."""
        return f"postgresql+psycopg://consent@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the owner."""
        with self.connected(database) as connection:
            connection.execute(statement.encode())

    def value(self, query: str, database: str = "postgres") -> Any:
        """The one value that a query gives."""
        with self.connected(database) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row
        return row[0]

    def connected(self, database: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """A session of the owner; each statement commits by itself."""
        return psycopg.connect(host=str(self.folder), user="consent", dbname=database, autocommit=True)

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._programs / program), *arguments]
        return ["runuser", "-u", ACCOUNT, "--", *command] if os.getuid() == 0 else command

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the account of the cluster, in its folder."""
        done = subprocess.run(
            self._command(program, *arguments), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + self.log()

    def log(self) -> str:
        """The end of what the server said."""
        log = self.folder / "log"
        return log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""


class Standby(PostgreSQL):
    """A copy of a cluster that follows it (streaming replication), and answers what only reads."""

    def __init__(self, primary: PostgreSQL) -> None:
        self._primary = primary
        super().__init__(durable=False)

    def _make(self) -> None:
        source = f"host={self._primary.folder} user=consent application_name=standby"
        self.run("pg_basebackup", "-d", source, "-D", str(self.data), "-R", "-X", "stream", "-c", "fast", "--no-sync")

    def promote(self) -> None:
        """Take the place of the primary."""
        self.run("pg_ctl", "-D", str(self.data), "-w", "promote")


def _programs() -> Path:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path:
        found.append(on_path)
    # Never skipped: a suite that is green without PostgreSQL would say something untrue.
    assert found, "These tests need PostgreSQL's server programs: apt-get install postgresql"
    # Resolved: a link to one program has not the others beside it.
    return Path(found[-1]).resolve().parent
