"""docs/openapi.json by itself: whole, and at one with its own examples and the table of refusals."""

import re

from consent_server import __version__
from consent_server.http.problems import PROBLEMS
from docs.describe_interface import FILE, describe, to_text
from tests.support.openapi import DOCUMENT, PROBLEM, answers, everything, misfits, operations, resolved


def test_it_is_an_openapi_3_1_document_of_this_version() -> None:
    assert re.fullmatch(r"3\.1\.\d+", DOCUMENT["openapi"])
    assert DOCUMENT["info"]["version"] == __version__
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for _, path, operation in operations():
        assert set(operation["tags"]) <= tags
        given = [resolved(parameter) for parameter in operation.get("parameters", ())]
        in_path = {parameter["name"] for parameter in given if parameter["in"] == "path" and parameter["required"]}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path
    assert all(answer["description"] for _, _, answer in answers())


def test_every_component_is_there_and_used() -> None:
    used = {node["$ref"] for node in everything(DOCUMENT) if "$ref" in node}
    ways = [name for _, _, operation in operations() for way in operation.get("security", ()) for name in way]
    used |= {f"#/components/securitySchemes/{name}" for name in ways}
    parts = {f"#/components/{kind}/{name}" for kind, named in DOCUMENT["components"].items() for name in named}
    assert used == parts


def test_it_is_what_the_rooms_say() -> None:
    assert FILE.read_text("utf-8") == to_text(describe()) + "\n", "Run `make openapi`, and look at what it changes."


def test_a_link_needs_no_token_and_rates_and_records_do() -> None:
    ways = {operation["operationId"]: operation.get("security", []) for _, _, operation in operations()}
    signed_in: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
    assert ways["receipt"] == ways["receiptProof"] == [{}, *signed_in]
    assert ways["withdraw"] == ways["report"] == ways["recordDecision"] == []
    assert [name for name, way in ways.items() if way == signed_in] == [
        "listDecisions", "decisionsTable", "replay", "evidence", "metrics", "rates", "ratesTable", "annotations",
        "annotate", "removeAnnotation", "experiment",
    ]  # fmt: skip


def test_every_refusal_is_a_problem() -> None:
    for name, status, answer in answers():
        if status >= 400:
            assert list(answer["content"]) == [PROBLEM], (name, status)
            assert answer["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert answer["content"][PROBLEM]["example"]["status"] == status
            later = status in (429, 503) or answer["content"][PROBLEM]["example"]["type"].endswith("/not-sealed-yet")
            assert ("Retry-After" in answer.get("headers", {})) == later, (name, status)


def test_every_problem_is_named_as_the_server_names_it() -> None:
    table = {slug: (status, title) for status, slug, title in PROBLEMS.values()}
    slug = DOCUMENT["paths"]["/problems/{slug}"]["get"]["parameters"][0]
    assert slug["schema"]["enum"] == sorted(table)
    for response in DOCUMENT["components"]["responses"].values():
        example = response["content"][PROBLEM]["example"]
        if example["type"] != "about:blank":
            assert (example["status"], example["title"]) == table[example["type"].removeprefix("/problems/")]


def test_every_example_fits_its_schema() -> None:
    checked = 0
    for node in everything(DOCUMENT):
        if "example" in node and "schema" in node:
            assert misfits(node["schema"], node["example"]) == []
            checked += 1
    assert checked > 20


def test_the_check_of_schemas_sees_what_does_not_fit() -> None:
    schema = {"$ref": "#/components/schemas/Shown"}
    assert misfits(schema, {"language": 1, "more": 1}) == [
        "#/notice: is missing",
        "#/language: 1 is not string",
        "#/more: is not described",
    ]
    assert misfits(schema, {"notice": "x"}) == [f"#/notice: 'x' does not match ^{'[0-9a-f]{64}'}$"]
    assert misfits({"type": "integer"}, True) == ["#: True is not integer"]
