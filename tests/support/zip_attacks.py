"""A zip made to be read in two ways: by one program as the pack that holds, by another as something else."""

import struct
from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile

END = 22
MARK = b"PK\x05\x06"
# A shell runs it.
SCRIPT = b"PK=1\n"


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Entries, directory, end."""
    size, offset = struct.unpack("<LL", data[-END + 12 : -END + 20])
    assert data[-END:].startswith(MARK)
    assert offset + size == len(data) - END
    return data[:offset], data[offset:-END], data[-END:]


def _moved(directory: bytes, by: int) -> bytes:
    """The same directory for entries that stand so many bytes later."""
    moved, at = bytearray(directory), 0
    while at < len(moved):
        (offset,) = struct.unpack_from("<L", moved, at + 42)
        struct.pack_into("<L", moved, at + 42, offset + by)
        at += 46 + sum(struct.unpack_from("<HHH", moved, at + 28))
    return bytes(moved)


def _ended(entries: bytes, directory: bytes, end: bytes) -> bytes:
    return entries + directory + end[:16] + struct.pack("<L", len(entries)) + end[20:]


def _before(data: bytes) -> bytes:
    return SCRIPT + data


def _before_and_told(data: bytes) -> bytes:
    entries, directory, end = _parts(data)
    return _ended(SCRIPT + entries, _moved(directory, len(SCRIPT)), end)


def _behind(data: bytes) -> bytes:
    return data + b"\n"


def _as_comment(data: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", 5) + b"hello"


def _another_zip_as_comment(data: bytes) -> bytes:
    """A reader that looks for the first end finds the one, who looks for the last the other."""
    other = BytesIO()
    with ZipFile(other, "w") as archive:
        archive.writestr("README.md", "The pack holds.")
    return data[:-2] + struct.pack("<H", len(other.getvalue())) + other.getvalue()


def _between(data: bytes) -> bytes:
    entries, directory, end = _parts(data)
    return _ended(entries + b"x" * 64, directory, end)


def _entry_without_a_name(data: bytes) -> bytes:
    """An entry that the directory does not name: who reads as it comes unpacks it."""
    other = BytesIO()
    with ZipFile(other, "w") as archive:
        archive.writestr("README.md", "Another.")
    entries, directory, end = _parts(data)
    return _ended(entries + _parts(other.getvalue())[0], directory, end)


def _first_entry_unnamed(data: bytes) -> bytes:
    other = BytesIO()
    with ZipFile(other, "w") as archive:
        archive.writestr("README.md", "Another.")
    hidden = _parts(other.getvalue())[0]
    entries, directory, end = _parts(data)
    return _ended(hidden + entries, _moved(directory, len(hidden)), end)


def _two_on_one_place(data: bytes) -> bytes:
    """The directory names the first entry's place for the second too."""
    entries, directory, end = _parts(data)
    first, second = bytearray(directory), 46 + sum(struct.unpack_from("<HHH", directory, 28))
    first[second + 42 : second + 46] = first[42:46]
    return _ended(entries, bytes(first), end)


def _another_name_before_the_bytes(data: bytes) -> bytes:
    """Who reads as it comes takes the name before the bytes, who reads the directory the one there."""
    length = int.from_bytes(data[26:28], "little")
    return data[:30] + b"x" * length + data[30 + length :]


ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    function.__name__.strip("_").replace("_", " "): function
    for function in (
        _before, _before_and_told, _behind, _as_comment, _another_zip_as_comment, _between, _entry_without_a_name,
        _first_entry_unnamed, _two_on_one_place, _another_name_before_the_bytes,
    )
}  # fmt: skip
