"""Files that an operator names: read whatever editor saved them, written whole, and never in place of a device."""

import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import click

# Notepad and PowerShell put a byte order mark before UTF-8; as a character of the text nothing can parse it.
TEXT_ENCODING = "utf-8-sig"
# What commands read as text. What is no text is read too, so that whoever parses it says what it should have been.
TEXT = click.File("r", encoding=TEXT_ENCODING, errors="replace")
# What commands write: `-` is standard output.
OUTPUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
STANDARD_OUTPUT = Path("-")


def read_text(path: Path) -> str:
    """What a text file of the operator's says. Raises OSError, and UnicodeDecodeError when it is not UTF-8."""
    return path.read_text(TEXT_ENCODING)


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which appears under its name, whole and on the disk, when the block ends well.

    Links are followed. A file that was there stays where the block fails, and hands its mode on; of two who write at
    once the later one wins. A pipe or a device is written to as it is, and so is standard output, `-`. Raises OSError.
    """
    if path == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # By the system and not by name: it follows no link that another user left in a folder such as /tmp.
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            with path.open("wb", buffering=0) as stream:
                yield stream
            return
    with _in_place_of(path.resolve(), 0o666) as file:
        yield file


def write_once(path: Path, text: str) -> None:
    """Create a secret file with mode 0600, unless it is there.

    Two processes may start at once: the hard link makes one of them the winner, and a crash before it
    leaves only a stray temporary file.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _temporary(path, 0o600) as (temporary, file):
        file.write(text.encode())
        _settle(file)
        with suppress(FileExistsError):
            os.link(temporary, path)


def keep_from_others(paths: Iterable[Path]) -> None:
    """Take from all others what an earlier umask gave them; the group keeps what its operator wanted."""
    for path in paths:
        with suppress(OSError):  # not there yet, or somebody else's to change
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o007:
                path.chmod(mode & ~0o007)


def replace_secret(path: Path, text: str) -> None:
    """Put a secret file's new content in place in one step: a reader sees the old or the new, never a part.

    Owner, group and mode stay what they were, so that root does not lock the server out. Raises OSError when
    the file belongs to somebody else.
    """
    path = path.resolve()
    before = path.stat()
    with _in_place_of(path, 0o600) as file:
        os.fchown(file.fileno(), before.st_uid, before.st_gid)
        file.write(text.encode())


@contextmanager
def _in_place_of(path: Path, mode: int) -> Iterator[BinaryIO]:
    with _temporary(path, mode) as (temporary, file):
        yield file
        with suppress(FileNotFoundError):
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
        _settle(file)
        temporary.replace(path)
        _settle_folder(path.parent)


@contextmanager
def _temporary(path: Path, mode: int) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside it, under a name that nobody else has; gone at the end, unless it was renamed."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield temporary, file
    finally:
        temporary.unlink(missing_ok=True)


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle_folder(folder: Path) -> None:
    """The name too outlives a power cut, where the file system can say so."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
