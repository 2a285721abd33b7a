"""What a server remembers without its database: what it signed, and how much time passed."""

import os
import threading
from pathlib import Path

import pytest

from consent_server.core import seal_guard
from consent_server.core.errors import StorageUnavailable
from consent_server.core.notes import ED25519, Checkpoint, Note, NoteKey, format_note, sign_note
from consent_server.core.seal_guard import ClockWatch, SignedCheckpoints, WitnessAlarms, site_ledger
from tests.support.evidence_ledger import new_ring

SHOP = "consent.example/ledger/shop"
RING = new_ring()


def note(size: int, origin: str = SHOP, root: bytes = bytes(32)) -> str:
    text = Checkpoint(origin, size, root).text
    return format_note(Note(text, (sign_note(text, NoteKey(origin, ED25519, RING.public_bytes()), RING.sign_bytes),)))


def size_of(signed: SignedCheckpoints, origin: str = SHOP) -> int | None:
    known = signed.of(origin)
    return known.size if known else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signed-checkpoints.jsonl"


def test_the_newest_of_each_ledger_is_kept_for_whoever_reads_the_file_next(path: Path) -> None:
    mine, other = SignedCheckpoints(path), SignedCheckpoints(path)
    assert size_of(mine) is None
    mine.keep([note(4), note(7, "consent.example/ledger/rival")])
    other.keep([note(9)])
    mine.keep([note(8)])
    for signed in (mine, other, SignedCheckpoints(path)):
        assert size_of(signed) == 9
        assert size_of(signed, "consent.example/ledger/rival") == 7
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_later_ledger_of_a_site_counts_before_a_longer_one(path: Path) -> None:
    signed = SignedCheckpoints(path)
    signed.keep([note(100), note(5, f"{SHOP}/2"), note(101)])
    known = signed.of(f"{SHOP}/3")
    assert known
    assert (known.origin, known.size) == (f"{SHOP}/2", 5)
    assert site_ledger(f"{SHOP}/12") == (SHOP, 12)
    assert site_ledger(SHOP) == (SHOP, 1)


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_line_that_a_crash_cut_off_is_nothing(path: Path, cut: int) -> None:
    SignedCheckpoints(path).keep([note(4), note(5)])
    os.truncate(path, path.stat().st_size - cut)
    signed = SignedCheckpoints(path)
    assert size_of(signed) == 4
    signed.keep([note(6)])
    assert size_of(signed) == size_of(SignedCheckpoints(path)) == 6


def test_a_file_that_is_gone_is_nothing_known(path: Path) -> None:
    signed = SignedCheckpoints(path)
    signed.keep([note(4)])
    path.unlink()
    assert size_of(signed) is None
    signed.keep([note(3)])
    assert size_of(signed) == 3


def test_the_file_does_not_grow_for_good(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_guard, "LARGE", 2000)
    mine, other = SignedCheckpoints(path), SignedCheckpoints(path)
    for size in range(1, 101):
        (mine if size % 2 else other).keep([note(size), note(size + 7, "consent.example/ledger/rival")])
        assert path.stat().st_size < 6000
    for signed in (mine, other, SignedCheckpoints(path)):
        assert (size_of(signed), size_of(signed, "consent.example/ledger/rival")) == (100, 107)


def test_many_write_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_guard, "LARGE", 2000)

    def write(number: int) -> None:
        signed = SignedCheckpoints(path)
        for size in range(1, 21):
            signed.keep([note(size, f"consent.example/ledger/site{number}")])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signed = SignedCheckpoints(path)
    assert [size_of(signed, f"consent.example/ledger/site{number}") for number in range(4)] == [20] * 4


def test_a_file_that_cannot_be_written_is_said(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageUnavailable, match="nothing is sealed"):
        SignedCheckpoints(path).keep([note(1)])


def test_a_witness_takes_its_alarm_back_alone(tmp_path: Path) -> None:
    path = tmp_path / "witness-alarms.json"
    alarms = WitnessAlarms(path, ["one", "two"])
    alarms.settle(SHOP, "one", None)
    assert not path.exists()
    alarms.settle(SHOP, "one", "it cosigned 9 leaves")
    alarms.settle(SHOP, "stranger", "it is a lie")
    alarms.settle(SHOP, "two", None)
    assert WitnessAlarms(path, ["one", "two"]).of(SHOP) == "one: it cosigned 9 leaves"
    assert WitnessAlarms(path, ["two"]).of(SHOP) is None
    assert alarms.of(f"{SHOP}/2") is None
    alarms.settle(SHOP, "one", None)
    assert alarms.of(SHOP) is None


class Clocks:
    """Both clocks, as a test sets them."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 50.0
        self.watch = ClockWatch(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> float:
        self.wall += seconds
        self.steady += seconds
        return self.watch.step()


@pytest.mark.parametrize("step", [-3600, 86_400, 901])
def test_a_clock_that_was_set_is_wrong_until_it_is_set_back(step: float) -> None:
    clocks = Clocks()
    assert clocks.pass_by(30 * 86_400) == 0
    clocks.wall += step
    assert clocks.pass_by(1) == step
    assert clocks.pass_by(7 * 86_400) == step
    clocks.wall -= step - 20
    assert clocks.pass_by(1) == 0


def test_a_clock_that_was_set_right_a_little_is_believed_after_a_while() -> None:
    clocks = Clocks()
    clocks.wall += 300
    assert clocks.pass_by(1) == 300
    assert clocks.pass_by(500) == 300
    clocks.wall += 200
    assert clocks.pass_by(500) == 500
    assert clocks.pass_by(500) == 500
    assert clocks.pass_by(200) == 0
    clocks.wall -= 500
    assert clocks.pass_by(1) == -500


def test_a_clock_that_drifts_by_seconds_is_right() -> None:
    clocks = Clocks()
    for _ in range(5):
        clocks.wall += 10
        assert clocks.pass_by(3600) == 0


def test_the_real_clocks_go_together() -> None:
    assert ClockWatch().step() == 0
