"""What visitors' browsers post, read strictly into frozen answers."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, missing, post_load, validate

from consent_server.core.hashes import SHA256_HEX
from consent_server.decisions.rules import Action, Answer, AskedAs, Method
from consent_server.http.fields import Fullmatch, HyphenatedUuid, Sha256Hex, StrictBoolean, StrictInteger
from consent_server.sites.rules_notice import UNKNOWN_LANGUAGE

# A visitor's identifier as an answer of this server gave it: a UUID and its tag, or from before there were tags alone.
VISITOR = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(\.[0-9A-Za-z_-]{22})?")


# A SHA-256 in hex, or its first 16 digits or more: enough to look one up, and lighter in every page.
HASH_PREFIX = re.compile(r"[0-9a-f]{16,64}")


HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"  # what RFC 3986 lets a path hold unescaped


LONGEST_ADDRESS = 2000


# RFC 3986, section 3.3. Session ids stand there; a program on the way may have escaped the semicolon.
PATH_PARAMETERS = re.compile("(?:;|%3b)[^/]*", re.IGNORECASE)


HALF_ESCAPE = re.compile(r"%[0-9A-Fa-f]?\Z")


# How many one page can have seen.
FROM_1_TO_1000 = "Must be a whole number from 1 to 1000."
SEEN = StrictInteger(validate=validate.Range(1, 1000, error=FROM_1_TO_1000), error_messages={"invalid": FROM_1_TO_1000})


class PageUrl(fields.Field[str]):
    """An address without what may identify a visitor: query, path parameters, fragment and credentials are cut off."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return page_address(value)
        except (ValueError, AttributeError, TypeError):
            raise ValidationError("Must be an http or https address.") from None


class Dispensable(fields.Field[Any]):
    """A member that is not worth a lost record: where it is odd or missing, `instead` stands for it."""

    def __init__(self, member: fields.Field[Any], instead: Any = None) -> None:
        super().__init__()
        self.member, self._instead = member, instead

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Never raises."""
        try:
            read = self.member.deserialize(value, attr, data, **kwargs)
        except ValidationError:
            read = None
        return self._instead if read is None or read is missing else read


def page_address(url: str) -> str:
    """An address without query, path parameters, fragment and credentials, cut where it is longer than anybody reads.

    Raises ValueError, AttributeError, TypeError.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    if not HOST.fullmatch(host):
        raise ValueError
    port = f":{parts.port}" if parts.port is not None else ""
    path = PATH_PARAMETERS.sub("", parts.path) or "/"
    address = f"{parts.scheme}://{host}{port}{quote(path, safe=PATH_CHARACTERS)}"
    # No half of an escape may stand at the end.
    return address if len(address) <= LONGEST_ADDRESS else HALF_ESCAPE.sub("", address[:LONGEST_ADDRESS])


class DecisionIn(Schema):
    """The body of POST …/decisions.

    Strict where it is about what was decided, names of members included: a misspelt one would be a denial.
    """

    decision_id = HyphenatedUuid(required=True)
    notice = Sha256Hex(required=True)
    action = fields.Enum(Action, by_value=True, required=True)
    method = fields.Enum(Method, by_value=True, required=True)
    grants = fields.Dict(keys=fields.String(), values=StrictBoolean(), required=True)
    vendors = fields.Dict(keys=fields.String(), values=StrictBoolean(), load_default=dict)
    visitor = Dispensable(fields.String(allow_none=True, validate=Fullmatch(VISITOR)))
    change = StrictBoolean(load_default=False)
    language = Dispensable(fields.String(), UNKNOWN_LANGUAGE)
    page = Dispensable(PageUrl(allow_none=True))
    gpc = StrictBoolean(load_default=False)
    widget = Dispensable(fields.String(allow_none=True, validate=Fullmatch(HASH_PREFIX)))
    asked = Dispensable(fields.Enum(AskedAs, by_value=True))

    def load(self, data: Any, **options: Any) -> Any:
        """The answer that a body gives; a usual one is read in a tenth of the time. Raises ValidationError."""
        return (None if options else usual_answer(data)) or super().load(data, **options)

    @post_load
    def to_answer(self, data: dict[str, Any], **_: Any) -> Answer:
        """The command that the use case takes."""
        return Answer(**data)


# The spellings in which a member stands for itself.
USUAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
USUAL_PAGE = re.compile(
    r"https?://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*(?::[1-9][0-9]{0,3})?"
    r"/(?:[A-Za-z0-9/:@!$&'()*+,=~._-]|%(?!3[bB]))*"
)


def usual_answer(body: Mapping[str, Any]) -> Answer | None:
    """What a body says whose members all are as the widget writes them; None of any other, for the schema to read.

    It never says anything else than the schema, nor takes what that refuses.
    """
    if not REQUIRED <= body.keys() <= USUAL.keys():
        return None
    try:
        said = {name: USUAL[name](value) for name, value in body.items()}
    except (TypeError, ValueError):
        return None
    said.setdefault("vendors", {})
    return Answer(**LACKING | said)


def _usual(spelling: re.Pattern[str], value: Any) -> str:
    if spelling.fullmatch(value) and len(value) <= LONGEST_ADDRESS:
        return str(value)
    raise ValueError


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise TypeError


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise TypeError


def _booleans(value: Any) -> dict[str, bool]:
    if type(value) is dict:
        return {key: _boolean(granted) for key, granted in value.items()}
    raise TypeError


USUAL: Mapping[str, Callable[[Any], Any]] = {
    "decision_id": lambda value: UUID(_usual(USUAL_UUID, value)),
    "notice": lambda value: _usual(SHA256_HEX, value),
    "action": Action,
    "method": Method,
    "grants": _booleans,
    "vendors": _booleans,
    "visitor": lambda value: None if value is None else _usual(VISITOR, value),
    "change": _boolean,
    "language": _text,
    "page": lambda value: None if value is None else _usual(USUAL_PAGE, value),
    "gpc": _boolean,
    "widget": lambda value: None if value is None else _usual(HASH_PREFIX, value),
    "asked": lambda value: None if value is None else AskedAs(value),
}
LACKING: dict[str, Any] = {
    "visitor": None, "change": False, "language": UNKNOWN_LANGUAGE, "page": None, "gpc": False, "widget": None,
    "asked": None,
}  # fmt: skip
REQUIRED = frozenset(name for name, field in DecisionIn().fields.items() if field.required)


class ShownIn(Schema):
    """The body of POST …/shown."""

    notice = Sha256Hex(required=True)
    language = Dispensable(fields.String(), UNKNOWN_LANGUAGE)
    asked = Dispensable(fields.Enum(AskedAs, by_value=True), AskedAs.FIRST)
    arrival = Dispensable(StrictBoolean(), False)


class ConversionsIn(Schema):
    """The body of POST …/conversions: how many of each vendor since the page was opened."""

    notice = Sha256Hex(required=True)
    language = Dispensable(fields.String(), UNKNOWN_LANGUAGE)

    sent = fields.Dict(keys=fields.String(), values=SEEN, load_default=dict)
    blocked = fields.Dict(keys=fields.String(), values=SEEN, load_default=dict)


class PageLoadIn(Schema):
    """The body of POST …/page-loads: which vendors may run in a page, and whether its banner is answered."""

    notice = Sha256Hex(required=True)
    language = Dispensable(fields.String(), UNKNOWN_LANGUAGE)
    answered = StrictBoolean(required=True)
    granted = fields.List(fields.String(), required=True, validate=validate.Length(max=50))


# Made once: a schema made per request costs four times the request's own reading.
DECISION_IN = DecisionIn()


SHOWN_IN = ShownIn()


CONVERSIONS_IN = ConversionsIn()


PAGE_LOAD_IN = PageLoadIn()
