"""The form of a site's settings: which keys of the site file it has, in which words, and how each is written.

What is in no field stands in `ONLY_IN_FILE`: a test holds both to the schema of the site file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from consent_server.sites import catalogue
from consent_server.sites.rules_ids import id_looks
from consent_server.sites.rules_places import Rule
from consent_server.sites.site_schema import LAYOUTS, TEXT_LIMITS


class Kind(StrEnum):
    """How a value is written in a form."""

    TEXT = "text"
    NUMBER = "number"
    COLOUR = "colour"
    CHOICE = "choice"
    SWITCH = "switch"
    # A list, a line each.
    LINES = "lines"
    # A list with commas between.
    WORDS = "words"
    # A table, `name = value` a line.
    PAIRS = "pairs"
    # One text, or such a table of one a language.
    ONE_OR_PAIRS = "one-or-pairs"
    LANGUAGES = "languages"
    # A key of the catalogue, or the name that stands there.
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Field:
    """A key of the site file. `path` is where it stands, `effect` what it does, `default` what holds without it."""

    path: str
    label: str
    effect: str = ""
    kind: Kind = Kind.TEXT
    options: Sequence[tuple[str, str]] = ()
    default: str = ""
    pattern: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One of a list of tables, such as a vendor: `path` is "vendors[0]". A new one is not in the file yet."""

    path: str
    title: str
    fields: Sequence[Field]
    is_new: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form that folds. `words` is said above its fields; `folds` are parts of it that few need."""

    key: str
    title: str
    words: str
    fields: Sequence[Field] = ()
    blocks: Sequence[Block] = ()
    folds: Sequence[tuple[str, Sequence[Field]]] = field(default=())

    def every_field(self) -> Iterator[Field]:
        """All of it, in their order."""
        yield from self.fields
        for block in self.blocks:
            yield from block.fields
        for _, fields in self.folds:
            yield from fields


def _listed(*words: str) -> Sequence[tuple[str, str]]:
    return tuple((word, word) for word in words)


# What the form leaves to the file: paths of the schema, each with all below it.
ONLY_IN_FILE = {
    "key": "the key, which never changes",
    "consent_mode": "settings of Google’s Consent Mode",
    "policy.privacy.versions": "earlier versions of the privacy policy",
    "policy.cookies.versions": "earlier versions of the cookie policy",
    "purposes": "purposes of your own",
    "recipients": "recipients that set no tag",
    "vendors[].declared": "the operator as your own policy names it",
    "vendors[].cookies": "further cookies of a vendor",
    "vendors[].name": "vendors that are not in the catalogue",
    "vendors[].policy_url": "",
    "vendors[].operator": "",
    "vendors[].other_entities": "",
    "vendors[].transfer": "",
    "vendors[].hosts": "",
    "regions[].texts": "words of the link in a region",
    "regions[].purposes": "purposes by objection in a region",
    "experiment.arms[].texts": "words of an arm",
}
ASKS = (
    Field("name", "Name of the site", "What visitors call it. It stands in the banner’s text.", required=True),
    Field("controller.name", "Company or society", "Who decides about the data. Receipts name it.", required=True),
    Field("controller.address", "Postal address", "Street and number, postal code and town, country.", required=True),
    Field("controller.contact", "Contact", "An e-mail address, or one with https://.", required=True),
    Field("controller.registration", "Registration", "Number in a register, such as SIRET 87775038000017."),
    Field("controller.country", "Country", "Two capitals, such as FR."),
    Field("controller.phone", "Telephone", "Such as +33 1 23 45 67 89."),
    Field("policy.privacy.url", "Privacy policy", "Where it stands; of several languages one a line, as in "
          "“fr = https://…”.", Kind.ONE_OR_PAIRS, required=True),
    Field("policy.privacy.version", "Its version", "What you call the one in force, often a date. Receipts name it.",
          required=True),
    Field("policy.cookies.url", "Cookie policy", "As above; it may be the same document.", Kind.ONE_OR_PAIRS,
          required=True),
    Field("policy.cookies.version", "Its version", "As above.", required=True),
)  # fmt: skip
OFFICER = (
    Field("dpo.name", "Name"),
    Field("dpo.role", "Role"),
    Field("dpo.contact", "Contact", "An e-mail address, or an address that begins with https://."),
)
AUTHORITY = (
    Field("authority.name", "Name", "Where a visitor may complain."),
    Field("authority.url", "Its site", "An address that begins with https://."),
    Field("authority.country", "Country", "Two capitals, such as FR."),
)
TAGS = (
    Field("mode", "Google’s scripts", "“advanced” loads them before any choice, with all denied, and the banner says "
          "so; “basic” loads nothing before a yes.", Kind.CHOICE, _listed("basic", "advanced"), "basic"),
    Field("signals", "Tell Google the state", "Off only where the site says it to Consent Mode itself.", Kind.SWITCH,
          default="on"),
)  # fmt: skip
LOOK = (
    Field("banner.layout", "Layout", "A bar along the bottom, a box in a corner, or a dialog in the middle. None locks "
          "the page.", Kind.CHOICE, _listed(*LAYOUTS), "bar"),
    Field("banner.corner", "Corner", "Where the box stands, and the button that leads back: at the start of a line "
          "(left in English) or at its end.", Kind.CHOICE, _listed("start", "end"), "start"),
    Field("banner.scheme", "Light or dark", "“auto” follows the page.", Kind.CHOICE,
          _listed("auto", "light", "dark"), "auto"),
    Field("banner.font", "Font", "The system’s, or that of your pages.", Kind.CHOICE, _listed("system", "page"),
          "system"),
    Field("banner.radius", "Round corners", "In pixels, 0 to 24.", Kind.NUMBER, default="9"),
    Field("banner.colours.accent", "Accent", "Of accept and refuse alike. One that is hard to read is corrected.",
          Kind.COLOUR, default="#3b5bdb"),
    Field("banner.colours.surface", "Ground", "Without one, the browser’s own.", Kind.COLOUR),
    Field("banner.colours.text", "Text", "Without one, the browser’s own.", Kind.COLOUR),
)  # fmt: skip
DARK = (
    Field("banner.colours.dark.accent", "Accent", "Without one, made from the light one.", Kind.COLOUR),
    Field("banner.colours.dark.surface", "Ground", kind=Kind.COLOUR),
    Field("banner.colours.dark.text", "Text", kind=Kind.COLOUR),
)
LOGO = (
    Field("banner.logo.url", "Address", "On one of your own hosts, so that nobody else learns who looks; or data: of "
          "at most 4,096 characters."),
    Field("banner.logo.alt", "What it shows", "For who does not see it."),
)  # fmt: skip
WHERE = (
    Field("origins", "Hosts with the tag", "One a line, as https://www.shop.example. Choices from elsewhere are "
          "refused; http://127.0.0.1:* lets you try it on this machine.", Kind.LINES, required=True),
    Field("cookie_domain", "One choice for all of a domain", "Such as shop.example, so that www.shop.example and "
          "help.shop.example ask once. Without it each host asks for itself. Once set, leave it."),
)  # fmt: skip
KEEP = (
    Field("choice_days", "A choice stands", "In days, yes and no alike, at most 395. The CNIL advises 180.",
          Kind.NUMBER, default="180"),
    Field("proof_retention", "Proofs are kept", "P3Y is three years, P18M eighteen months; at most P5Y.",
          default="P3Y"),
    Field("time_zone", "Clock", "In whose days visitors are counted, such as Europe/Paris.", default="UTC"),
    Field("statistics.sample", "Sample of page loads", "One page load in so many tells which tags may run there; 0 for "
          "none.", Kind.NUMBER, default="50"),
    Field("statistics.weekly_mail", "Weekly mail", "The rates of each week, to those who are told of alerts.",
          Kind.SWITCH, default="off"),
)  # fmt: skip
WORDS = {
    "title": ("Title", ""),
    "intro": ("Text", "Keeps {name}, {vendors}, {purposes} and {months}: they become what is true."),
    "accept": ("Accept", ""),
    "refuse": ("Refuse", "As plain and as long as accepting."),
    "customise": ("Preferences", ""),
    "privacy": ("Link to the privacy policy", ""),
    "cookies": ("Link to the cookie policy", ""),
    "saved": ("Said after a choice", ""),
    "placeholder": ("Stand-in of a vendor", "Keeps {vendor}."),
    "once": ("Stand-in: this time", ""),
    "always": ("Stand-in: always", "Keeps {vendor}."),
    "placeholder_purpose": ("Stand-in of a purpose", "Keeps {purpose}."),
    "always_purpose": ("Stand-in of a purpose: always", "Keeps {purpose}."),
}


def sections(document: Mapping[str, Any]) -> list[Section]:
    """The form for this file: a block for each vendor, region and arm of it, and an empty one after them."""
    return [
        Section("asks", "Who asks", "Visitors are told all of it.", ASKS,
                folds=(("Data protection officer", OFFICER), ("Supervisory authority", AUTHORITY))),
        Section("vendors", "Purposes and vendors", "Whom visitors are asked about, in this order. Each brings its "
                "purposes.", TAGS, _blocks(document, "vendors", _vendor)),
        Section("words", "Words", "What is empty is said in the built-in words, which stand there in grey.",
                folds=tuple(_texts(language) for language in site_languages(document))),
        Section("look", "Look", "Accept and refuse stay equal whatever you set.", LOOK,
                folds=(("In dark mode", DARK), ("Logo", LOGO))),
        Section("where", "Where", "On which hosts, and by which rule in which places. A place that is not listed, or "
                "not known, is asked first.", WHERE, _blocks(document, "regions", _region)),
        Section("keep", "Keep", "How long, and what is counted.", KEEP),
        Section("languages", "Languages", "Those that visitors are offered.", (
            Field("languages", "Offered", "", Kind.LANGUAGES, required=True),
            Field("default_language", "For who reads none of them", "", Kind.CHOICE,
                  tuple((key, _name(key)) for key in site_languages(document)), "the first"))),
        Section("experiment", "Experiment", "Shows some visitors another banner, and says which is answered more. A "
                "change of a running one needs a new name.", (
            Field("experiment.key", "Name", "Small letters, digits and hyphens, such as spring."),),
                _blocks(document, "experiment.arms", _arm)),
    ]  # fmt: skip


def every_field(document: Mapping[str, Any]) -> dict[str, Field]:
    """All fields of the form for this file, by their path."""
    return {one.path: one for section in sections(document) for one in section.every_field()}


def site_languages(document: Mapping[str, Any]) -> list[str]:
    """Those of the file that there are."""
    given = document.get("languages")
    return [key for key in given if key in catalogue.locales()] if isinstance(given, list) else []


def _name(language: str) -> str:
    return str(catalogue.locales()[language]["meta"]["name"])


def _texts(language: str) -> tuple[str, Sequence[Field]]:
    built_in = catalogue.locales()[language]["banner"]
    return _name(language), tuple(
        Field(f"texts.{language}.{key}", *WORDS[key], default=built_in[key]) for key in TEXT_LIMITS
    )


def _blocks(document: Mapping[str, Any], path: str, made: Any) -> Sequence[Block]:
    around: Any = document
    for part in path.split("."):
        around = around.get(part) if isinstance(around, Mapping) else None
    tables = [one if isinstance(one, Mapping) else {} for one in around] if isinstance(around, list) else []
    there = [made(f"{path}[{index}]", table) for index, table in enumerate(tables)]
    return (*there, replace(made(f"{path}[{len(tables)}]", {}), is_new=True))


def _vendor(path: str, vendor: Mapping[str, Any]) -> Block:
    key = vendor.get("key")
    entry = catalogue.vendors().get(key, {}) if isinstance(key, str) else {}
    if not vendor:
        return Block(path, "Add a vendor", (
            Field(f"{path}.key", "Vendor", "Type a part of its name.", Kind.VENDOR, vendor_options()),
            Field(f"{path}.id", "Your id there", "If it has one."),
        ))  # fmt: skip
    fields = []
    if "id_pattern" in entry or "id" in vendor:
        fields.append(_id_field(path, entry))
    if "conversion_pattern" in entry or vendor.get("conversions"):
        example = entry.get("example_conversion", "AbC-D_efGh")
        fields.append(
            Field(f"{path}.conversions", "Conversions", f"One a line, as in “signup = {example}”.", Kind.PAIRS)
        )
    usual = entry.get("purposes", ())
    fields.append(Field(f"{path}.purposes", "Purposes", "Instead of the usual ones; with commas between.", Kind.WORDS,
                        default=", ".join(usual)))  # fmt: skip
    shown = entry.get("name") or vendor.get("name") or str(key)
    return Block(path, shown, tuple(fields), note="" if entry else "Described in the file.")


def id_fields() -> dict[str, Field]:
    """What an id looks like, by the vendor's key; for who has picked the vendor and not saved it yet."""
    return {key: _id_field("", entry) for key, entry in catalogue.vendors().items()}


def _id_field(path: str, entry: Mapping[str, Any]) -> Field:
    pattern, example = entry.get("id_pattern", ""), entry.get("example_id")
    either = f"{pattern}|{entry['tag_pattern']}" if "tag_pattern" in entry else pattern
    looks = id_looks(pattern, example) if pattern else ""
    sentence = f"An id of {entry['name']} {looks}." if looks else ""
    return Field(f"{path}.id", "Your id there", sentence, pattern=either, required="adapter" in entry)


def vendor_options() -> Sequence[tuple[str, str]]:
    """Key and name of every vendor of the catalogue, by name."""
    known = ((key, str(entry["name"])) for key, entry in catalogue.vendors().items())
    return tuple(sorted(known, key=lambda one: one[1].lower()))


def _region(path: str, region: Mapping[str, Any]) -> Block:
    return Block(path, str(region.get("key", "Add a region")), (
        Field(f"{path}.key", "Name", "Small letters, digits and hyphens, such as america."),
        Field(f"{path}.places", "Places", "Codes with commas between: FR, US-CA, EEA.", Kind.WORDS),
        Field(f"{path}.rule", "Rule", "opt-in: nothing runs before a yes. opt-out: tags run until a no. notice: they "
              "run, and are told of once. none: a link alone. Ask a lawyer of the place.", Kind.CHOICE,
              tuple((rule.value, rule.value) for rule in Rule)),
    ))  # fmt: skip


def _arm(path: str, arm: Mapping[str, Any]) -> Block:
    return Block(path, str(arm.get("name", "Add a banner to try")), (
        Field(f"{path}.name", "Name", "Such as box."),
        Field(f"{path}.weight", "Of 100 views", "How many see it; the rest see the site’s own.", Kind.NUMBER),
        Field(f"{path}.banner.layout", "Layout", "", Kind.CHOICE, _listed(*LAYOUTS), "As the site’s own"),
        Field(f"{path}.banner.colours.accent", "Accent", "", Kind.COLOUR, default="As the site’s own"),
    ))  # fmt: skip
