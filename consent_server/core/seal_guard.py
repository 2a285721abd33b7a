"""What this server knows without its database: which checkpoints it signed, and how much time really passed.

A database that was set back to an older copy says nothing of it. Who seals on there signs a second history.
"""

import fcntl
import json
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consent_server.core.errors import InvalidProof, StorageUnavailable
from consent_server.core.notes import Checkpoint, parse_checkpoint, parse_note

# Seconds by which clocks may part before nothing is sealed by them.
LEEWAY = 60
# A step that no check of a ledger would name, such as that of a clock set right after the start, is believed once it
# has stood for so long.
SMALL, SETTLED = 900, 600
# The file is written anew when it holds so many times more lines than ledgers, and is large.
LARGE, STALE = 1 << 20, 4
_ORIGIN = re.compile("(.*/ledger/[^/]+)(?:/([1-9][0-9]*))?")


def site_ledger(origin: str) -> tuple[str, int]:
    """What all ledgers of a site are called, and which of them this is: 1, and one more after each recovery."""
    match = _ORIGIN.fullmatch(origin)
    return (match[1], int(match[2] or 1)) if match else (origin, 1)


class SignedCheckpoints:
    """The newest checkpoint of each site that this server signed or saw, in a file outside the database.

    A line `{"note": …}` each, as `ledger check --checkpoint` takes them. All processes of a machine share the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Of each site, by the number of the ledger.
        self._newest: dict[str, dict[int, Checkpoint]] = {}
        # File, length that was read so far, and when it was changed. What a crash cut off is no line.
        self._read: tuple[int, int, int] = (0, 0, 0)
        self._lines = 0
        self._lock = threading.Lock()

    def of(self, origin: str) -> Checkpoint | None:
        """The newest of the same site, perhaps of another of its ledgers. Raises StorageUnavailable."""
        known = self.every(origin)
        return known[-1] if known else None

    def every(self, origin: str) -> list[Checkpoint]:
        """The newest of each ledger of the same site, in their order. Raises StorageUnavailable."""
        with self._lock, _as_refusal(self.path):
            self._refresh()
            return [checkpoint for _, checkpoint in sorted(self._newest.get(site_ledger(origin)[0], {}).items())]

    def see(self, note: str, size: int, origin: str) -> None:
        """Keep what stands in the database, where it is newer: another server may have signed it."""
        known = self.of(origin)
        if known is None or (site_ledger(known.origin)[1], known.size) < (site_ledger(origin)[1], size):
            self.keep([note])

    def keep(self, notes: Iterable[str]) -> None:
        """Write these down, on the disk when this returns. Raises StorageUnavailable."""
        lines = "".join(json.dumps({"note": note}) + "\n" for note in notes).encode()
        if not lines:
            return
        with self._lock, _as_refusal(self.path):
            descriptor = self._open_alone()
            try:
                # After what a crash cut off a line begins anew.
                size = os.fstat(descriptor).st_size
                torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
                os.write(descriptor, b"\n" * bool(torn) + lines)
                os.fsync(descriptor)
                self._refresh()
                if self._read[1] > LARGE and self._lines > STALE * sum(map(len, self._newest.values())):
                    self._write_anew()
            finally:
                os.close(descriptor)

    def _open_alone(self) -> int:
        while True:
            new = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if new:
                _sync_folder(self.path.parent)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Another may have put a new file in its place meanwhile.
            with suppress(FileNotFoundError):
                if os.fstat(descriptor).st_ino == self.path.stat().st_ino:
                    return descriptor
            os.close(descriptor)

    def _refresh(self) -> None:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            self._newest, self._read, self._lines = {}, (0, 0, 0), 0
            return
        with file:
            status = os.fstat(file.fileno())
            inode, at, changed = self._read
            if (status.st_ino, status.st_mtime_ns) == (inode, changed):
                return
            # Whoever appends makes it longer. What is not was put in its place.
            if inode != status.st_ino or status.st_size <= at:
                self._newest, self._lines, at = {}, 0, 0
            file.seek(at)
            data = file.read(status.st_size - at)
        whole = data.rfind(b"\n") + 1
        self._read = (status.st_ino, at + whole, status.st_mtime_ns)
        for line in data[:whole].splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        self._lines += 1
        if checkpoint := _read(line):
            base, number = site_ledger(checkpoint.origin)
            ledgers = self._newest.setdefault(base, {})
            # Two processes may write in another order than they sealed.
            if number not in ledgers or ledgers[number].size <= checkpoint.size:
                ledgers[number] = checkpoint

    def _write_anew(self) -> None:
        newest: dict[str, bytes] = {}
        for line in self.path.read_bytes().splitlines(keepends=True):
            checkpoint = _read(line)
            if checkpoint and checkpoint in self._newest[site_ledger(checkpoint.origin)[0]].values():
                newest[checkpoint.origin] = line
        _replace(self.path, b"".join(newest.values()))


def _read(line: bytes) -> Checkpoint | None:
    """The checkpoint of a line, None for one that a crash cut off."""
    try:
        return parse_checkpoint(parse_note(json.loads(line)["note"]).text)
    except (InvalidProof, ValueError, LookupError, TypeError):
        return None


@contextmanager
def _as_refusal(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            f"{path}: {error.strerror}. What was signed cannot be written down there, so nothing is sealed."
        ) from error


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _steady() -> float:
    # It goes on while the machine sleeps, where there is such a clock.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockWatch:
    """Compares the clock that can be set with the one that only goes on."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _steady) -> None:
        self._wall, self._steady = wall, steady
        self._believed = self._last = wall() - steady()
        self._since = steady()

    def step(self) -> float:
        """By how many seconds the clock was set since the start, as far as that is not believed; 0 when it is right."""
        parted, now = self._wall() - self._steady(), self._steady()
        if abs(parted - self._last) > LEEWAY:
            self._last, self._since = parted, now
        step = parted - self._believed
        if LEEWAY < abs(step) <= SMALL and now - self._since >= SETTLED:
            self._believed = parted
        return parted - self._believed if abs(parted - self._believed) > LEEWAY else 0.0


class WitnessAlarms:
    """Which ledgers a witness says are not the ones that it cosigned, in a file, for all processes of a machine."""

    def __init__(self, path: Path, witnesses: Collection[str]) -> None:
        self._path, self._witnesses = path, frozenset(witnesses)

    def of(self, origin: str) -> str | None:
        """What a witness of the settings says of a ledger. Another one's word is nothing."""
        said = self._read().get(origin, {})
        return next((f"{name}: {detail}" for name, detail in said.items() if name in self._witnesses), None)

    def settle(self, origin: str, witness: str, alarm: str | None) -> None:
        """Keep or take back what a witness says now."""
        alarms = self._read()
        before = dict(alarms.get(origin, {}))
        now = {name: detail for name, detail in before.items() if name != witness} | ({witness: alarm} if alarm else {})
        if now != before:
            _replace(self._path, json.dumps({**alarms, origin: now}).encode())

    def _read(self) -> dict[str, dict[str, str]]:
        # There is none, as long as no witness ever raised an alarm.
        try:
            return dict(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}. Nothing is sealed.") from error


class SealGuard:
    """All of it, for whoever signs checkpoints."""

    def __init__(self, folder: Path, witnesses: Collection[str] = (), clock: ClockWatch | None = None) -> None:
        self.signed = SignedCheckpoints(folder / "signed-checkpoints.jsonl")
        self.alarms = WitnessAlarms(folder / "witness-alarms.json", witnesses)
        self.clock = clock or ClockWatch()
