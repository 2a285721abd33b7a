"""What visitors' browsers post, read strictly into frozen answers."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

from marshmallow import Schema, ValidationError, fields, post_load, validate

from consent_server.decisions.rules import Action, Answer, Method
from consent_server.http.fields import Fullmatch, HyphenatedUuid, Sha256Hex, StrictBoolean, StrictInteger

# A SHA-256 in hex, or its first 16 digits or more: enough to look one up, and lighter in every page.
HASH_PREFIX = re.compile(r"[0-9a-f]{16,64}")


HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"  # what RFC 3986 lets a path hold unescaped


LONGEST_ADDRESS = 2000


# How many one page can have seen.
FROM_1_TO_1000 = "Must be a whole number from 1 to 1000."
SEEN = StrictInteger(validate=validate.Range(1, 1000, error=FROM_1_TO_1000), error_messages={"invalid": FROM_1_TO_1000})


class PageUrl(fields.Field[str]):
    """An address without what may identify a visitor: query, fragment and credentials are cut off."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            page = page_address(value)
        except (ValueError, AttributeError, TypeError):
            raise ValidationError("Must be an http or https address.") from None
        if len(page) > LONGEST_ADDRESS:
            raise ValidationError(f"Must be at most {LONGEST_ADDRESS} characters without its query.")
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
    widget = fields.String(
        load_default=None, validate=Fullmatch(HASH_PREFIX, "Must be 16 to 64 lower-case hex digits.")
    )

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

    sent = fields.Dict(keys=fields.String(), values=SEEN, load_default=dict)
    blocked = fields.Dict(keys=fields.String(), values=SEEN, load_default=dict)


# Made once: a schema made per request costs four times the request's own reading.
DECISION_IN = DecisionIn()


SHOWN_IN = ShownIn()


CONVERSIONS_IN = ConversionsIn()
