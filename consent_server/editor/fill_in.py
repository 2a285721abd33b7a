"""From the text of a site file to what stands in its form, and from a form that was sent back to the text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from consent_server.core.errors import Fault
from consent_server.editor.form import Field, Kind, every_field
from consent_server.editor.site_text import (
    Value,
    moved_up,
    parts_of,
    value_at,
    with_table,
    with_values,
    without,
)
from consent_server.sites.rules_lines import line_of, lines_of
from consent_server.sites.site_file import read_document

Given = Mapping[str, Sequence[str]]
_ACT = re.compile(r"(remove|up) ((?:vendors|regions|experiment\.arms)\[\d{1,3}\]|experiment)")


def shown(field: Field, document: Mapping[str, Any]) -> str:
    """What stands in a field of the form for this file."""
    return _written(value_at(document, field.path))


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return "\n".join(map(str, value))
        case dict():
            return "\n".join(f"{name} = {_written(inner)}" for name, inner in value.items())
        case _:
            return str(value)


def given_text(field: Field, given: Given) -> str:
    """What was sent for a field, as it is shown again."""
    values = [value.replace("\r\n", "\n").strip() for value in given[field.path]]
    if field.kind is Kind.WORDS:
        return "\n".join(word for value in values for word in re.split(r"[\s,]+", value) if word)
    lines = [line.strip() for value in values for line in value.split("\n")]
    return "\n".join(line for line in lines if line)


def with_form(text: str, given: Given, act: str = "") -> str:
    """The text as somebody left its form: what they did not change stays, byte for byte.

    `act` is the button: "remove vendors[1]", "up vendors[1]". Raises InvalidSiteFile where the text cannot be changed
    so.
    """
    document = read_document(text)
    sent = {path: field for path, field in every_field(document).items() if path in given}
    wished = {path: _value(field, _ordered(field, given, document)) for path, field in sent.items()
              if _ordered(field, given, document) != shown(field, document)}  # fmt: skip
    for path, value in wished.items():
        if _is_of_new_table(path, document) and value is not None:
            text = _with_new_table(text, path, value)
    text = with_values(text, wished) if wished else text
    if made := _ACT.fullmatch(act):
        return without(text, made[2]) if made[1] == "remove" else moved_up(text, made[2])
    return text


def _ordered(field: Field, given: Given, document: Mapping[str, Any]) -> str:
    """What was sent; of the languages, which are ticked in the form's order, those that were there in theirs."""
    sent = given_text(field, given)
    if field.kind is not Kind.LANGUAGES:
        return sent
    ticked, before = sent.split("\n"), shown(field, document).split("\n")
    return "\n".join([*(one for one in before if one in ticked), *(one for one in ticked if one not in before)])


def _value(field: Field, sent: str) -> Value:
    if not sent:
        return None
    match field.kind:
        case Kind.NUMBER:
            # What is none is told of by the rules of the file.
            return int(sent) if re.fullmatch(r"-?[0-9]{1,9}", sent) else sent
        case Kind.SWITCH:
            return sent == "true"
        case Kind.LINES | Kind.WORDS | Kind.LANGUAGES:
            return sent.split("\n")
        case Kind.PAIRS:
            return _pairs(sent)
        case Kind.VENDOR:
            by_name = {name.lower(): key for key, name in field.options}
            return by_name.get(sent.lower(), sent)
        case Kind.ONE_OR_PAIRS:
            return _pairs(sent) if re.match(r"[a-z-]+ *=", sent) else sent
        case _:
            return sent


def _pairs(sent: str) -> dict[str, str]:
    parts = (line.partition("=") for line in sent.split("\n"))
    return {name.strip(): value.strip() for name, _, value in parts}


def _is_of_new_table(path: str, document: Mapping[str, Any]) -> bool:
    return any(isinstance(part, int) for part in parts_of(path)) and value_at(document, _table(path)) is None


def _table(path: str) -> str:
    return path[: path.rindex("]") + 1]


def _with_new_table(text: str, path: str, value: Value) -> str:
    table = _table(path)
    if value_at(read_document(text), table) is not None:
        return text
    key = path[len(table) + 1 :]
    # What is deeper is set once the table is there.
    return with_table(text, table[: table.rindex("[")], key, value) if "." not in key else text


def placed_faults(faults: Sequence[Fault], text: str, fields: Sequence[str]) -> list[tuple[Fault, str, int | None]]:
    """Each fault with the field or block of the form that it is about, "" for none, and its line in the text."""
    lines = lines_of(text)
    return [(fault, _field_of(fault.pointer, fields), line_of(lines, fault.pointer)) for fault in faults]


def _field_of(place: str, fields: Sequence[str]) -> str:
    # Longest first: "vendors[0].id" before what begins like it.
    around = (
        one for one in sorted(fields, key=len, reverse=True) if place == one or place.startswith((f"{one}.", f"{one}["))
    )
    return next(around, "")
