"""The HTTP interface described: docs/openapi.json as it is, and as a page to read."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from flask import Blueprint, Response, render_template
from markupsafe import Markup, escape

from consent_server.core.context import context
from consent_server.core.resources import ROOT
from consent_server.http.answers import JSON, answer, open_to_every_page
from consent_server.http.markdown import as_html

bp = Blueprint("docs", __name__)
open_to_every_page(bp, "GET")

FILE = ROOT / "docs" / "openapi.json"
Node = Mapping[str, Any]


@bp.app_template_filter("bdi")
def isolate(name: str) -> Markup:
    """A name as of somebody else's script, which turns nothing round that stands beside it."""
    return Markup("<bdi>{}</bdi>").format(name)


@bp.app_template_filter("filled")
def fill(sentence: str, **names: str) -> Markup:
    """A sentence with names in its {places}."""
    return escape(sentence).format(**{place: isolate(name) for place, name in names.items()})


@bp.get("/openapi.json")
def openapi() -> Response:
    """The description, with this server's own address in it."""
    document = {**description(), "servers": [{"url": context().settings.public_url}]}
    return answer(json.dumps(document, ensure_ascii=False), JSON)


@bp.get("/docs")
def page() -> str:
    """The description as a page."""
    document = description()
    return render_template(
        "http/docs.html",
        document=document,
        operations=list(_operations(document)),
        schemas=document["components"]["schemas"],
        resolved=resolved,
        kind=kind,
        pretty=_pretty,
        inline=inline,
        file=FILE.name,
    )


@bp.get("/docs/rates")
def rates() -> str:
    """What each rate means: docs/rates.md as a page."""
    return render_template("http/prose.html", title="Rates", text=_prose("rates"))


@bp.get("/docs/embedding")
def embedding() -> str:
    """What a site puts into its pages: docs/embedding.md as a page."""
    return render_template("http/prose.html", title="In your pages", text=_prose("embedding"))


@cache
def _prose(name: str) -> Markup:
    return as_html((ROOT / "docs" / f"{name}.md").read_text("utf-8"))


@cache
def description() -> dict[str, Any]:
    """The file, read once a process."""
    document: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return document


def resolved(node: Node) -> Node:
    """What a `$ref` into the same file leads to; any other node is itself."""
    while "$ref" in node:
        found: Any = description()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _operations(document: Node) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield {"method": method.upper(), "path": path, **operation}


def kind(schema: Node) -> str:
    """A schema in a few words, such as "string, uuid" or "list of Problem"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}"
    entries = schema.get("additionalProperties")
    if entries:
        return f"map to {kind(entries)}"
    types = schema.get("type", "any")
    words = [" or ".join(types) if isinstance(types, list) else types]
    words += [schema["format"]] if "format" in schema else []
    words += [f"at most {schema['maxLength']} characters"] if "maxLength" in schema else []
    return ", ".join(words)


def inline(text: str) -> Markup:
    """Plain text in which `words` between backticks are code."""
    parts = [
        Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def _pretty(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
