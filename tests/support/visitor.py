"""What a visitor's browser does, and what the server then holds."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from consent_server.core.context import Context
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_contents import Record
from tests.support.factories import SHOP

# What a browser accepts that opens an address.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def post(
    client: FlaskClient,
    body: Any,
    site: str = "shop",
    origin: str | None = SHOP,
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, Any] | None = None,
    content_type: str = "text/plain",
    path: str = "decisions",
) -> TestResponse:
    """Post as a page of the shop does: a simple request, so that no preflight is needed."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = dict(headers or {}) | ({"Origin": origin} if origin is not None else {})
    return client.post(
        f"/v1/sites/{site}/{path}", data=sent, content_type=content_type, headers=given, environ_overrides=environ
    )


def rows(services: Context) -> list[Record]:
    """Every decision on record, oldest first."""
    with services.database.reading() as session:
        return decisions.opened(session, session.scalars(select(DecisionRow).order_by(DecisionRow.id)).all())


def as_row(record: Record) -> dict[str, Any]:
    """A record as it is given to be stored again."""
    beside = ("id", "fault", "altered")
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name not in beside}


def config(text: str) -> dict[str, Any]:
    """The data of a served script: its second line of three."""
    code, data, end, rest = text.split("\n")
    assert code.endswith("(")
    assert (end, rest) == (")", "")
    found: dict[str, Any] = json.loads(data)
    return found


def identifier(kept: str | None) -> UUID:
    """The visitor's identifier, as receipts and records have it, out of what an answer gave the browser to keep."""
    assert kept
    return UUID(kept.partition(".")[0])
