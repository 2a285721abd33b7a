"""In which line of a TOML text something stands, since its readers do not say."""

import re
from collections.abc import Iterator
from itertools import accumulate

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")
# The end of a text over several lines, or its begin: what is between is no key.
_QUOTES = re.compile("\"\"\"|'''")


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, of each table and key, by its path: "vendors[0]", "vendors[0].operator.name"."""
    found: dict[str, int] = {}
    for path, line in _paths(text):
        found.setdefault(path, line)
    return found


def line_of(lines: dict[str, int], place: str) -> int | None:
    """The line of a place, or of the nearest table or key around it that has one."""
    parts = re.findall(r"[^.\[\]]+|\[\d+\]", place)
    around = accumulate(parts, lambda path, part: f"{path}{part}" if part.startswith("[") else f"{path}.{part}")
    return next((lines[path] for path in reversed([*around]) if path in lines), None)


def _paths(text: str) -> Iterator[tuple[str, int]]:
    counts: dict[str, int] = {}
    table, quoted = "", False
    for number, line in enumerate(text.splitlines(), 1):
        began = quoted
        quoted ^= len(_QUOTES.findall(line)) % 2 == 1
        if began:
            continue
        if header := _HEADER.match(line):
            table = _resolved(header[2], header[1] == "[[", counts)
            yield table, number
        elif key := _KEY.match(line):
            yield f"{table}.{_plain(key[1])}".lstrip("."), number


def _resolved(name: str, is_array: bool, counts: dict[str, int]) -> str:
    """The path of a table: each array of tables on its way by its last number."""
    path = ""
    parts = _plain(name).split(".")
    for number, part in enumerate(parts, 1):
        path = f"{path}.{part}".lstrip(".")
        if is_array and number == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
