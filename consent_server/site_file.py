"""The site file: TOML in, a complete declaration out, or every fault with its place (docs/formats/site.md)."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from consent_server import catalogue
from consent_server.domain import fairness
from consent_server.domain.duration import duration_days
from consent_server.domain.errors import Fault, InvalidSiteFile
from consent_server.domain.signals import CONSENT_TYPES, PURPOSE_SIGNALS, gpc_covers
from consent_server.widget_build import adapter_names

KEY = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LOOPBACK = r"(127\.0\.0\.1|localhost|\[::1\])"
ORIGIN = rf"https://[a-z0-9.-]+(:[0-9]{{1,5}})?|https?://{LOOPBACK}(:([0-9]{{1,5}}|\*))?"
URL = rf"https://[^\s/]+\S*|http://{LOOPBACK}(:[0-9]{{1,5}})?(/\S*)?"
CONTACT = r"[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+"
LONGEST_PROOF_DAYS = 5 * 366
GENERIC_NAMES = ("uuid", "session", "token", "user")
TEXT_LIMITS = {
    "title": 80, "intro": 400, "accept": 40, "refuse": 40, "customise": 40, "privacy": 60,
    "cookies": 60, "saved": 120, "placeholder": 200, "once": 40, "always": 80,
}  # fmt: skip
UNKNOWN = "is not known"


class Fullmatch(validate.Validator):
    """The whole value matches: marshmallow's own Regexp lets a trailing newline pass."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def __call__(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValidationError(f'"{value}" does not match {self.pattern}')
        return value


class Text(fields.String):
    """One line of plain text of a limited length."""

    def __init__(self, longest: int, shortest: int = 1, pattern: str | None = None, **kwargs: Any) -> None:
        rules: list[Any] = [self._one_line, self._length]
        super().__init__(validate=rules + ([Fullmatch(pattern)] if pattern else []), **kwargs)
        self.longest, self.shortest = longest, shortest

    def _length(self, value: str) -> None:
        if not self.shortest <= len(value) <= self.longest:
            raise ValidationError(f"has {len(value)} characters; {self.shortest} to {self.longest} are allowed")

    @staticmethod
    def _one_line(value: str) -> None:
        if not value.isprintable() and any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise ValidationError("has control characters; one line of plain text is expected")


class Whole(fields.Integer):
    """A TOML integer: neither a string nor a boolean is read as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"a whole number is expected, {value!r} was found")
        return value


class TomlDate(fields.Field[date]):
    """A TOML local date."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if type(value) is not date:
            raise ValidationError(f"a date such as 2026-03-01 is expected, {value!r} was found")
        return value


class ControllerSchema(Schema):
    name = Text(120, required=True)
    address = Text(200, required=True)
    contact = Text(200, pattern=CONTACT, required=True)
    registration = Text(80)
    country = Text(2, pattern="[A-Z]{2}")
    phone = Text(40, pattern=r"\+?[0-9][0-9 ().-]{3,}")


class DpoSchema(Schema):
    name = Text(120, required=True)
    contact = Text(200, pattern=CONTACT, required=True)
    role = Text(80)


class AuthoritySchema(Schema):
    name = Text(120, required=True)
    url = Text(2000, pattern=URL, required=True)
    country = Text(2, pattern="[A-Z]{2}")


class PolicyVersionSchema(Schema):
    version = Text(40, required=True)
    date = TomlDate(required=True)
    changed = fields.List(Text(40), load_default=list)


class PolicySchema(Schema):
    url = Text(2000, pattern=URL, required=True)
    version = Text(40, required=True)
    versions = fields.List(fields.Nested(PolicyVersionSchema), load_default=list)


class PoliciesSchema(Schema):
    privacy = fields.Nested(PolicySchema, required=True)
    cookies = fields.Nested(PolicySchema, required=True)


class ColoursSchema(Schema):
    accent = Text(7, pattern="#[0-9a-fA-F]{6}", load_default="#3b5bdb")


class BannerSchema(Schema):
    layout = fields.String(validate=validate.OneOf(["bar", "box", "dialog"]), load_default="bar")
    colours = fields.Nested(ColoursSchema, load_default=lambda: {"accent": "#3b5bdb"})


TextsSchema = Schema.from_dict({key: Text(longest) for key, longest in TEXT_LIMITS.items()}, name="TextsSchema")


class CookieSchema(Schema):
    name = Text(80, required=True)
    storage = fields.String(required=True, validate=validate.OneOf(["cookie", "local", "session"]))
    lifetime = Whole(validate=validate.Range(min=1))
    expiry = fields.String(validate=validate.OneOf(["session", "none"]))
    purpose = fields.String(required=True)
    host = Text(253, pattern=r"[a-z0-9.-]+")
    deletable = fields.Boolean(truthy={True}, falsy={False}, load_default=True)


class PartySchema(Schema):
    name = Text(120, required=True)
    address = Text(200, required=True)
    country = Text(2, pattern="[A-Z]{2}", required=True)
    role = Text(80)


class TransferSchema(Schema):
    mechanism = fields.String(required=True, validate=validate.OneOf(["adequacy", "scc"]))
    reference = Text(80, required=True)


class DeclaredSchema(Schema):
    name = Text(120, required=True)
    address = Text(200, required=True)


class VendorSchema(Schema):
    key = Text(63, pattern=KEY, required=True)
    id = Text(80)
    conversions = fields.Dict(keys=Text(40, pattern="[a-z][a-z0-9_]*"), values=Text(64), load_default=dict)
    purposes = fields.List(fields.String(), validate=validate.Length(min=1))
    declared = fields.Nested(DeclaredSchema)
    cookies = fields.List(fields.Nested(CookieSchema), load_default=list)
    name = Text(80)
    policy_url = Text(2000, pattern=URL)
    operator = fields.Nested(PartySchema)
    other_entities = fields.List(fields.Nested(PartySchema))
    transfer = fields.Nested(TransferSchema)
    hosts = fields.List(Text(253, pattern=r"(\*\.)?[a-z0-9.-]+"))


class PurposeTextsSchema(Schema):
    title = Text(60, required=True)
    phrase = Text(60, required=True)
    text = Text(250, required=True)


class PurposeSchema(Schema):
    signals = fields.List(fields.String(validate=validate.OneOf(CONSENT_TYPES[:-1])), load_default=list)
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(PurposeTextsSchema), required=True)


class SiteSchema(Schema):
    key = Text(63, pattern=KEY, required=True)
    name = Text(80, required=True)
    origins = fields.List(Text(300, pattern=ORIGIN), required=True, validate=validate.Length(min=1, max=50))
    languages = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    default_language = fields.String()
    mode = fields.String(validate=validate.OneOf(["basic", "advanced"]), load_default="basic")
    choice_days = Whole(load_default=180)
    proof_retention = fields.String(load_default="P3Y")
    controller = fields.Nested(ControllerSchema, required=True)
    dpo = fields.Nested(DpoSchema)
    authority = fields.Nested(AuthoritySchema)
    policy = fields.Nested(PoliciesSchema, required=True)
    banner = fields.Nested(BannerSchema, load_default=lambda: {"layout": "bar", "colours": {"accent": "#3b5bdb"}})
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(TextsSchema), load_default=dict)
    purposes = fields.Dict(keys=Text(63, pattern=KEY), values=fields.Nested(PurposeSchema), load_default=dict)
    vendors = fields.List(fields.Nested(VendorSchema), required=True, validate=validate.Length(min=1, max=50))


def read_site_file(text: str) -> dict[str, Any]:
    """The declaration of a site, complete with its vendors' catalogue entries.

    Raises InvalidSiteFile with every fault; its places are paths in the file.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSiteFile("The site file is refused.", [Fault("TOML", str(error))]) from error
    try:
        declared: dict[str, Any] = SiteSchema().load(document)
        faults: list[Fault] = []
    except ValidationError as error:
        declared = error.valid_data if isinstance(error.valid_data, dict) else {}
        faults = list(_flatten(error.messages, ""))
    if declared.get("languages"):
        declared.setdefault("default_language", declared["languages"][0])
    form_faults = {fault.pointer for fault in faults}
    for check in (_language_faults, _time_faults, _policy_faults, _purpose_faults, _vendor_faults):
        faults += [fault for fault in _found(check, declared, bool(faults)) if fault.pointer not in form_faults]
    if faults:
        raise InvalidSiteFile("The site file is refused.", faults)
    declared["vendors"] = [complete_vendor(vendor) for vendor in declared["vendors"]]
    return declared


def _found(
    check: Callable[[Mapping[str, Any]], Iterator[Fault]], declared: Mapping[str, Any], partial: bool
) -> Iterator[Fault]:
    try:
        yield from check(declared)
    except (KeyError, TypeError):
        # Where the form is at fault, a check may miss what it reads. That is named already.
        if not partial:
            raise


def complete_vendor(declared: Mapping[str, Any]) -> dict[str, Any]:
    """A vendor's catalogue entry under what the site says of it; cookies add up."""
    entry = catalogue.vendors().get(declared["key"], {})
    return {**entry, **declared, "cookies": [*entry.get("cookies", []), *declared["cookies"]]}


def _flatten(messages: Any, place: str) -> Iterator[Fault]:
    if not isinstance(messages, dict):
        for message in messages if isinstance(messages, list) else [messages]:
            yield Fault(place, _plain(message, place))
        return
    for key, inner in messages.items():
        # A dictionary field reports on its keys and values under these two names.
        if key in ("key", "value") and isinstance(inner, list if key == "key" else object) and _is_entry(place):
            yield from _flatten(inner, place)
        else:
            yield from _flatten(inner, f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip("."))


def _is_entry(place: str) -> bool:
    return bool(re.fullmatch(r"texts\.[^.]+|purposes\.[^.]+(\.texts\.[^.]+)?|vendors\[\d+\]\.conversions\..+", place))


def _plain(message: str, place: str) -> str:
    if message == "Unknown field.":
        parent, _, key = place.rpartition(".")
        return fairness.broken_by_key(parent, key) or UNKNOWN
    if message == "Missing data for required field.":
        return "is missing"
    return message


def _language_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    languages = declared["languages"]
    for index, language in enumerate(languages):
        if language not in catalogue.locales():
            known = ", ".join(catalogue.locales())
            yield Fault(f"languages[{index}]", f'"{language}" is not shipped; there are {known}')
        elif language in languages[:index]:
            yield Fault(f"languages[{index}]", f'"{language}" is there twice')
    if declared["default_language"] not in languages:
        yield Fault("default_language", f'"{declared["default_language"]}" is not one of languages')
    for language, overridden in declared["texts"].items():
        if language not in languages:
            yield Fault(f"texts.{language}", "is not one of languages")
        elif language in catalogue.locales():
            shown = {**catalogue.locales()[language]["banner"], **overridden}
            yield from fairness.text_faults(language, shown, overridden)


def _time_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    days = declared["choice_days"]
    if days < 1:
        yield Fault("choice_days", f"{days} is less than 1")
    if days > 395:
        yield Fault("choice_days", f"{days} is more than 395 (no-hurry)")
    proof = duration_days(declared["proof_retention"])
    if proof is None:
        yield Fault("proof_retention", f'"{declared["proof_retention"]}" is not a duration such as P3Y')
    elif not days <= proof <= LONGEST_PROOF_DAYS:
        yield Fault("proof_retention", "must be at least choice_days and at most P5Y")


def _policy_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    for name, policy in declared["policy"].items():
        versions = policy["versions"]
        if versions and versions[0]["version"] != policy["version"]:
            yield Fault(f"policy.{name}.versions[0].version", f'is not the one in force, "{policy["version"]}"')
        for index, (newer, older) in enumerate(pairwise(versions), start=1):
            if older["date"] > newer["date"]:
                yield Fault(f"policy.{name}.versions[{index}].date", "is later than the one above it")
        seen = [version["version"] for version in versions]
        for index, version in enumerate(seen):
            if version in seen[:index]:
                yield Fault(f"policy.{name}.versions[{index}].version", f'"{version}" is there twice')


def _purpose_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    for key, purpose in declared["purposes"].items():
        if key in PURPOSE_SIGNALS or key == "necessary":
            yield Fault(f"purposes.{key}", "is built in; take another key for a purpose of your own")
        for language in declared["languages"]:
            if language not in purpose["texts"]:
                yield Fault(f"purposes.{key}.texts.{language}", "is missing")
        for language in purpose["texts"]:
            if language not in declared["languages"]:
                yield Fault(f"purposes.{key}.texts.{language}", "is not one of languages")


def _vendor_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, vendor in enumerate(declared["vendors"]):
        place = f"vendors[{index}]"
        if vendor["key"] in seen:
            yield Fault(f"{place}.key", f'"{vendor["key"]}" is there twice')
        seen.add(vendor["key"])
        entry = catalogue.vendors().get(vendor["key"])
        yield from (_own_vendor_faults(place, vendor) if entry is None else _known_vendor_faults(place, vendor, entry))
        yield from _regrouping_faults(place, vendor, entry or {}, declared["purposes"])
        for number, cookie in enumerate(vendor["cookies"]):
            yield from _cookie_faults(f"{place}.cookies[{number}]", cookie)


def _known_vendor_faults(place: str, vendor: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("name", "policy_url", "operator", "other_entities", "transfer", "hosts"):
        if key in vendor:
            yield Fault(f"{place}.{key}", "stands in the catalogue; use declared for what your policy says")
    identifier = vendor.get("id")
    if identifier is None:
        if entry.get("adapter") in adapter_names():
            yield Fault(f"{place}.id", "is missing")
    elif not re.fullmatch(entry.get("id_pattern", ""), identifier):
        yield Fault(f"{place}.id", f'"{identifier}" does not match {entry.get("id_pattern", "(no id is used)")}')
    pattern = entry.get("conversion_pattern")
    for name, label in vendor["conversions"].items():
        if pattern is None:
            yield Fault(f"{place}.conversions.{name}", "this vendor has no conversions")
        elif not re.fullmatch(pattern, label):
            yield Fault(f"{place}.conversions.{name}", f'"{label}" does not match {pattern}')


def _own_vendor_faults(place: str, vendor: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("name", "purposes", "policy_url", "operator"):
        if key not in vendor:
            yield Fault(f"{place}.{key}", f'is missing: "{vendor["key"]}" is not in the catalogue')
    for key in ("id", "declared"):
        if key in vendor:
            yield Fault(f"{place}.{key}", UNKNOWN)
    if vendor["conversions"]:
        yield Fault(f"{place}.conversions", "this vendor has no conversions")


def _regrouping_faults(
    place: str, vendor: Mapping[str, Any], entry: Mapping[str, Any], own: Mapping[str, Any]
) -> Iterator[Fault]:
    for index, purpose in enumerate(vendor.get("purposes", [])):
        if purpose not in PURPOSE_SIGNALS and purpose not in own:
            yield Fault(f"{place}.purposes[{index}]", f'"{purpose}" is no purpose; define [purposes.{purpose}]')
        elif entry.get("purposes") == ["advertising"]:
            signals = PURPOSE_SIGNALS.get(purpose) or tuple(own.get(purpose, {}).get("signals", ()))
            if not gpc_covers(tuple(signals)):
                yield Fault(f"{place}.purposes[{index}]", "Global Privacy Control must cover it (true-purpose)")


def _cookie_faults(place: str, cookie: Mapping[str, Any]) -> Iterator[Fault]:
    if ("lifetime" in cookie) == ("expiry" in cookie):
        yield Fault(f"{place}.lifetime", "give either lifetime or expiry")
    words = catalogue.locales()["en"]["cookie_purposes"]
    if cookie["purpose"] not in words:
        yield Fault(f"{place}.purpose", f'"{cookie["purpose"]}" is none of {", ".join(words)}')
    if "host" in cookie:
        return
    stem = cookie["name"].removesuffix("*")
    taken = "eu-consent".startswith(stem) if cookie["name"].endswith("*") else stem == "eu-consent"
    if len(stem) < 4 or stem.lower() in GENERIC_NAMES or taken:
        yield Fault(f"{place}.name", f'"{cookie["name"]}" may be the site\'s own and would be deleted')
