"""The parameters of an auditor's addresses."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length
from werkzeug.datastructures import MultiDict

from consent_server.audit.rules_search import Filter, Place, notices_meant
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.core.times import midnight
from consent_server.decisions.rules import Action
from consent_server.http.fields import (
    KEY,
    LONGEST_PAGE,
    HyphenatedUuid,
    Number,
    Pattern,
    SpanQuery,
    read_query,
)

LARGEST_SAMPLE = 100
LONGEST_TITLE = 200
# Digits of a hash that pages show, and how many notices are told of a search that means several.
SHORT, MOST_NAMED = 8, 5
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


class FilterQuery(SpanQuery):
    """What GET …/decisions.csv takes."""

    action = fields.Enum(Action, by_value=True, load_default=None)
    purpose = Pattern(KEY, "Must be the key of a purpose.", load_default=None)
    visitor = VisitorId(load_default=None)
    notice = fields.String(validate=Length(1, LONGEST_TITLE), load_default=None)


class RecordsQuery(FilterQuery):
    """What GET …/decisions takes."""

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
FILTER = FilterQuery()
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
        raise _invalid("to", "Must not be before `from`.")
    return values


def wanted(values: Mapping[str, Any], purposes: Mapping[str, str], notices: Mapping[str, str]) -> Filter:
    """The filter that parameters say. Raises InvalidQuery for a purpose or a notice that the site never had."""
    if values["purpose"] is not None and values["purpose"] not in purposes:
        raise _invalid("purpose", f"No notice of this site has this purpose. Known: {', '.join(purposes)}.")
    named = {name: values[name] for name in Filter.__slots__}
    return Filter(**named | {"notice": values["notice"] and _notice(values["notice"], notices)})


def _notice(text: str, notices: Mapping[str, str]) -> str:
    meant = notices_meant(text, notices)
    if not meant:
        raise _invalid("notice", "No notice of this site is called that, or has a hash that begins so.")
    if len(meant) > 1:
        several = "; ".join(f"{notices[one]} ({one[:SHORT]})" for one in meant[:MOST_NAMED])
        raise _invalid("notice", f"This means {len(meant)} notices: {several}. Give more of the title or of the hash.")
    return meant[0]


def _invalid(name: str, said: str) -> InvalidQuery:
    return InvalidQuery("The query parameters are invalid; nothing was looked up.", [Fault(f"#/{name}", said)])


def saved_as(what: str, key: str, given: Mapping[str, str], now: datetime, suffix: str) -> dict[str, str]:
    """The header that names a download by what it holds: its span where one was asked for, else the day."""
    days = [given[name][:10] for name in ("from", "to") if given.get(name)] or [f"{now:%Y-%m-%d}"]
    return {"Content-Disposition": f'attachment; filename="{"-".join([what, key, *days])}.{suffix}"'}


def without_limit(given: MultiDict[str, str]) -> dict[str, str]:
    """Checked parameters as the log of look-ups keeps them."""
    return {name: value for name, value in given.items() if name != "limit"}
