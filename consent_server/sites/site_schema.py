"""The form of a site file, as schemas (docs/formats/site.md). site_file.py checks what the values mean."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from consent_server.core.rules_address import read_host
from consent_server.core.rules_text import normal_text, text_fault
from consent_server.http.fields import Fullmatch, StrictBoolean, StrictInteger
from consent_server.sites import catalogue
from consent_server.sites.rules_notice import FIRST_STORAGE, LATER_STORAGE
from consent_server.sites.rules_origin import read_origin
from consent_server.sites.rules_places import Rule
from consent_server.sites.rules_signals import CONSENT_TYPES
from consent_server.sites.rules_site import KEY, SAMPLE
from consent_server.sites.widget_code import layout_names

LOOPBACK = r"(127\.0\.0\.1|localhost|\[::1\])"
URL = rf"https://[^\s/]+\S*|http://{LOOPBACK}(:[0-9]{{1,5}})?(/\S*)?"
# What a value is not, said with one that would be right: whoever reads a refusal knows no patterns.
NO_URL = '"{input}" is not an address that begins with https://'
NO_KEY = '"{input}" is not a key of small letters, digits and single hyphens, such as my-shop'
NO_COUNTRY = '"{input}" is not the code of a country, such as FR'
NO_PHONE = '"{input}" is not a telephone number such as +33 1 23 45 67 89'
NO_COLOUR = '"{input}" is not a colour such as #3b5bdb'
NO_LOGO = '"{input}" is neither an address that begins with https:// nor the data: of a PNG, SVG or WebP'
NO_CONVERSION = '"{input}" is not a name of small letters, digits and _, such as sign_up'
NO_REGION = '"{input}" is not the code of a region, such as FR or US-CA'
NO_LAYER = '"{input}" is not a name of JavaScript, such as dataLayer'
NO_CONTACT = '"{input}" is neither an e-mail address nor an https address'
CONTACT = r"[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+"
LONGEST_LIFETIME = 100 * 365 * 86_400
COLOUR, ACCENT = "#[0-9a-fA-F]{6}", "#3b5bdb"
# In an img element no script of an SVG runs. A page loads the data with its banner, so they are few.
LOGO_DATA = "data:image/(png|svg\\+xml|webp);base64,[A-Za-z0-9+/]+={0,2}"
LONGEST_LOGO = 4096
LAYOUTS = sorted(layout_names())
RECIPIENT_KINDS = ("messaging", "hosting", "payment", "email", "other")
# In a site file, what stands there is said as well.
WHOLE: dict[str, Any] = {"invalid": "a whole number is expected, {input!r} was found"}
TRUE_OR_FALSE: dict[str, Any] = {"invalid": "true or false is expected, {input!r} was found"}
TEXT_LIMITS = {
    "title": 80, "intro": 400, "accept": 40, "refuse": 40, "customise": 40, "privacy": 60,
    "cookies": 60, "saved": 120, "placeholder": 200, "once": 40, "always": 80,
    "placeholder_purpose": 200, "always_purpose": 80,
}  # fmt: skip


class OneOf(validate.Validator):
    """One of a few words; the fault says what was found."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, value: str) -> str:
        if value not in self.words:
            raise ValidationError(f'"{value}" is not one of {", ".join(self.words)}')
        return value


class Text(fields.String):
    """One line of plain text of a limited length, in one form."""

    def __init__(
        self, longest: int, shortest: int = 1, pattern: str | None = None, says: str = "", **kwargs: Any
    ) -> None:
        rules: list[Any] = [self._one_line, self._length]
        super().__init__(validate=rules + ([Fullmatch(pattern, says)] if pattern else []), **kwargs)
        self.longest, self.shortest = longest, shortest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, (int, float, date)):
            raise ValidationError(f'text in quotes is expected: "{value}"')
        return normal_text(super()._deserialize(value, attr, data, **kwargs))

    def _length(self, value: str) -> None:
        if not self.shortest <= len(value) <= self.longest:
            raise ValidationError(f"has {len(value)} characters; {self.shortest} to {self.longest} are allowed")

    @staticmethod
    def _one_line(value: str) -> None:
        if fault := text_fault(value):
            raise ValidationError(fault)


Key = partial(Text, 63, pattern=KEY.pattern, says=NO_KEY)
Url = partial(Text, 2000, pattern=URL, says=NO_URL)
Country = partial(Text, 2, pattern="[A-Z]{2}", says=NO_COUNTRY)
Colour = partial(Text, 7, pattern=COLOUR, says=NO_COLOUR)
ConversionName = partial(Text, 40, pattern="[a-z][a-z0-9_]*", says=NO_CONVERSION)
RegionCode = partial(Text, 6, pattern="[A-Z]{2}(-[A-Z0-9]{1,3})?", says=NO_REGION)


class Version(Text):
    """The name of a version: often a date, which TOML reads as one where it is not quoted."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        given = value.isoformat() if isinstance(value, date) else value
        return super()._deserialize(given, attr, data, **kwargs)


class Address(Text):
    """A host or an origin, in the spelling that browsers use."""

    def __init__(self, longest: int, read: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(longest, **kwargs)
        self.read = read

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.read(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            raise error if isinstance(error, ValidationError) else ValidationError(str(error)) from error


def _cookie_domain(given: str) -> str:
    domain = read_host(given)
    if "." not in domain or given.startswith("[") or domain.rpartition(".")[2].isdigit():
        raise ValueError(f'"{given}" is not a domain such as shop.example')
    return domain


def _vendor_host(given: str) -> str:
    """As the catalogue's: `*.` stands for one or more labels."""
    return ("*." if given.startswith("*.") else "") + read_host(given.removeprefix("*."))


def _shipped(language: str) -> None:
    if language not in catalogue.locales():
        raise ValidationError(f'"{language}" is not available; there are {", ".join(catalogue.locales())}')


def _lifetime(seconds: int) -> None:
    if not 1 <= seconds <= LONGEST_LIFETIME:
        raise ValidationError(f"{seconds} is not between 1 and {LONGEST_LIFETIME} seconds")


def _radius(pixels: int) -> None:
    if not 0 <= pixels <= 24:
        raise ValidationError(f"{pixels} is not between 0 and 24 pixels")


class Day(fields.Field[date]):
    """A day: TOML's local date, or the same in quotes."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if isinstance(value, str) and len(value) == len("2026-03-01"):
                return date.fromisoformat(value)
        except ValueError:
            pass
        if type(value) is not date:
            raise ValidationError(f"a date such as 2026-03-01 is expected, {value!r} was found")
        return value


class ControllerSchema(Schema):
    name = Text(120, required=True)
    address = Text(200, required=True)
    contact = Text(200, pattern=CONTACT, says=NO_CONTACT, required=True)
    registration = Text(80)
    country = Country()
    phone = Text(40, pattern=r"\+?[0-9][0-9 ().-]{3,}", says=NO_PHONE)


class DpoSchema(Schema):
    name = Text(120, required=True)
    contact = Text(200, pattern=CONTACT, says=NO_CONTACT, required=True)
    role = Text(80)


class AuthoritySchema(Schema):
    name = Text(120, required=True)
    url = Url(required=True)
    country = Country()


class PolicyVersionSchema(Schema):
    version = Version(40, required=True)
    date = Day(required=True)
    changed = fields.List(Text(40), load_default=list)


class PolicyUrl(fields.Field[Any]):
    """One address for all languages, or a table of one for each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.one = Url()
        self.each = fields.Dict(keys=fields.String(), values=self.one, validate=validate.Length(min=1))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return (self.each if isinstance(value, dict) else self.one).deserialize(value, attr, data)


class PolicySchema(Schema):
    url = PolicyUrl(required=True)
    version = Version(40, required=True)
    versions = fields.List(fields.Nested(PolicyVersionSchema), load_default=list)


class PoliciesSchema(Schema):
    privacy = fields.Nested(PolicySchema, required=True)
    cookies = fields.Nested(PolicySchema, required=True)


class DarkColoursSchema(Schema):
    accent = Colour()
    surface = Colour()
    text = Colour()


class ColoursSchema(DarkColoursSchema):
    accent = Colour(load_default=ACCENT)
    dark = fields.Nested(DarkColoursSchema)


class LogoSchema(Schema):
    url = Text(LONGEST_LOGO, pattern=rf"{LOGO_DATA}|{URL}", says=NO_LOGO, required=True)
    alt = Text(80, shortest=0, required=True)


class BannerSchema(Schema):
    layout = fields.String(validate=OneOf(*LAYOUTS), load_default="bar")
    corner = fields.String(validate=OneOf("start", "end"), load_default="start")
    scheme = fields.String(validate=OneOf("auto", "light", "dark"), load_default="auto")
    font = fields.String(validate=OneOf("system", "page"), load_default="system")
    radius = StrictInteger(error_messages=WHOLE, validate=_radius, load_default=9)
    colours = fields.Nested(ColoursSchema, load_default=lambda: {"accent": ACCENT})
    logo = fields.Nested(LogoSchema)


TextsSchema = Schema.from_dict({key: Text(longest) for key, longest in TEXT_LIMITS.items()}, name="TextsSchema")


class CookieSchema(Schema):
    name = Text(80, required=True)
    storage = fields.String(required=True, validate=OneOf(*FIRST_STORAGE, *LATER_STORAGE))
    lifetime = StrictInteger(error_messages=WHOLE, validate=_lifetime)
    expiry = fields.String(validate=OneOf("session", "none"))
    purpose = fields.String(required=True)
    host = Address(253, read_host)
    deletable = StrictBoolean(error_messages=TRUE_OR_FALSE, load_default=True)


class PartySchema(Schema):
    name = Text(120, required=True)
    address = Text(200, required=True)
    country = Country(required=True)
    role = Text(80)


class TransferSchema(Schema):
    mechanism = fields.String(required=True, validate=OneOf("adequacy", "scc"))
    reference = Text(80, required=True)


class DeclaredSchema(Schema):
    name = Text(120, required=True)
    address = Text(200, required=True)


class VendorSchema(Schema):
    key = Key(required=True)
    id = Text(80)
    conversions = fields.Dict(keys=ConversionName(), values=Text(64), load_default=dict)
    purposes = fields.List(fields.String(), validate=validate.Length(min=1))
    declared = fields.Nested(DeclaredSchema)
    cookies = fields.List(fields.Nested(CookieSchema), load_default=list)
    name = Text(80)
    policy_url = Url()
    operator = fields.Nested(PartySchema)
    other_entities = fields.List(fields.Nested(PartySchema))
    transfer = fields.Nested(TransferSchema)
    hosts = fields.List(Address(253, _vendor_host))


class RecipientSchema(Schema):
    name = Text(80, required=True)
    kind = fields.String(required=True, validate=OneOf(*RECIPIENT_KINDS))
    operator = fields.Nested(PartySchema, required=True)
    declared = fields.Nested(DeclaredSchema)
    policy_url = Url()
    transfer = fields.Nested(TransferSchema)


class PurposeTextsSchema(Schema):
    title = Text(60, required=True)
    phrase = Text(60, required=True)
    text = Text(250, required=True)


class PurposeSchema(Schema):
    signals = fields.List(fields.String(validate=OneOf(*CONSENT_TYPES[:-1])), load_default=list)
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(PurposeTextsSchema), required=True)


class ArmColoursSchema(Schema):
    accent = Colour()


class ArmBannerSchema(Schema):
    """As the site's own, without defaults: what is not said is as on the site."""

    layout = fields.String(validate=OneOf(*LAYOUTS))
    colours = fields.Nested(ArmColoursSchema, load_default=dict)


class ArmSchema(Schema):
    name = Text(40, pattern=KEY.pattern, says=NO_KEY, required=True)
    weight = StrictInteger(error_messages=WHOLE, required=True)
    banner = fields.Nested(ArmBannerSchema, load_default=lambda: {"colours": {}})
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(TextsSchema), load_default=dict)


class ExperimentSchema(Schema):
    key = Key(required=True)
    arms = fields.List(fields.Nested(ArmSchema), required=True, validate=validate.Length(min=1, max=9))


_granted_or_denied = {
    consent_type: fields.String(validate=OneOf("granted", "denied")) for consent_type in CONSENT_TYPES
}
RegionalDefaultSchema = Schema.from_dict(
    {
        "region": fields.List(
            Text(6, pattern="[A-Z]{2}(-[A-Z0-9]{1,3})?", says=NO_REGION),
            required=True,
            validate=validate.Length(min=1, max=300),
        ),
        **_granted_or_denied,
    },
    name="RegionalDefaultSchema",
)


class ConsentModeSchema(Schema):
    url_passthrough = StrictBoolean(error_messages=TRUE_OR_FALSE)
    ads_data_redaction = StrictBoolean(error_messages=TRUE_OR_FALSE)
    layer = Text(63, pattern="[A-Za-z_$][A-Za-z0-9_$]*", says=NO_LAYER)
    defaults = fields.List(fields.Nested(RegionalDefaultSchema), validate=validate.Length(min=1, max=50))


class RegionTextsSchema(Schema):
    link = Text(60)


class BasisSchema(Schema):
    basis = fields.String(required=True, validate=OneOf("consent", "objection"))


class RegionSchema(Schema):
    key = Key(required=True)
    places = fields.List(Text(6), required=True, validate=validate.Length(min=1, max=300))
    rule = fields.String(required=True, validate=OneOf(*Rule))
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(RegionTextsSchema), load_default=dict)
    purposes = fields.Dict(keys=Key(), values=fields.Nested(BasisSchema), load_default=dict)


class StatisticsSchema(Schema):
    sample = StrictInteger(error_messages=WHOLE, load_default=SAMPLE, validate=validate.Range(0, 10_000))
    weekly_mail = StrictBoolean(error_messages=TRUE_OR_FALSE, load_default=False)


class SiteSchema(Schema):
    key = Key(required=True)
    name = Text(80, required=True)
    origins = fields.List(Address(300, read_origin), required=True, validate=validate.Length(min=1, max=50))
    languages = fields.List(fields.String(validate=_shipped), required=True, validate=validate.Length(min=1))
    default_language = fields.String()
    mode = fields.String(validate=OneOf("basic", "advanced"), load_default="basic")
    signals = StrictBoolean(error_messages=TRUE_OR_FALSE, load_default=True)
    consent_mode = fields.Nested(ConsentModeSchema)
    choice_days = StrictInteger(error_messages=WHOLE, load_default=180)
    proof_retention = fields.String(load_default="P3Y")
    time_zone = fields.String(load_default="UTC")
    cookie_domain = Address(253, _cookie_domain)
    controller = fields.Nested(ControllerSchema, required=True)
    dpo = fields.Nested(DpoSchema)
    authority = fields.Nested(AuthoritySchema)
    policy = fields.Nested(PoliciesSchema, required=True)
    banner = fields.Nested(BannerSchema, load_default=lambda: BannerSchema().load({}))
    texts = fields.Dict(keys=fields.String(), values=fields.Nested(TextsSchema), load_default=dict)
    purposes = fields.Dict(keys=Key(), values=fields.Nested(PurposeSchema), load_default=dict)
    vendors = fields.List(fields.Nested(VendorSchema), required=True, validate=validate.Length(min=1, max=50))
    recipients = fields.List(fields.Nested(RecipientSchema), load_default=list, validate=validate.Length(max=50))
    regions = fields.List(fields.Nested(RegionSchema), load_default=list, validate=validate.Length(max=50))
    experiment = fields.Nested(ExperimentSchema)
    statistics = fields.Nested(StatisticsSchema, load_default=lambda: StatisticsSchema().load({}))
