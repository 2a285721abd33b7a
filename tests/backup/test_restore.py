"""`consent restore`: drills of what goes wrong, each on real files."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from consent_server.core.errors import InvalidProof
from consent_server.core.keys import new_key_set
from consent_server.receipts.verify import verify_receipt
from tests.backup.conftest import Machine, Run
from tests.support.factories import Clock
from tests.support.ledger_attacks import Attacker
from tests.support.ledger_shop import Shop


@pytest.fixture
def database(shop: Shop) -> Path:
    return shop.services.settings.instance / "consent.sqlite3"


@pytest.fixture
def backup(shop: Shop, consent: Run, file: Path) -> Path:
    """Four records, sealed."""
    assert consent("backup", file).exit_code == 0
    return file


def stop(shop: Shop) -> None:
    shop.services.database.close()


def go_on(shop: Shop) -> None:
    """Three records more, and a checkpoint that somebody was given."""
    for _ in range(3):
        shop.decide()
    shop.seal()


def test_the_same_state_is_put_back_and_goes_on(shop: Shop, consent: Run, backup: Path, database: Path) -> None:
    seen = shop.checkpoints()
    stop(shop)
    done = consent("restore", backup, "--yes")
    assert done.exit_code == 0, done.output
    assert "lost" not in done.output
    shop.decide()
    shop.seal()
    report = shop.check(*seen)
    assert (report.faults, report.counts["leaves"]) == ([], 5)
    assert database.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(database) as now:
        assert now.execute("SELECT 1 FROM sqlite_master WHERE name = 'backup_manifest'").fetchone() is None
    now.close()


def test_older_than_what_was_given_out(shop: Shop, consent: Run, backup: Path, clock: Clock) -> None:
    go_on(shop)
    given_out, lost = shop.checkpoints(), shop.made[-1]
    stop(shop)
    # Nobody remembers but the database that goes.
    shop.services.keys.guard.signed.path.unlink()
    done = consent("restore", backup, "--yes")
    assert done.exit_code == 0, done.output
    assert "consent.example/ledger/shop: 7 leaves were signed, 4 are here, 3 are lost." in done.output
    shop.decide()
    shop.seal()
    assert shop.check(*given_out).faults == []
    assert shop.verify(*given_out).fails == []
    verified = verify_receipt(lost.receipt, shop.services.keys.ring, shop.services.database, clock)
    assert "was restored from a backup" in verified.checks[2].detail


def test_over_a_log_that_was_left(shop: Shop, consent: Run, backup: Path, database: Path) -> None:
    kept = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    go_on(shop)
    # As a server leaves them that was killed.
    for path in kept:
        shutil.copy(path, path.with_name(path.name + ".kept"))
    stop(shop)
    for path in kept:
        path.with_name(path.name + ".kept").replace(path)
    assert kept[1].stat().st_size
    done = consent("restore", backup, "--yes")
    assert done.exit_code == 0, done.output
    assert "7 leaves were signed, 4 are here" in done.output
    shop.decide()
    shop.seal()
    assert shop.check().faults == []


def test_over_a_database_that_is_torn(shop: Shop, consent: Run, backup: Path, database: Path) -> None:
    go_on(shop)
    given_out = shop.checkpoints()
    stop(shop)
    database.write_bytes(database.read_bytes()[:4096] + bytes([7]) * 100_000)
    database.with_name(database.name + "-wal").write_bytes(b"what is left of a log" * 1000)
    done = consent("restore", backup, "--yes")
    assert done.exit_code == 0, done.output
    assert "7 leaves were signed, 4 are here" in done.output
    shop.decide()
    shop.seal()
    assert shop.check(*given_out).faults == []


def test_a_server_that_runs_is_left_alone(shop: Shop, consent: Run, backup: Path, database: Path) -> None:
    go_on(shop)
    # This process has it open, as a server has.
    assert consent("restore", backup, "--dry-run").exit_code == 0
    refused = consent("restore", backup, "--yes")
    assert refused.exit_code == 1
    assert "Stop the server first; nothing was changed." in refused.output
    stop(shop)
    lock = os.open(database.with_name("counters.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    refused = consent("restore", backup, "--yes")
    assert "A server runs here. Stop it first; nothing was changed." in refused.output
    os.close(lock)
    assert shop.check().counts["leaves"] == 7


def test_nothing_is_replaced_unasked(shop: Shop, consent: Run, backup: Path, database: Path) -> None:
    go_on(shop)
    stop(shop)
    before = database.read_bytes()
    done = consent("restore", backup, "--dry-run")
    assert (done.exit_code, "is whole" in done.output) == (0, True)
    refused = consent("restore", backup)
    assert (refused.exit_code, "say --yes" in refused.output) == (1, True)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.glob(".*")] == []


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def no_database(path: Path) -> None:
    path.write_text("a text")


def without_guard(path: Path) -> None:
    change(path, "DROP TRIGGER decisions_keep_delete")


def without_a_checkpoint(path: Path) -> None:
    change(path, "DROP TRIGGER checkpoints_keep_delete", "DELETE FROM checkpoints", guards=False)


def of_a_later_version(path: Path) -> None:
    change(path, "UPDATE alembic_version SET version_num = '9999'")


def another_program(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE cats (name TEXT)")


def with_a_log(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(b"log")


def change(path: Path, *statements: str, guards: bool = True) -> None:
    made = sqlite3.connect(path)
    trigger = made.execute("SELECT sql FROM sqlite_master WHERE name = 'checkpoints_keep_delete'").fetchone()
    with made:
        for statement in statements:
            made.execute(statement)
        if not guards:
            made.execute(trigger[0])
    made.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, "malformed|is damaged"),
        (no_database, "file is not a database"),
        (without_guard, "decisions_keep_delete"),
        (without_a_checkpoint, "does not match its last checkpoint"),
        (of_a_later_version, "migration 9999, which this version does not know"),
        (another_program, "is not a database of this server"),
        (with_a_log, "no backup, and what stands in the log is not in it"),
        (Path.unlink, "No such file"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused(
    shop: Shop, consent: Run, backup: Path, database: Path, spoil: Callable[[Path], object], said: str
) -> None:
    go_on(shop)
    stop(shop)
    spoil(backup)
    before = database.read_bytes()
    done = consent("restore", backup, "--yes")
    assert done.exit_code == 1
    assert any(one in done.output for one in said.split("|")), done.output
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.glob(".*")] == []


def test_a_record_that_somebody_put_into_the_backup_is_found(shop: Shop, consent: Run, backup: Path) -> None:
    stop(shop)
    attacker = Attacker.on(f"sqlite:///{backup}")
    attacker.alter(2, grants={"analytics": False})
    attacker.leave()
    # Its triggers are gone too, which says at once that somebody was there.
    assert "triggers" in consent("restore", backup, "--yes").output


def test_another_machine_with_keys_in_the_backup(
    shop: Shop, consent: Run, file: Path, machine: Machine, clock: Clock
) -> None:
    consent("backup", file, "--with-keys")
    kept = shop.checkpoints()
    done = machine.consent("restore", file)
    assert done.exit_code == 0, done.output
    there = machine.shop(clock)
    assert there.services.keys.ring.kid == shop.services.keys.ring.kid
    there.decide()
    there.seal()
    assert there.check(*kept).faults == []
    data = (machine.folder / "consent.sqlite3").read_bytes()
    assert shop.services.settings.signing_keys_file.read_text().split('"d": "')[1][:43].encode() not in data


def test_another_machine_without_keys_says_exactly_what_is_missing(shop: Shop, backup: Path, machine: Machine) -> None:
    kid = shop.services.keys.ring.kid
    refused = machine.consent("restore", backup)
    assert refused.exit_code == 1
    (missing,) = [line for line in refused.output.splitlines() if line.startswith("MISSING")]
    place = machine.folder / "signing-keys.json"
    assert missing.startswith(
        f"MISSING signing keys {kid}: copy signing-keys.json of the server that was backed up to {place}"
    )
    assert not (machine.folder / "consent.sqlite3").exists()
    # With the file in its place nothing is missing.
    shutil.copy(shop.services.settings.signing_keys_file, place)
    assert "MISSING" not in machine.consent("restore", backup, "--dry-run").output


def test_keys_that_are_lost_for_good(shop: Shop, backup: Path, machine: Machine, clock: Clock) -> None:
    kept, receipt = shop.checkpoints(), shop.made[0].receipt
    done = machine.consent("restore", backup, "--without-keys")
    assert done.exit_code == 0, done.output
    there = machine.shop(clock)
    assert there.services.keys.ring.kid != shop.services.keys.ring.kid
    # What somebody signs with the lost key from now on is nothing.
    (older,) = [
        key for key in there.services.keys.ring.public_jwks()["keys"] if key["kid"] == shop.services.keys.ring.kid
    ]
    assert older["exp"] == int(clock().timestamp())
    there.decide()
    there.seal()
    assert there.check(*kept).faults == []
    assert verify_receipt(receipt, there.services.keys.ring, there.services.database, clock).valid


def test_another_machine_with_another_secret(shop: Shop, backup: Path, machine: Machine) -> None:
    shutil.copy(shop.services.settings.signing_keys_file, machine.folder / "signing-keys.json")
    object.__setattr__(machine.services.settings, "secret_key", "another secret of thirty-two characters")
    done = machine.consent("restore", backup)
    (missing,) = [line for line in done.output.splitlines() if line.startswith("MISSING")]
    assert missing.startswith("MISSING the secret key: copy secret-key of the server")


def test_keys_of_the_environment_are_not_replaced_by_those_of_a_backup(
    shop: Shop, consent: Run, file: Path, machine: Machine
) -> None:
    consent("backup", file, "--with-keys")
    object.__setattr__(machine.services.settings, "signing_keys", new_key_set())
    done = machine.consent("restore", file)
    (missing,) = [line for line in done.output.splitlines() if line.startswith("MISSING")]
    assert f"signing keys {shop.services.keys.ring.kid}" in missing
    assert missing.partition("backed up to ")[2].startswith("CONSENT_SIGNING_KEYS.")


def test_a_secret_of_its_own_is_restored_with_the_keys(shop: Shop, consent: Run, file: Path, machine: Machine) -> None:
    consent("backup", file, "--with-keys")
    (machine.folder / "secret-key").write_text("made here, at least thirty-two characters")
    object.__setattr__(machine.services.settings, "secret_key", "made here, at least thirty-two characters")
    assert machine.consent("restore", file).exit_code == 0
    assert (machine.folder / "secret-key").read_text() == shop.services.settings.secret_key


def test_a_bare_copy_without_its_log_lacks_records_and_is_told(shop: Shop, database: Path, tmp_path: Path) -> None:
    """What `cp` makes of a file whose log was not written back: whole to SQLite, and older than what was signed."""
    stop(shop)
    shop.decide()
    shop.seal()
    bare = tmp_path / "bare.sqlite3"
    shutil.copy(database, bare)
    stop(shop)
    shutil.copy(bare, database)
    (fault,) = shop.check().faults
    assert fault.startswith("what was signed here: The database is behind: consent.example/ledger/shop has 4 leaves")
    shop.decide()
    with pytest.raises(InvalidProof, match="4 leaves here, and 5 were signed"):
        shop.seal()
