"""Request bodies, read strictly into frozen commands."""

import re
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate

from consent_server.core.canonical import decode_strict
from consent_server.core.errors import Fault, InvalidProof, MalformedBody
from consent_server.decisions.rules import Action, Answer, Method

SHA256 = re.compile(r"[0-9a-f]{64}")
HASH_PREFIX = re.compile(r"[0-9a-f]{16,64}")
LONGEST_PAGE = 2000
HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"  # what RFC 3986 lets a path hold unescaped


class StrictBoolean(fields.Field[bool]):
    """True or false and nothing else: "yes" and 1 are not consent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value is True or value is False:
            return value
        raise ValidationError("Must be true or false.")


class Count(fields.Field[int]):
    """A whole number from 1 to 1000: what one page can have seen."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int or not 1 <= value <= 1000:
            raise ValidationError("Must be a whole number from 1 to 1000.")
        return value


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


class Sha256Hex(fields.Field[str]):
    """64 lower-case hex digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not SHA256.fullmatch(value):
            raise ValidationError("Must be 64 lower-case hex digits.")
        return value


class HashPrefix(validate.Validator):
    """A SHA-256 in hex, or its first 16 digits or more: enough to look one up, and lighter in every page."""

    def __call__(self, value: str) -> str:
        if not HASH_PREFIX.fullmatch(value):
            raise ValidationError("Must be 16 to 64 lower-case hex digits.")
        return value


class PageUrl(fields.Field[str]):
    """An address without what may identify a visitor: query, fragment and credentials are cut off."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            page = page_address(value)
        except (ValueError, AttributeError, TypeError):
            raise ValidationError("Must be an http or https address.") from None
        if len(page) > LONGEST_PAGE:
            raise ValidationError(f"Must be at most {LONGEST_PAGE} characters without its query.")
        return page


def page_address(url: str) -> str:
    """An address without query, fragment and credentials. Raises ValueError, AttributeError, TypeError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    if not HOST.fullmatch(host):
        raise ValueError
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}{quote(parts.path or '/', safe=PATH_CHARACTERS)}"


class DecisionIn(Schema):
    """The body of POST …/decisions."""

    decision_id = HyphenatedUuid(required=True)
    notice = Sha256Hex(required=True)
    action = fields.Enum(Action, by_value=True, required=True)
    method = fields.Enum(Method, by_value=True, required=True)
    grants = fields.Dict(keys=fields.String(), values=StrictBoolean(), required=True)
    vendors = fields.Dict(keys=fields.String(), values=StrictBoolean(), load_default=dict)
    visitor = HyphenatedUuid(allow_none=True, load_default=None)
    change = StrictBoolean(load_default=False)
    language = fields.String(required=True, validate=validate.Length(max=16))
    page = PageUrl(required=True)
    gpc = StrictBoolean(load_default=False)
    widget = fields.String(load_default=None, validate=HashPrefix())

    @post_load
    def to_answer(self, data: dict[str, Any], **_: Any) -> Answer:
        """The command that the use case takes."""
        return Answer(**data)


class ShownIn(Schema):
    """The body of POST …/shown."""

    notice = Sha256Hex(required=True)
    language = fields.String(required=True, validate=validate.Length(max=16))


class ConversionsIn(ShownIn):
    """The body of POST …/conversions: how many of each vendor since the page was opened."""

    sent = fields.Dict(keys=fields.String(), values=Count(), load_default=dict)
    blocked = fields.Dict(keys=fields.String(), values=Count(), load_default=dict)


class VerifyIn(Schema):
    """The body of POST /v1/receipts/verify."""

    receipt = fields.String(required=True)


# Made once: a schema made per request costs four times the request's own reading.
DECISION_IN = DecisionIn()
SHOWN_IN = ShownIn()
CONVERSIONS_IN = ConversionsIn()
VERIFY_IN = VerifyIn()


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
        raise MalformedBody("The body has fields that cannot be read; nothing was recorded.", faults) from error


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
