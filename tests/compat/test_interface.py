"""What a program that was written for an earlier version asks for is still described, and so is what it may answer."""

from collections.abc import Iterator
from typing import Any

from .conftest import Kept, Server

METHODS = ("get", "post", "put", "delete")
# The Kantara 1.1 form, superseded by ISO/IEC TS 27560.
REMOVED = {"/schemas/kantara-cr-1.1.json"}


def facts(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Operation, what it takes or answers, and its name."""
    for path, item in document["paths"].items():
        for method in (name for name in METHODS if name in item):
            operation, place = item[method], f"{method} {path}"
            for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
                parameter = resolved(document, parameter)
                yield place, f"parameter in {parameter['in']}", parameter["name"]
            for content in resolved(document, operation.get("requestBody", {})).get("content", {}):
                yield place, "takes", content
            for status, response in operation["responses"].items():
                yield place, "answers", str(status)
                for content in resolved(document, response).get("content", {}):
                    yield place, f"answers {status} as", content


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    for name in part.get("$ref", "").split("/")[1:]:
        document = document[name]
    return document if "$ref" in part else part


def test_nothing_that_was_described_is_gone(server: Server, kept: Kept) -> None:
    before = {fact for fact in facts(kept.json("openapi.json")) if fact[0].split()[1] not in REMOVED}
    assert len(before) > 100
    assert sorted(before - set(facts(server.get("/openapi.json").get_json()))) == []
