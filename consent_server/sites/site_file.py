"""The site file: TOML in, a complete declaration out, or every fault with its place (docs/formats/site.md)."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields

from consent_server.core.durations import duration_days
from consent_server.core.errors import Fault, InvalidSiteFile
from consent_server.core.rules_text import meant
from consent_server.sites import catalogue
from consent_server.sites import rules_fairness as fairness
from consent_server.sites.rules_consent_mode import consent_mode_faults
from consent_server.sites.rules_cookie import below
from consent_server.sites.rules_origin import Reading, as_sent, host_of, is_loopback, origin_matches
from consent_server.sites.rules_signals import PURPOSE_SIGNALS
from consent_server.sites.rules_site import CONTROL
from consent_server.sites.site_regions import region_faults
from consent_server.sites.site_schema import SiteSchema
from consent_server.sites.site_vendors import UNKNOWN, complete_vendors, reachable, vendor_faults

LONGEST_PROOF_DAYS = 5 * 366
# Texts of an override that the second layer or a placeholder shows, which all arms of an experiment share.
LATER_TEXTS = {"placeholder", "once", "always"}
# Places of what has a name of the site's own: its faults are its own, not those of a key or a value.
ENTRY = re.compile(
    r"(regions\[\d+\]\.)?texts\.[^.]+|purposes\.[^.]+(\.texts\.[^.]+)?|regions\[\d+\]\.purposes\.[^.]+|vendors\[\d+\]\.conversions\..+|policy\.[^.]+\.url\..+"
)
# Looked up once: that opens six hundred files, four fifths of what reading a site file costs.
time_zones = cache(available_timezones)


def read_document(text: str) -> dict[str, Any]:
    """The file as TOML alone reads it. Raises InvalidSiteFile with the line."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSiteFile("The site file is refused.", [Fault("TOML", str(error))]) from error


def read_site_file(text: str) -> dict[str, Any]:
    """The declaration of a site, complete with its vendors' catalogue entries.

    Raises InvalidSiteFile with every fault; its places are paths in the file.
    """
    document = read_document(text)
    try:
        declared: dict[str, Any] = SiteSchema().load(document)
        faults: list[Fault] = []
    except ValidationError as error:
        declared = error.valid_data if isinstance(error.valid_data, dict) else {}
        faults = list(_flatten(error.messages, ""))
    if all(isinstance(language, str) for language in declared.get("languages", [None])):
        declared.setdefault("default_language", declared["languages"][0])
    form_faults = {fault.pointer for fault in faults}
    for check in CHECKS:
        faults += [fault for fault in reachable(check(declared)) if fault.pointer not in form_faults]
    if faults:
        raise InvalidSiteFile("The site file is refused.", faults)
    declared["vendors"] = complete_vendors(declared["vendors"])
    declared["readings"] = list(_readings(document, declared))
    return declared


def _readings(document: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Reading]:
    """The addresses that are used in another spelling than they were given in."""
    pairs = [("origins", *pair) for pair in zip(document["origins"], declared["origins"], strict=True)]
    if "cookie_domain" in declared:
        pairs.append(("cookie_domain", document["cookie_domain"], declared["cookie_domain"]))
    yield from (Reading(*pair) for pair in pairs if pair[1] != pair[2])


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
    place = re.sub(r"^experiment\.arms\[\d+\]\.", "", place)
    return bool(ENTRY.fullmatch(place))


def _plain(message: str, place: str) -> str:
    if message == "Unknown field.":
        parent, _, key = place.rpartition(".")
        return fairness.broken_by_key(parent, key) or f"{UNKNOWN}.{meant(key, known_keys(parent))}".removesuffix(".")
    if message == "Missing data for required field.":
        return "is missing"
    if message == "Not a valid string.":
        return "text in quotes is expected"
    return message


def known_keys(place: str) -> list[str]:
    """The keys that a table of the file takes, such as "vendors[0].operator"; none where it takes any, or is none."""
    here: Any = fields.Nested(SiteSchema)
    for part in [part for part in place.split(".") if part]:
        schema = here.schema if isinstance(here, fields.Nested) else None
        here = schema.fields.get(part.partition("[")[0]) if schema else getattr(here, "value_field", None)
        here = here.inner if "[" in part and isinstance(here, fields.List) else here
    return [*here.schema.fields] if isinstance(here, fields.Nested) else []


def _language_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    languages = declared["languages"]
    for index, language in enumerate(languages):
        if language in languages[:index]:
            yield Fault(f"languages[{index}]", f'"{language}" appears twice')
    if declared["default_language"] not in languages:
        yield Fault("default_language", f'"{declared["default_language"]}" is not one of languages')


def _logo_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    url = declared["banner"]["logo"]["url"]
    if not url.startswith("data:") and not origin_matches(as_sent("/".join(url.split("/")[:3])), declared["origins"]):
        # Whoever serves it learns of every visitor before any choice.
        yield Fault("banner.logo.url", "is not on one of origins: nobody else may learn who looks at the banner")


def _text_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    for language, overridden in declared["texts"].items():
        if language not in declared["languages"]:
            yield Fault(f"texts.{language}", "is not one of languages")
        elif language in catalogue.locales():
            shown = {**catalogue.locales()[language]["banner"], **overridden}
            yield from fairness.text_faults(language, shown, overridden)


def _experiment_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    if "experiment" not in declared:
        return
    arms = declared["experiment"]["arms"]
    for index, arm in enumerate(arms):
        yield from reachable(_arm_faults(f"experiment.arms[{index}]", arm, arms[:index], declared))
    if sum(arm["weight"] for arm in arms) > 99:
        yield Fault("experiment.arms", "the weights leave nothing of 100 for the site's own notice")


def _arm_faults(
    place: str, arm: Mapping[str, Any], before: Sequence[Mapping[str, Any]], declared: Mapping[str, Any]
) -> Iterator[Fault]:
    if not 1 <= arm["weight"] <= 99:
        yield Fault(f"{place}.weight", f"{arm['weight']} is not between 1 and 99")
    if arm["name"] == CONTROL:
        yield Fault(f"{place}.name", f'"{CONTROL}" is the site\'s own notice')
    if arm["name"] in [other["name"] for other in before]:
        yield Fault(f"{place}.name", f'"{arm["name"]}" appears twice')
    for language, texts in arm["texts"].items():
        for key in texts.keys() & LATER_TEXTS:
            yield Fault(f"{place}.texts.{language}.{key}", "is not on the banner; arms differ in the banner alone")
    # The same rules as for the site, on what this arm's visitors are shown.
    own = arm_of(declared, arm)
    shown = own | {"texts": {language: own["texts"][language] for language in arm["texts"]}}
    yield from (Fault(f"{place}.{fault.pointer}", fault.detail) for fault in _text_faults(shown))


def arm_of(declared: Mapping[str, Any], arm: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration of the site as an arm has it: another banner, and all else the same."""
    banner, own = declared["banner"], arm["banner"]
    texts = declared["texts"]
    return {
        **declared,
        "banner": {**banner, **own, "colours": {**banner["colours"], **own["colours"]}},
        "texts": texts | {language: {**texts.get(language, {}), **arm["texts"][language]} for language in arm["texts"]},
    }


def _choice_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    days = declared["choice_days"]
    if days < 1:
        yield Fault("choice_days", f"{days} is less than 1")
    if days > 395:
        yield Fault("choice_days", f"{days} is more than 395 (no-hurry)")


def _proof_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    days = declared.get("choice_days", 1)
    proof = duration_days(declared["proof_retention"])
    if proof is None:
        yield Fault("proof_retention", f'"{declared["proof_retention"]}" is not a duration such as P3Y')
    elif not days <= proof <= LONGEST_PROOF_DAYS:
        yield Fault("proof_retention", "must be at least choice_days and at most P5Y")


def _zone_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    if declared["time_zone"] not in time_zones():
        yield Fault("time_zone", f'"{declared["time_zone"]}" is not an IANA time zone such as Europe/Paris')


def _domain_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    domain = declared["cookie_domain"]
    for index, origin in enumerate(declared["origins"]):
        if not is_loopback(origin) and not below(host_of(origin), domain):
            yield Fault(f"origins[{index}]", f"is not under cookie_domain, {domain}: a choice cannot be kept for both")


def _policy_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    for name, policy in declared["policy"].items():
        yield from _address_faults(f"policy.{name}.url", policy["url"], declared)
        versions = policy["versions"]
        if versions and versions[0]["version"] != policy["version"]:
            yield Fault(f"policy.{name}.versions[0].version", f'is not the one in force, "{policy["version"]}"')
        for index, (newer, older) in enumerate(pairwise(versions), start=1):
            if older["date"] > newer["date"]:
                yield Fault(f"policy.{name}.versions[{index}].date", "is later than the one above it")
        seen = [version["version"] for version in versions]
        for index, version in enumerate(seen):
            if version in seen[:index]:
                yield Fault(f"policy.{name}.versions[{index}].version", f'"{version}" appears twice')


def _address_faults(place: str, url: str | Mapping[str, str], declared: Mapping[str, Any]) -> Iterator[Fault]:
    if isinstance(url, str):
        return
    languages, default = declared["languages"], declared["default_language"]
    yield from (Fault(f"{place}.{other}", "is not one of languages") for other in url if other not in languages)
    if default not in url:
        missing = (language for language in languages if language not in url)
        yield from (Fault(f"{place}.{other}", f'is missing, and so is "{default}" in its place') for other in missing)


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


def _consent_mode_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    yield from consent_mode_faults(declared)


CHECKS = (
    _language_faults,
    _logo_faults,
    _text_faults,
    _choice_faults,
    _proof_faults,
    _zone_faults,
    _domain_faults,
    _policy_faults,
    _purpose_faults,
    vendor_faults,
    region_faults,
    _consent_mode_faults,
    _experiment_faults,
)
