"""Reads docs/openapi.json, and says where a value does not fit it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.core.resources import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
PROBLEM = "application/problem+json"
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` leads to."""
    while "$ref" in node:
        found: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def answers() -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Operation, status and description of every answer."""
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            yield operation["operationId"], int(status), resolved(answer)


def everything(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of the file."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from everything(inner)


def misfits(schema: Mapping[str, Any], value: Any, at: str = "#") -> list[str]:
    """Where a value does not fit a schema, as far as the schemas of this file go."""
    schema = resolved(schema)
    if "anyOf" in schema:
        tried = [misfits(one, value, at) for one in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    types = schema.get("type", list(TYPES))
    known = tuple(TYPES[name] for name in ([types] if isinstance(types, str) else types))
    if not isinstance(value, known) or (isinstance(value, bool) and bool not in known):
        return [f"{at}: {value!r} is not {types}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is not in {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']}")
    return found + list(_inner_misfits(schema, value, at))


def _inner_misfits(schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from misfits(schema.get("items", {}), item, f"{at}/{index}")
    if not isinstance(value, dict):
        return
    named, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    yield from (f"{at}/{key}: is missing" for key in schema.get("required", ()) if key not in value)
    for key, inner in value.items():
        if key in named:
            yield from misfits(named[key], inner, f"{at}/{key}")
        elif others is False:
            yield f"{at}/{key}: is not described"
        elif others is not True:
            yield from misfits(others, inner, f"{at}/{key}")
