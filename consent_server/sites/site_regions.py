"""The regions of a site file: what is wrong with them, and the declaration of the site as one of them has it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consent_server.core.errors import Fault
from consent_server.sites import catalogue
from consent_server.sites.rules_places import Rule, is_code
from consent_server.sites.rules_regions import ELSEWHERE, Region
from consent_server.sites.rules_signals import PURPOSE_SIGNALS
from consent_server.sites.site_vendors import complete_vendors, reachable

OBJECTION = "objection"
# What measures an audience without consent lives no longer (CNIL, sheet of 2025-07-04; AEPD, guide of 2024): 13 months.
LONGEST_STATISTICS = 395 * 86_400


def regions(declared: Mapping[str, Any]) -> tuple[Region, ...]:
    """The regions of a site file, in its order."""
    return tuple(
        Region(region["key"], Rule(region["rule"]), tuple(region["places"])) for region in declared.get("regions", ())
    )


def declared_in(declared: Mapping[str, Any], region: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration of the site as a region has it: another rule, and all else the same."""
    return {
        **{key: value for key, value in declared.items() if key != "experiment"},
        "rule": region["rule"],
        "places": region["places"],
        "objections": objections(region),
        "region_texts": region["texts"],
    }


def objections(region: Mapping[str, Any]) -> list[str]:
    """The purposes that run in a region until somebody objects, though it asks for all others."""
    return [key for key, purpose in region["purposes"].items() if purpose["basis"] == OBJECTION]


def region_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    """All that is wrong with the regions of a site file whose form is right."""
    named: dict[str, str] = {}
    for index, region in enumerate(declared["regions"]):
        place = f"regions[{index}]"
        if region["key"] in [other["key"] for other in declared["regions"][:index]]:
            yield Fault(f"{place}.key", f'"{region["key"]}" appears twice')
        for number, code in enumerate(region["places"]):
            yield from _code_faults(f"{place}.places[{number}]", code, named)
            named.setdefault(code, place)
        for language in region["texts"]:
            if language not in declared["languages"]:
                yield Fault(f"{place}.texts.{language}", "is not one of languages")
        for purpose in objections(region):
            yield from reachable(_objection_faults(place, purpose, region, declared))


def _code_faults(place: str, code: str, named: Mapping[str, str]) -> Iterator[Fault]:
    if code != ELSEWHERE and not is_code(code):
        yield Fault(place, f'"{code}" is no country (ISO 3166-1), no part of one (ISO 3166-2), no group and not "*"')
    elif code in named:
        yield Fault(place, f'"{code}" stands in {named[code]} already')


def _objection_faults(
    place: str, purpose: str, region: Mapping[str, Any], declared: Mapping[str, Any]
) -> Iterator[Fault]:
    place = f"{place}.purposes.{purpose}"
    if region["rule"] != Rule.OPT_IN:
        yield Fault(
            f"{place}.basis", f'is for the rule "opt-in": under "{region["rule"]}" all runs until somebody objects'
        )
    if purpose not in PURPOSE_SIGNALS and purpose not in declared["purposes"]:
        yield Fault(place, f'"{purpose}" is not a purpose; define [purposes.{purpose}]')
    own = declared["purposes"].get(purpose, {}).get("signals", PURPOSE_SIGNALS.get(purpose, ()))
    if any(signal.startswith("ad_") for signal in own):
        yield Fault(f"{place}.basis", "is for a site's own statistics, and never for advertising (own-statistics)")
        return
    serving = [vendor for vendor in complete_vendors(declared["vendors"]) if purpose in vendor["purposes"]]
    if not serving:
        yield Fault(place, "no vendor has this purpose")
    for vendor in serving:
        yield from _vendor_faults(f"{place}.basis", vendor)


def _vendor_faults(place: str, vendor: Mapping[str, Any]) -> Iterator[Fault]:
    """Whether a vendor can meet the conditions of the exemption for statistics."""
    stated = catalogue.vendors().get(vendor["key"], {}).get(OBJECTION, {})
    if not stated.get("possible"):
        reason = stated.get("reason", "nobody has checked that it measures for the site alone")
        yield Fault(place, f'"{vendor["key"]}" needs consent: {reason} (own-statistics)')
        return
    if len(vendor["purposes"]) > 1:
        yield Fault(place, f'"{vendor["key"]}" has other purposes too, and may then not run without consent')
    for cookie in vendor["cookies"]:
        # What keeps a visitor's refusal at the vendor may last.
        if cookie.get("lifetime", 0) > LONGEST_STATISTICS and cookie["purpose"] != "choice":
            yield Fault(place, f'"{cookie["name"]}" of "{vendor["key"]}" lives longer than 13 months (own-statistics)')


def conditions(declared: Mapping[str, Any], region: Mapping[str, Any]) -> Sequence[str]:
    """What the operator has to see to, so that the purposes by objection may run: each vendor's, in its own words."""
    purposes = set(objections(region))
    return [
        f"{vendor['key']}: {catalogue.vendors()[vendor['key']][OBJECTION]['reason']}"
        for vendor in declared["vendors"]
        if purposes & set(vendor["purposes"])
    ]
