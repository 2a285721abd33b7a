"""Field types that read strictly, and the two readers: of bodies and of addresses."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from consent_server.core.canonical import decode_strict
from consent_server.core.errors import Fault, InvalidProof, InvalidQuery, MalformedBody, pointer
from consent_server.core.hashes import SHA256_HEX


class StrictBoolean(fields.Field[bool]):
    """True or false and nothing else: "yes" and 1 are not consent."""

    default_error_messages = {"invalid": "Must be true or false."}  # noqa: RUF012  marshmallow's own way

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise self.make_error("invalid", input=value)
        return value


class StrictInteger(fields.Field[int]):
    """A whole number, and neither "1", 1.0 nor true."""

    default_error_messages = {"invalid": "Must be a whole number."}  # noqa: RUF012  marshmallow's own way

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Fullmatch(validate.Validator):
    """The whole value matches: marshmallow's own Regexp lets a trailing newline pass."""

    def __init__(self, pattern: str | re.Pattern[str], says: str = '"{input}" does not match {pattern}') -> None:
        self.pattern, self.says = re.compile(pattern), says

    def __call__(self, value: str) -> str:
        if not self.pattern.fullmatch(value):
            raise ValidationError(self.says.format(input=value, pattern=self.pattern.pattern))
        return value


class Pattern(fields.String):
    """Text of one form."""

    def __init__(self, pattern: re.Pattern[str], says: str, **kwargs: Any) -> None:
        super().__init__(validate=Fullmatch(pattern, says), error_messages={"invalid": says}, **kwargs)


class Sha256Hex(Pattern):
    """64 lower-case hex digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(SHA256_HEX, "Must be 64 lower-case hex digits.", **kwargs)


class HyphenatedUuid(fields.Field[UUID]):
    """A UUID in its one usual spelling (RFC 9562, section 4)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        try:
            found = UUID(value)
        except (ValueError, AttributeError, TypeError):
            raise ValidationError("Must be a UUID.") from None
        if str(found) != value.lower():
            raise ValidationError("Must be a UUID in the form 8-4-4-4-12.")
        return found


def read_body(schema: Schema, body: bytes) -> Any:
    """Load a JSON body. Raises MalformedBody, with a JSON Pointer for each field at fault."""
    try:
        document = decode_strict(body)
    except InvalidProof as error:
        raise MalformedBody(error.detail) from error
    if not isinstance(document, dict):
        raise MalformedBody("The body must be a JSON object.")
    try:
        return schema.load(document)
    except ValidationError as error:
        faults = list(_faults(error.messages_dict, "#"))
        raise MalformedBody("The body has invalid fields; nothing was recorded.", faults) from error


def _faults(messages: Any, pointer: str) -> list[Fault]:
    if isinstance(messages, dict):
        found: list[Fault] = []
        for key, inner in messages.items():
            # marshmallow reports on a map's entries as {entry: {"key"|"value": …}}.
            entry = pointer.count("/") == 2 and key in ("key", "value")
            place = pointer if entry else f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            found += _faults(inner, place)
        return found
    return [Fault(pointer, str(message)) for message in messages]


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Days on which something can have been counted.
COUNTED_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")


_TIME = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")


_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class Moment(fields.Field[date]):
    """A day, which begins when the site's clock says so, or an RFC 3339 time. A day as an end is the one after it."""

    def __init__(self, end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.end = end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if _DAY.fullmatch(value):
                return date.fromisoformat(value) + timedelta(days=self.end)
            if _TIME.fullmatch(value):
                return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValidationError("Must be a day such as 2026-11-23, or a time with its offset: 2026-11-23T17:00:00Z.")


class Day(fields.Field[date]):
    """A day on the site's own clock, of the years 2000 to 2999."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if COUNTED_DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValidationError("Must be a day such as 2026-11-23.")


class Number(fields.Field[int]):
    """A plain decimal number within bounds."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not _NUMBER.fullmatch(value) or not self.low <= int(value) <= self.high:
            raise ValidationError(f"Must be a number from {self.low} to {self.high}.")
        return int(value)


def read_query(schema: Schema, given: MultiDict[str, str]) -> dict[str, Any]:
    """Load an address's parameters. Raises InvalidQuery with a fault for each that is wrong, unknown or repeated."""
    faults = [Fault(pointer(name), "Must be given only once.") for name, all_of in given.lists() if len(all_of) > 1]
    values: dict[str, Any] = {}
    try:
        values = schema.load(given.to_dict())
    except ValidationError as error:
        messages: Mapping[str, Any] = error.messages_dict
        faults += [Fault(pointer(name), str(texts[0])) for name, texts in messages.items()]
    if faults:
        raise InvalidQuery("The query parameters are invalid; nothing was looked up.", faults)
    return values


def without_empty(given: MultiDict[str, str]) -> MultiDict[str, str]:
    """A form sends each of its fields, also those that were left empty."""
    return MultiDict([(name, value.strip()) for name, value in given.items(multi=True) if value.strip()])


def as_uuid(text: str) -> UUID | None:
    """A UUID of an address's path."""
    try:
        return UUID(text)
    except ValueError:
        return None


LONGEST_PAGE = 1000
# Of a column that is an INTEGER on PostgreSQL.
LARGEST_NUMBER = 2**31 - 1
# Of one that is a BIGINT, as far as every reader of JSON has it exactly (RFC 8259, section 6).
LARGEST_SIZE = 2**53 - 1


def row_number(text: str) -> int | None:
    """The number of a row as an address has it; None for what can be none's."""
    # Python refuses to read a number of thousands of digits.
    number = int(text) if re.fullmatch("[0-9]{1,10}", text) else LARGEST_NUMBER + 1
    return number if number <= LARGEST_NUMBER else None


KEY = re.compile(r"[a-z0-9-]{1,63}")


class SpanQuery(Schema):
    """A span of time: what GET …/evidence takes."""

    since = Moment(data_key="from", load_default=None)
    before = Moment(end=True, data_key="to", load_default=None)
