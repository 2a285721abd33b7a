"""A first site file: five answers, read by the rules of site files, and the rest as most sites have it."""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from consent_server.core.errors import Fault, InvalidSiteFile
from consent_server.core.rules_text import meant
from consent_server.sites import catalogue
from consent_server.sites.rules_site import KEY
from consent_server.sites.site_file import read_site_file

LONGEST_KEY = 63
EXAMPLE_ADDRESS = "Street and number, postal code and town, country"
FILE = """\
# A site of the consent server. Everything that a site file can say: docs/formats/site.md.
# Say what would change with `consent site apply --check FILE`, and have it in force with `consent site apply FILE`.

# In every address and receipt of this site. Once applied, it stays.
key = {key}
# What visitors call the site.
name = {name}
# Each host whose pages have the tag. The two of this machine let you try it before; leave them out later.
origins = [{origin}, "http://127.0.0.1:*", "http://localhost:*"]
# The first is for visitors who read none of them.
languages = {languages}
# How long a choice stands, in days, yes and no alike. The CNIL advises six months.
choice_days = 180
# How long the proof of a choice is kept.
proof_retention = "P3Y"
# In whose days visitors are counted, such as "Europe/Paris".
time_zone = "UTC"

# Who asks. Visitors are told all of it.
[controller]
# CHANGE: the name of your company or society, and its postal address.
name = {name}
address = {address}
contact = {contact}

# CHANGE: the addresses of your policies, which may be one document, and what you call the version in force.
[policy.privacy]
url = {privacy}
version = {version}

[policy.cookies]
url = {privacy}
version = {version}

[banner]
# "bar", "box" or "dialog".
layout = "bar"

[banner.colours]
# Of accept and refuse alike.
accent = "#3b5bdb"

# Whom visitors are asked about, in this order. `consent vendor list` has all that are known, `consent vendor show KEY`
# what is known of one. Whoever is not on it can be described here in full.
{vendors}"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first site file needs to know."""

    name: str = "Example Shop"
    origin: str = "https://shop.example"
    contact: str = "privacy@shop.example"
    languages: Sequence[str] = ("en",)
    vendors: Sequence[tuple[str, str | None]] = (("youtube", None),)

    @property
    def key(self) -> str:
        """The site's name as a key, or that of its host where the name has no letters of ASCII."""
        host = self.origin.partition("://")[2].partition(":")[0].removeprefix("www.")
        return next(filter(KEY.fullmatch, map(_as_key, (self.name, host))), "site")


def _as_key(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:LONGEST_KEY].strip("-")


def _origin(text: str) -> str:
    return (text if "://" in text else f"https://{text}").rstrip("/")


def _languages(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"[\s,]+", text.lower()))


def _vendors(text: str) -> tuple[tuple[str, str | None], ...]:
    parts = (part.partition("=") for part in re.split(r"[\s,]+", text))
    return tuple((key, id_ if equals else None) for key, equals, id_ in parts)


# Question, how its answer is written, and where in a site file what is wrong with it stands.
READ: dict[str, tuple[Callable[[str], Any], str]] = {
    "name": (str, "name"),
    "origin": (_origin, "origins"),
    "contact": (str, "controller.contact"),
    "languages": (_languages, "languages"),
    "vendors": (_vendors, "vendors"),
}


def read_answer(question: str, text: str) -> Any:
    """An answer as `Answers` has it. Raises InvalidSiteFile with what a site file with it would be refused for."""
    read, place = READ[question]
    answer = read(text.strip())
    drafted = replace(Answers(), **{question: answer})
    faults = list(_unknown_vendors(drafted))
    try:
        read_site_file(draft_site_file(drafted))
    except InvalidSiteFile as refusal:
        faults = faults or [fault for fault in refusal.faults if fault.pointer.startswith((place, "TOML"))]
    if faults:
        raise InvalidSiteFile("This cannot stand in a site file.", [_named(fault, drafted) for fault in faults])
    return answer


def _named(fault: Fault, answers: Answers) -> Fault:
    """A fault of a vendor names it: who answers has given no numbers."""
    place = re.fullmatch(r"vendors\[(\d+)\]\.(\w+)", fault.pointer)
    return Fault(fault.pointer, f"{answers.vendors[int(place[1])][0]}: {place[2]} {fault.detail}") if place else fault


def _unknown_vendors(answers: Answers) -> list[Fault]:
    known = catalogue.vendors()
    return [
        Fault("vendors", f'"{key}" is not in the catalogue.{meant(key, known)} See: consent vendor list')
        for key, _ in answers.vendors
        if key not in known
    ]


def draft_site_file(answers: Answers) -> str:
    """A site file with a comment at each thing that is to be known, or changed."""
    return FILE.format(
        key=_toml(answers.key),
        name=_toml(answers.name),
        origin=_toml(answers.origin),
        address=_toml(EXAMPLE_ADDRESS),
        contact=_toml(answers.contact),
        languages=_toml(list(answers.languages)),
        privacy=_toml(f"{answers.origin}/privacy"),
        version=_toml(date.today().isoformat()),
        vendors="\n".join(_block(*vendor) for vendor in answers.vendors),
    )


def _block(key: str, id_: str | None) -> str:
    lines = ["[[vendors]]", f"key = {_toml(key)}", *([f"id = {_toml(id_)}"] if id_ is not None else [])]
    return "\n".join(lines) + "\n"


def _toml(value: str | list[str]) -> str:
    """Strings and lists of them are written alike in JSON and in TOML."""
    return json.dumps(value, ensure_ascii=False)
