"""The parameters of an auditor's addresses."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

from consent_server.audit.rules_search import Filter, Place
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.core.times import midnight
from consent_server.decisions.rules import Action
from consent_server.http.fields import (
    KEY,
    LONGEST_PAGE,
    HyphenatedUuid,
    Number,
    Pattern,
    Sha256Hex,
    SpanQuery,
    read_query,
)

LARGEST_SAMPLE = 100
CURSOR = re.compile(r"([0-9]{1,15})-([0-9]{1,18})")
_SEED = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Cursor(fields.Field[Place]):
    """Where a page begins, as `next` of the page before says it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Place:
        match = CURSOR.fullmatch(value)
        try:
            if match:
                return datetime.fromtimestamp(int(match[1]) / 1000, UTC), int(match[2])
        except (ValueError, OverflowError, OSError):
            pass
        raise ValidationError("Must be the `next` of an earlier answer.")


class VisitorId(HyphenatedUuid):
    """An identifier as records have it, or as a browser keeps it: its tag says nothing to who only looks it up."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        return super()._deserialize(str(value).partition(".")[0], attr, data, **kwargs)


def cursor(place: Place | None) -> str | None:
    """A place as it stands in an address."""
    return None if place is None else f"{round(place[0].timestamp() * 1000)}-{place[1]}"


class RecordsQuery(SpanQuery):
    """What GET …/decisions takes."""

    action = fields.Enum(Action, by_value=True, load_default=None)
    purpose = Pattern(KEY, "Must be the key of a purpose.", load_default=None)
    visitor = VisitorId(load_default=None)
    notice = Sha256Hex(load_default=None)
    cursor = Cursor(load_default=None)
    limit = Number(1, LONGEST_PAGE, load_default=100)


class SearchQuery(RecordsQuery):
    """The same, with the field of the console's form that leads straight to one record."""

    receipt = HyphenatedUuid(load_default=None)


class SampleQuery(Schema):
    """What the spot check takes."""

    count = Number(1, LARGEST_SAMPLE, data_key="n", load_default=20)
    seed = Pattern(_SEED, "Must be 1 to 64 letters, digits, - or _.", load_default=None)
    size = Number(1, 10**15, load_default=None)


class ReplayQuery(Schema):
    """What the gap report takes."""

    first = Number(0, 10**15, data_key="from", load_default=None)


# Made once: a schema made per request costs four times the request's own reading.
SPAN = SpanQuery()
RECORDS = RecordsQuery()
SEARCH = SearchQuery()
SAMPLE = SampleQuery()
REPLAY = ReplayQuery()


def read_span(schema: Schema, given: MultiDict[str, str], time_zone: str) -> dict[str, Any]:
    """Load parameters with a span, whose days are those of a time zone, as in the rates. Raises InvalidQuery."""
    values = read_query(schema, given)
    for name in ("since", "before"):
        if type(values[name]) is date:
            values[name] = midnight(values[name], time_zone)
    since, before = values["since"], values["before"]
    if since and before and since >= before:
        fault = Fault("#/to", "Must not be before `from`.")
        raise InvalidQuery("The query parameters are invalid; nothing was looked up.", [fault])
    return values


def wanted(values: Mapping[str, Any], purposes: list[str]) -> Filter:
    """The filter that parameters say. Raises InvalidQuery for a purpose that the site never had."""
    if values["purpose"] is not None and values["purpose"] not in purposes:
        fault = Fault("#/purpose", f"No notice of this site has this purpose. Known: {', '.join(purposes)}.")
        raise InvalidQuery("The query parameters are invalid; nothing was looked up.", [fault])
    return Filter(**{name: values[name] for name in Filter.__slots__})


def without_limit(given: MultiDict[str, str]) -> dict[str, str]:
    """Checked parameters as the log of look-ups keeps them."""
    return {name: value for name, value in given.items() if name != "limit"}
