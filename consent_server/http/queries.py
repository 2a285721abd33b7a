"""The parameters of auditors' addresses, read as strictly as bodies are."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import OneOf
from werkzeug.datastructures import MultiDict

from consent_server.audit.store import Filter, Place
from consent_server.core.errors import Fault, InvalidQuery, pointer
from consent_server.decisions.rules import Action
from consent_server.http.schemas import HyphenatedUuid, Sha256Hex
from consent_server.rates.read import ALONG, By

LONGEST_PAGE = 1000
LARGEST_SAMPLE = 100
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_CURSOR = re.compile(r"([0-9]{1,15})-([0-9]{1,18})")
_SEED = re.compile(r"[0-9A-Za-z_-]{1,64}")
_KEY = re.compile(r"[a-z0-9-]{1,63}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class Moment(fields.Field[datetime]):
    """A day of UTC or an RFC 3339 time. A day as an end means its end."""

    def __init__(self, end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.end = end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            if _DAY.fullmatch(value):
                midnight = datetime.combine(date.fromisoformat(value), time(), UTC)
                return midnight + timedelta(days=1) if self.end else midnight
            if _TIME.fullmatch(value):
                return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValidationError("Must be a day such as 2026-11-23, or a time with its offset: 2026-11-23T17:00:00Z.")


class Pattern(fields.Field[str]):
    """Text of one form."""

    def __init__(self, pattern: re.Pattern[str], says: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pattern, self.says = pattern, says

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not self.pattern.fullmatch(value):
            raise ValidationError(self.says)
        return str(value)


class Number(fields.Field[int]):
    """A plain decimal number within bounds."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not _NUMBER.fullmatch(value) or not self.low <= int(value) <= self.high:
            raise ValidationError(f"Must be a number from {self.low} to {self.high}.")
        return int(value)


class Cursor(fields.Field[Place]):
    """Where a page begins, as `next` of the page before says it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Place:
        match = _CURSOR.fullmatch(value)
        try:
            if match:
                return datetime.fromtimestamp(int(match[1]) / 1000, UTC), int(match[2])
        except (ValueError, OverflowError, OSError):
            pass
        raise ValidationError("Must be `next` of an earlier answer.")


def cursor(place: Place | None) -> str | None:
    """A place as it stands in an address."""
    return None if place is None else f"{round(place[0].timestamp() * 1000)}-{place[1]}"


class SpanQuery(Schema):
    """A span of time: what GET …/evidence takes."""

    since = Moment(data_key="from", load_default=None)
    before = Moment(end=True, data_key="to", load_default=None)


class RecordsQuery(SpanQuery):
    """What GET …/decisions takes."""

    action = fields.Enum(Action, by_value=True, load_default=None)
    purpose = Pattern(_KEY, "Must be the key of a purpose.", load_default=None)
    visitor = HyphenatedUuid(load_default=None)
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


class PageQuery(Schema):
    """What a list without filters takes."""

    before = Number(1, 10**18 - 1, load_default=None)


class Day(fields.Field[date]):
    """A day on the site's own clock."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if _DAY.fullmatch(value) and date(2000, 1, 1) <= (day := date.fromisoformat(value)) < date(3000, 1, 1):
                return day
        except ValueError:
            pass
        raise ValidationError("Must be a day such as 2026-11-23.")


class RatesQuery(Schema):
    """What GET …/rates takes."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="to", load_default=None)
    by = fields.Enum(By, by_value=True, load_default=By.DAY)
    notice = Sha256Hex(load_default=None)
    compare_first = Day(data_key="compare_from", load_default=None)
    compare_last = Day(data_key="compare_to", load_default=None)


class ExperimentQuery(Schema):
    """What GET …/experiment takes."""

    experiment = Pattern(_KEY, "Must be the key of an experiment.", load_default=None)


class DashboardQuery(RatesQuery):
    """What the page of the rates takes: it has every split, and its rows are in the order of time."""

    by = fields.Enum(
        By, by_value=True, load_default=By.DAY, validate=OneOf(ALONG, error=f"Must be one of: {', '.join(ALONG)}.")
    )


class CheckpointsQuery(Schema):
    """What GET /ledger/…/checkpoints takes."""

    after = Number(0, 10**18 - 1, load_default=0)
    limit = Number(1, LONGEST_PAGE, load_default=LONGEST_PAGE)


class ConsistencyQuery(Schema):
    """What GET /ledger/…/consistency takes."""

    old = Number(0, 10**18 - 1, data_key="from", required=True)
    new = Number(0, 10**18 - 1, data_key="to", required=True)


class TimestampsQuery(Schema):
    """What GET /ledger/…/timestamps takes. `before` is the number that `next` of the page before names."""

    before = Number(1, 10**18 - 1, load_default=None)
    limit = Number(1, LONGEST_PAGE, load_default=100)


# Made once: a schema made per request costs four times the request's own reading.
SPAN, RECORDS, SEARCH = SpanQuery(), RecordsQuery(), SearchQuery()
SAMPLE, REPLAY, PAGE, CHECKPOINTS = SampleQuery(), ReplayQuery(), PageQuery(), CheckpointsQuery()
EXPERIMENT = ExperimentQuery()
RATES, DASHBOARD, TIMESTAMPS, CONSISTENCY = RatesQuery(), DashboardQuery(), TimestampsQuery(), ConsistencyQuery()


def read_query(schema: Schema, given: MultiDict[str, str]) -> dict[str, Any]:
    """Load an address's parameters. Raises InvalidQuery with a fault for each that is wrong, unknown or repeated."""
    faults = [Fault(pointer(name), "Is given twice.") for name, all_of in given.lists() if len(all_of) > 1]
    values: dict[str, Any] = {}
    try:
        values = schema.load(given.to_dict())
    except ValidationError as error:
        messages: Mapping[str, Any] = error.messages_dict
        faults += [Fault(pointer(name), str(texts[0])) for name, texts in messages.items()]
    since, before = values.get("since"), values.get("before")
    if since and before and since >= before:
        faults.append(Fault("#/to", "Must not lie before `from`."))
    if faults:
        raise InvalidQuery("The parameters have faults; nothing was looked up.", faults)
    return values


def wanted(values: Mapping[str, Any], purposes: list[str]) -> Filter:
    """The filter that parameters say. Raises InvalidQuery for a purpose that the site never had."""
    if values["purpose"] is not None and values["purpose"] not in purposes:
        fault = Fault("#/purpose", f"No notice of this site names it. Known: {', '.join(purposes)}.")
        raise InvalidQuery("The parameters have faults; nothing was looked up.", [fault])
    return Filter(**{name: values[name] for name in Filter.__slots__})


def said(given: MultiDict[str, str]) -> dict[str, str]:
    """Checked parameters as the log of look-ups keeps them."""
    return {name: value for name, value in given.items() if name != "limit"}


def without_empty(given: MultiDict[str, str]) -> MultiDict[str, str]:
    """A form sends each of its fields, also those that were left empty."""
    return MultiDict([(name, value.strip()) for name, value in given.items(multi=True) if value.strip()])


def as_uuid(text: str) -> UUID | None:
    """A UUID of an address's path."""
    try:
        return UUID(text)
    except ValueError:
        return None
