"""PostgreSQL is backed up with its own tools, as docs/deploy.md says; what was signed since is known all the same."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.core.errors import InvalidProof
from consent_server.ledger.recover import recover_ledger
from consent_server.ledger.remark import Remarker
from tests.support.databases import migrate
from tests.support.factories import PUBLIC_URL, Clock, settings_for, site_file
from tests.support.ledger_shop import Shop
from tests.support.postgresql import PostgreSQL
from tests.support.sites import Apply


def recover(shop: Shop) -> int:
    our = shop.services
    remarker = Remarker(our.keys.ring, PUBLIC_URL, our.random)
    return sum(gap.lost for gap in recover_ledger(our.database, remarker, our.keys.guard, shop.clock, "shop"))


def require_recovery(shop: Shop, given_out: list[str], lost: int) -> None:
    """It is known to be behind, goes on, and whoever kept a checkpoint is satisfied."""
    shop.decide()
    with pytest.raises(InvalidProof, match="The database is behind"):
        shop.seal()
    assert recover(shop) == lost
    shop.decide()
    shop.seal()
    assert shop.check(*given_out).faults == []


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_dump_that_is_older_than_what_was_given_out(
    services: Context, notice: str, clock: Clock, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    shop = Shop(services, clock, tmp_path)
    for _ in range(4):
        shop.decide()
    shop.seal()
    on = ("-h", str(postgresql.folder), "-U", "consent")
    dump = str(postgresql.folder / "records.dump")
    # Not the tables that the tests keep aside.
    postgresql.run("pg_dump", *on, "--schema=public", "--format=custom", f"--file={dump}", "consent")
    for _ in range(3):
        shop.decide()
    shop.seal()
    given_out = shop.checkpoints()
    services.database.close()
    postgresql.execute("DROP DATABASE IF EXISTS restored")
    postgresql.execute("CREATE DATABASE restored")
    postgresql.execute("DROP SCHEMA public", "restored")
    postgresql.run("pg_restore", *on, "--exit-on-error", "--dbname=restored", dump)
    there = context_of(create_app(settings_for(tmp_path, postgresql.url("restored")), now=clock))
    try:
        require_recovery(Shop(there, clock, tmp_path), given_out, 3)
    finally:
        there.database.close()


@pytest.fixture
def archiving(tmp_path: Path) -> Iterator[PostgreSQL]:
    """A cluster of its own, as in production, that archives its log."""
    server = PostgreSQL()
    archive = server.folder / "archive"
    archive.mkdir()
    archive.chmod(0o777)
    for name, value in {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f", "wal_level": "replica"}.items():
        server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    server.stop()
    server.start()
    yield server
    server.remove()


@pytest.mark.slow
def test_to_a_moment_between_two_backups(archiving: PostgreSQL, clock: Clock, tmp_path: Path) -> None:
    archiving.execute("CREATE DATABASE consent")
    migrate(tmp_path, archiving.url("consent"))
    made = context_of(create_app(settings_for(tmp_path, archiving.url("consent")), now=clock))
    Apply(made)(site_file())
    shop = Shop(made, clock, tmp_path)
    base = archiving.folder / "base"
    archiving.run("pg_basebackup", "-h", str(archiving.folder), "-U", "consent", "-D", str(base), "-c", "fast")
    for _ in range(4):
        shop.decide()
    shop.seal()
    moment = scalar(archiving, "SELECT clock_timestamp()")
    for _ in range(3):
        shop.decide()
    shop.seal()
    given_out = shop.checkpoints()
    made.database.close()
    last = scalar(archiving, "SELECT pg_walfile_name(pg_switch_wal())")
    # By its own word: the file is there before it is whole.
    archived = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
    wait_for(lambda: scalar(archiving, archived) >= last)
    archiving.stop()
    archiving.data.rename(archiving.folder / "lost")
    base.rename(archiving.data)
    with (archiving.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {archiving.folder}/archive/%f %p'\n"
            f"recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n"
        )
    signal = archiving.data / "recovery.signal"
    signal.touch()
    shutil.copystat(archiving.data / "PG_VERSION", signal)
    os.chown(signal, (owner := archiving.data.stat()).st_uid, owner.st_gid)
    archiving.start()
    wait_for(lambda: scalar(archiving, "SELECT pg_is_in_recovery()") == "False")
    there = context_of(create_app(settings_for(tmp_path, archiving.url("consent")), now=clock))
    try:
        require_recovery(Shop(there, clock, tmp_path), given_out, 3)
    finally:
        there.database.close()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until


def scalar(server: PostgreSQL, query: str) -> str:
    with psycopg.connect(host=str(server.folder), user="consent", dbname="postgres", autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return str(row[0])
