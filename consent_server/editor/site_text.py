"""Change values in the text of a site file, and leave all else of it as it is: comments, order, spelling."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable

from consent_server.core.errors import InvalidSiteFile
from consent_server.sites.rules_lines import lines_of
from consent_server.sites.site_file import read_document

Value = str | int | bool | list[str] | dict[str, str] | None
_PART = re.compile(r"[^.\[\]]+")


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """What stands there, such as at "vendors[0].id"; None where nothing does."""
    here: Any = document
    for part in parts_of(path):
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
    return here


def parts_of(path: str) -> list[str | int]:
    """ "vendors[0].id" as ["vendors", 0, "id"]."""
    return [int(part) if part.isdecimal() and f"[{part}]" in path else part for part in _PART.findall(path)]


def with_values(text: str, changes: Mapping[str, Value]) -> str:
    """The text with these values at these paths; None takes what stands there out. Raises InvalidSiteFile."""
    expected = read_document(text)
    try:
        document = tomlkit.parse(text)
        for path, value in changes.items():
            _put(expected, parts_of(path), value)
            _put(document, parts_of(path), value)
        return _checked(_spaced(document.as_string(), text), expected)
    except (TOMLKitError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise _unchangeable(", ".join(changes)) from error


def with_table(text: str, path: str, key: str, value: Value) -> str:
    """The text with one more of a list of tables, "vendors", that has this alone; after the others, else at the end."""
    expected = read_document(text)
    count = len(value_at(expected, path) or [])
    _put(expected, [*parts_of(path), count, key], value)
    lines = _ended(text).splitlines(keepends=True)
    chunks = _chunks(text, f"{path}[{count - 1}]") if count else []
    end = chunks[-1][1] if chunks else len(lines)
    before = "" if end and not lines[end - 1].strip() else "\n"
    after = "\n" if end < len(lines) else ""
    lines.insert(end, f"{before}[[{path}]]\n{tomlkit.dumps({key: value})}{after}")
    return _checked("".join(lines), expected)


def without(text: str, path: str) -> str:
    """The text without a table, or without one of a list of tables ("vendors[1]")."""
    expected = read_document(text)
    if value_at(expected, path) is None:
        return text
    *way, last = parts_of(path)
    holder: Any = value_at(expected, _path_of(way)) if way else expected
    del holder[last]
    if not holder and way:
        expected.pop(str(way[0]))
    chunks, lines = _chunks(text, path), text.splitlines(keepends=True)
    for start, end in reversed(chunks):
        del lines[start:end]
    return _checked("".join(lines), expected)


def moved_up(text: str, path: str) -> str:
    """The text with one of a list of tables, "vendors[1]", before its neighbour. The first stays where it is."""
    name, number = path.rstrip("]").split("[")
    expected, at = read_document(text), int(number)
    tables = value_at(expected, name)
    if at == 0 or value_at(expected, path) is None:
        return text
    tables.insert(at - 1, tables.pop(at))
    chunks = [*_chunks(text, f"{name}[{at - 1}]"), *_chunks(text, path)]
    if len(chunks) != 2:
        raise _unchangeable(name)
    above, below = chunks
    lines = _ended(text).splitlines(keepends=True)
    parts = lines[: above[0]], lines[slice(*below)], lines[above[1] : below[0]], lines[slice(*above)], lines[below[1] :]
    return _checked("".join(line for part in parts for line in part), expected)


def _checked(text: str, expected: Mapping[str, Any]) -> str:
    # Whoever edits a text by its form must be able to rely on it: what was not meant is not done.
    if read_document(text) != expected:
        raise _unchangeable("this")
    return text


def _spaced(text: str, before: str) -> str:
    """With a blank line above each table that is new."""
    old = before.splitlines()
    known = {*pairwise(old)}
    lines = text.splitlines(keepends=True)
    for index in range(len(lines) - 1, 0, -1):
        above, line = lines[index - 1].rstrip("\r\n"), lines[index].rstrip("\r\n")
        if line.startswith("[") and above and not above.startswith("#") and (above, line) not in known:
            lines.insert(index, "\n")
    return "".join(lines)


def _unchangeable(what: str) -> InvalidSiteFile:
    return InvalidSiteFile(f"The file is written in a way in which the form cannot change {what}. Change it as a file.")


def _put(table: Any, parts: Sequence[str | int], value: Value) -> None:
    first, *rest = parts
    if not rest:
        _set(table, first, value)
        return
    if isinstance(first, int) and first == len(table):
        table.append(_table_for(table))
    elif not isinstance(first, int) and first not in table:
        if value is None:
            return
        table[first] = _list_for(table) if isinstance(rest[0], int) else _table_for(table)
    inner = table[first]
    _put(inner, rest, value)
    # Without its last value a table would only be one that lacks something.
    if not inner and not isinstance(first, int):
        del table[first]


def _set(table: Any, key: Any, value: Value) -> None:
    if value is None:
        table.pop(key, None)
    elif isinstance(value, list) and isinstance(table.get(key), Array):
        _fill(table[key], value)
    elif isinstance(value, dict):
        table[key] = _inline(value) if _is_kept(table) else dict(value)
    else:
        table[key] = value


def _fill(array: Array, values: list[str]) -> None:
    """What stays keeps its place and its comment."""
    for index in reversed(range(len(array))):
        if array[index] not in values:
            del array[index]
    if list(array) == values[: len(array)]:
        for value in values[len(array) :]:
            array.append(value)
    else:
        array.clear()
        array.extend(values)


def _is_kept(table: Any) -> bool:
    return type(table) is not dict


def _inline(values: Mapping[str, str]) -> InlineTable:
    made = tomlkit.inline_table()
    made.update(values)
    return made


def _table_for(around: Any) -> Any:
    if type(around) in (dict, list):
        return {}
    return tomlkit.inline_table() if isinstance(around, InlineTable | Array) else tomlkit.table()


def _list_for(around: Any) -> Any:
    return tomlkit.aot() if _is_kept(around) else []


def _path_of(parts: Sequence[str | int]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".")


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _chunks(text: str, path: str) -> list[tuple[int, int]]:
    """The lines of a table and of all in it, with the comments right above: begin and end, from 0."""
    lines, places = text.splitlines(), lines_of(text)
    headers = sorted((line - 1, name) for name, line in places.items() if lines[line - 1].lstrip().startswith("["))
    starts = [_with_comments(lines, line) for line, _ in headers] + [len(lines)]
    own = [
        (starts[number], starts[number + 1])
        for number, (_, name) in enumerate(headers)
        if name == path or name.startswith((f"{path}.", f"{path}["))
    ]
    joined: list[tuple[int, int]] = []
    for start, end in own:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _with_comments(lines: Sequence[str], header: int) -> int:
    while header and lines[header - 1].lstrip().startswith("#"):
        header -= 1
    return header
