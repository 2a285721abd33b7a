"""What a site file may say of Google's Consent Mode beside its purposes (docs/formats/site.md, section 6)."""

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.core.errors import Fault
from consent_server.sites.rules_places import COUNTRIES, members
from consent_server.sites.rules_signals import CONSENT_TYPES

# Where consent comes first: the European Economic Area (ePrivacy Directive, Article 5(3)) and the United Kingdom
# (PECR, regulation 6).
ASKED_FIRST = members("EEA") | {"GB"}

SWITCHES = ("url_passthrough", "ads_data_redaction")
# How long a Google script that is there before a choice waits for one, in milliseconds.
WAIT = 500


def consent_mode_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with `signals` and `[consent_mode]`."""
    mode, advanced = declared.get("consent_mode", {}), declared["mode"] == "advanced"
    if not declared["signals"]:
        if advanced:
            yield Fault("signals", "must be true with mode advanced: Google's tags would load with nothing denied")
        for key in mode.keys() - {"layer"}:
            yield Fault(f"consent_mode.{key}", "is said to nobody with signals = false")
    if mode.get("layer") == "dataLayer":
        yield Fault("consent_mode.layer", '"dataLayer" is the name without this key')
    seen: set[str] = set()
    for index, entry in enumerate(mode.get("defaults", [])):
        place = f"consent_mode.defaults[{index}]"
        for number, region in enumerate(entry["region"]):
            yield from _region_faults(f"{place}.region[{number}]", region, entry, seen)
            seen.add(region)
        if not entry.keys() - {"region"}:
            yield Fault(place, f"grants and denies nothing; give one of {', '.join(CONSENT_TYPES)}")
        if _granted(entry) and not advanced:
            yield Fault(place, 'grants before a choice, and with mode "basic" nothing of Google loads before one')


def _region_faults(place: str, region: str, entry: Mapping[str, Any], seen: set[str]) -> Iterator[Fault]:
    country = region.partition("-")[0]
    if country not in COUNTRIES:
        yield Fault(place, f'"{country}" is no country of ISO 3166-1')
    elif region in seen:
        yield Fault(place, f'"{region}" appears twice')
    elif country in ASKED_FIRST and _granted(entry):
        yield Fault(place, f"the law of {country} asks for consent first (ask-first)")


def _granted(entry: Mapping[str, Any]) -> list[str]:
    return [consent_type for consent_type in CONSENT_TYPES if entry.get(consent_type) == "granted"]


def regional_grants(declared: Mapping[str, Any]) -> list[dict[str, list[str]]]:
    """What Google is allowed before a choice, by region: part of what a notice says."""
    entries = declared.get("consent_mode", {}).get("defaults", [])
    return [{"region": entry["region"], "types": _granted(entry)} for entry in entries if _granted(entry)]


def google_settings(declared: Mapping[str, Any]) -> dict[str, Any]:
    """What the widget's Google adapter is told beside ids: only what the site file says."""
    return {**({} if declared["signals"] else {"signals": False}), **declared.get("consent_mode", {})}


def google_start(settings: Mapping[str, Any], advanced: bool) -> dict[str, Any]:
    """What the widget's Google adapter starts with: where it says nothing, where it speaks, and what it says there."""
    calls = [["consent", "default", _denied(advanced) | region] for region in settings.get("defaults", ())]
    redaction = {"ads_data_redaction": True} if advanced else {}
    switches = redaction | {key: settings[key] for key in SWITCHES if key in settings}
    calls += [["set", key, on] for key, on in switches.items()]
    names = {key: settings[key] for key in ("signals", "layer") if key in settings}
    return names | ({"calls": calls} if calls else {})


def _denied(advanced: bool) -> dict[str, Any]:
    states = {kind: "granted" if kind == "security_storage" else "denied" for kind in CONSENT_TYPES}
    return states | ({"wait_for_update": WAIT} if advanced else {})
