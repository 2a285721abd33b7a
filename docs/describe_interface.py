"""Writes docs/openapi.json, from what each room says of its routes in `interface.yaml`: `make openapi`.

Bodies and parameters are described by the marshmallow schemas that read them, who may call by the table of routes, and
refusals by the table of problems.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import class_registry, fields

from consent_server import __version__
from consent_server.access.routes import RIGHTS, Right
from consent_server.app import ROOMS
from consent_server.audit.queries import CURSOR, Cursor
from consent_server.core import errors
from consent_server.core.files import write_whole
from consent_server.core.resources import ROOT
from consent_server.decisions.bodies import Dispensable, PageUrl
from consent_server.http.bodies import BODY_TYPES
from consent_server.http.fields import (
    COUNTED_DAY,
    Day,
    Fullmatch,
    HyphenatedUuid,
    Moment,
    Number,
    StrictBoolean,
    StrictInteger,
)
from consent_server.http.problems import LATER, PROBLEMS
from consent_server.sites.site_schema import LAYOUTS

Node = dict[str, Any]

FILE = ROOT / "docs" / "openapi.json"
WIDTH = 120
PROBLEM = "application/problem+json"
SIGNED_IN: list[Node] = [{"token": []}, {"session": []}]
# A link opens by itself. What is not here needs a token or a session.
WAYS: dict[Right, list[Node]] = {Right.ANYBODY: [], Right.HOLDER: [], Right.HOLDER_OR_AUDITOR: [{}, *SIGNED_IN]}
RIGHT_OF = {re.sub("<[^>]+>", "{}", route): right for route, right in RIGHTS.items()}
TYPES: dict[type[fields.Field[Any]], tuple[str, str | None]] = {
    Cursor: ("string", None), Day: ("string", "date"), HyphenatedUuid: ("string", "uuid"), Moment: ("string", None),
    Number: ("integer", None), PageUrl: ("string", "uri"), StrictBoolean: ("boolean", None),
    StrictInteger: ("integer", None),
}  # fmt: skip
FORMS: dict[type[fields.Field[Any]], re.Pattern[str]] = {Cursor: CURSOR, Day: COUNTED_DAY}


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which `!schema NAME` refers to a schema of the document, and some lists are what the code has.

    `!slugs` are the names of all problems, `!layouts` those of all layouts.
    """


Loader.add_constructor("!schema", lambda _, node: {"$ref": f"#/components/schemas/{node.value}"})
Loader.add_constructor("!slugs", lambda *_: sorted(slug for _, slug, _ in PROBLEMS.values()))
Loader.add_constructor("!layouts", lambda *_: LAYOUTS)


def describe() -> Node:
    """The document."""
    files = sorted(path for room in ROOMS for path in room.glob("interface.yaml"))
    rooms: list[Node] = [yaml.load(path.read_text("utf-8"), Loader) for path in files]  # noqa: S506  a safe one
    head: Node = next(room["document"] for room in rooms if "document" in room)
    plugin = MarshmallowPlugin()
    schemes, title, version = head.pop("securitySchemes"), head["info"].pop("title"), head.pop("openapi")
    spec = APISpec(title, __version__, version, plugins=[plugin], **head)
    for kind, words in TYPES.items():
        plugin.map_to_openapi_type(kind, *words)  # type: ignore[no-untyped-call]
    plugin.converter.add_attribute_function(_form)  # type: ignore[union-attr]
    for name, scheme in schemes.items():
        spec.components.security_scheme(name, scheme)
    for room in rooms:
        _add_components(spec, room)
    for room in rooms:
        for route, operation in room.get("routes", {}).items():
            method, path = route.split()
            spec.path(path, operations={method.lower(): _operation(route, operation, spec, plugin)})
    document: Node = spec.to_dict()
    return document


def _add_components(spec: APISpec, room: Node) -> None:
    for name, schema in room.get("schemas", {}).items():
        _add_schema(spec, name, schema)
    for name, parameter in room.get("parameters", {}).items():
        spec.components.parameter(name, parameter["in"], parameter)
    for name, refusal in room.get("refusals", {}).items():
        spec.components.response(name, _refusal(**{"refusal": name} | refusal))


def _add_schema(spec: APISpec, name: str, description: Node) -> None:
    """One that is written out, or that of what a marshmallow schema reads, with words for its fields."""
    if "fields" not in description:
        spec.components.schema(name, description)
        return
    read_by, words = class_registry.get_class(description.pop("fields")), description.pop("words")
    spec.components.schema(name, description, schema=read_by)
    for field, said in words.items():
        spec.components.schemas[name]["properties"][field]["description"] = said


def _form(converter: Any, field: fields.Field[Any], ret: Node) -> Node:
    """What apispec does not know of our fields. None as a default means that nothing was asked for."""
    if isinstance(field, Dispensable):
        return cast("Node", converter.field2property(field.member))
    if ret.get("default", ...) is None:
        del ret["default"]
    if isinstance(field, fields.Enum):
        ret["type"] = "string"
    if isinstance(field, Number):
        ret |= {"minimum": field.low, "maximum": field.high}
    if isinstance(field, Moment):
        return {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
    patterns = [rule.pattern for rule in field.validators if isinstance(rule, Fullmatch)]
    patterns += [pattern for kind, pattern in FORMS.items() if isinstance(field, kind)]
    return {"pattern": f"^{patterns[0].pattern}$"} if patterns else {}


def _refusal(description: str, refusal: str, **example: Any) -> Node:
    """An answer that is a problem: one of the table, or one that HTTP itself names by its `status`."""
    kind = getattr(errors, refusal, None)
    if kind is None:
        problem = {"type": "about:blank", "title": HTTPStatus(example["status"]).phrase, "status": example["status"]}
    else:
        status, slug, title = PROBLEMS[kind]
        problem = {"type": f"/problems/{slug}", "title": title, "status": status}
    headers: Node = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}} if kind in LATER else {}
    if kind is errors.Unauthenticated:
        headers["WWW-Authenticate"] = {"description": "`Bearer`.", "schema": {"type": "string"}}
    content = {PROBLEM: {"schema": "Problem", "example": problem | example}}
    return {"description": description} | ({"headers": headers} if headers else {}) | {"content": content}


def _operation(route: str, operation: Node, spec: APISpec, plugin: MarshmallowPlugin) -> Node:
    parameters = operation.pop("parameters", [])
    if "query" in operation:
        parameters += _parameters(plugin, **operation.pop("query"))
    if "body" in operation:
        operation["requestBody"] = _body(**operation.pop("body"))
    answers = operation.pop("responses")
    for name in operation.pop("refusals", []):
        status = spec.components.responses[name]["content"][PROBLEM]["example"]["status"]
        answers[status] = name
    security = WAYS.get(RIGHT_OF[re.sub("{[^}]+}", "{}", route)], SIGNED_IN)
    more: Node = {"parameters": parameters} if parameters else {}
    more |= {"security": security} if security else {}
    return operation | more | {"responses": dict(sorted(answers.items()))}


def _parameters(plugin: MarshmallowPlugin, schema: str, words: Mapping[str, Node]) -> list[Node]:
    """Those that a marshmallow schema reads, in these words."""
    read_by: Any = class_registry.get_class(schema)
    parameters: dict[str, Node] = {
        parameter["name"]: parameter
        for parameter in plugin.converter.schema2parameters(read_by, location="query")  # type: ignore[union-attr]
    }
    for parameter in parameters.values():
        form = parameter["schema"]
        # What was not asked for is None to the reader, and is not there in an address.
        form["type"] = form["type"][0] if isinstance(form["type"], list) else form["type"]
        if "enum" in form:
            form["enum"] = [value for value in form["enum"] if value is not None]
        if not parameter["required"]:
            del parameter["required"]
    for name, said in words.items():
        parameters[name] |= said
    return list(parameters.values())


def _body(schema: Node, example: Node) -> Node:
    """JSON, by its own name or by one that browsers send across origins without asking first."""
    as_text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    described = ({"schema": schema, "example": example}, {"schema": as_text})
    return {"required": True, "content": dict(zip(BODY_TYPES, described, strict=True))}


def to_text(node: Any, indent: str = "") -> str:
    """JSON with one line for what fits into one."""
    line = json.dumps(node, ensure_ascii=False)
    if len(indent + line) <= WIDTH or not isinstance(node, dict | list) or not node:
        return line
    inner = indent + "  "
    if isinstance(node, dict):
        parts = [f"{json.dumps(name)}: {to_text(value, inner)}" for name, value in node.items()]
    else:
        parts = [to_text(value, inner) for value in node]
    brackets = "{}" if isinstance(node, dict) else "[]"
    return f"{brackets[0]}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{brackets[1]}"


if __name__ == "__main__":
    with write_whole(FILE) as file:
        file.write(f"{to_text(describe())}\n".encode())
