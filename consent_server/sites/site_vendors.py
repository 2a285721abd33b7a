"""The vendors of a site file: what is wrong with them, and each complete with its catalogue entry."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from consent_server.core.errors import Fault
from consent_server.core.rules_text import meant
from consent_server.sites import catalogue
from consent_server.sites.rules_cookie import NAME
from consent_server.sites.rules_ids import id_looks
from consent_server.sites.rules_signals import PURPOSE_SIGNALS, gpc_covers
from consent_server.sites.widget_code import adapter_names

# What a choice granted is part of a counter's key, and an index entry of PostgreSQL holds 2,704 bytes.
LONGEST_KEYS = 2000
# What sites and the libraries that they use call their own.
GENERIC_NAMES = (
    "uuid", "session", "token", "user", "localforage", "keyval-store", "workbox-", "/sw.js", "/service-worker.js",
    "/serviceworker.js",
)  # fmt: skip
UNKNOWN = "is not known"


def complete_vendors(blocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The vendors of a site in the file's order, each under its catalogue entry; blocks of one vendor add up.

    A vendor has `ids`, its `conversions` are lists of what Google calls `send_to`, its cookies add up.
    """
    vendors: dict[str, dict[str, Any]] = {}
    for block in blocks:
        vendor = vendors.setdefault(block["key"], _first_block(block))
        if "id" in block:
            vendor["ids"].append(block["id"])
        for name, label in block["conversions"].items():
            vendor["conversions"].setdefault(name, []).append(f"{block['id']}/{label}")
    return list(vendors.values())


def _first_block(declared: Mapping[str, Any]) -> dict[str, Any]:
    entry = catalogue.vendors().get(declared["key"], {})
    own = {key: value for key, value in declared.items() if key != "id"}
    cookies = [*entry.get("cookies", []), *declared["cookies"]]
    return {**entry, **own, "ids": [], "conversions": {}, "cookies": cookies}


def reachable(faults: Iterator[Fault]) -> Iterator[Fault]:
    """What a check finds as far as it gets: where the form is at fault, what it reads may not be there."""
    with suppress(KeyError, TypeError, AttributeError):
        yield from faults


def vendor_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    """All that is wrong with the vendors of a site file whose form is right."""
    blocks: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for index, vendor in enumerate(declared["vendors"]):
        place = f"vendors[{index}]"
        yield from reachable(_block_faults(place, vendor, blocks))
        yield from reachable(_vendor_faults(place, vendor, declared))
    keys = [*blocks, *declared["purposes"], *PURPOSE_SIGNALS]
    if sum(len(key) + 1 for key in keys) > LONGEST_KEYS:
        yield Fault("vendors", f"the keys of vendors and purposes together have more than {LONGEST_KEYS} characters")


def _block_faults(
    place: str, vendor: Mapping[str, Any], blocks: dict[str, list[tuple[str, Mapping[str, Any]]]]
) -> Iterator[Fault]:
    """A vendor may stand there again, for another id alone: visitors are asked about it once."""
    before = blocks.setdefault(vendor["key"], [])
    before.append((place, vendor))
    if len(before) == 1:
        return
    if vendor.get("id") in [other.get("id") for _, other in before[:-1]]:
        named = f'"{vendor["key"]}"' + (f' with the id "{vendor["id"]}"' if "id" in vendor else "")
        yield Fault(f"{place}.key", f"{named} appears twice")
    elif not catalogue.vendors().get(vendor["key"], {}).get("several_ids"):
        yield Fault(f"{place}.key", f'"{vendor["key"]}" appears twice, and this vendor\'s tag takes one id')
    first_place, first = before[0]
    for key in vendor.keys() - {"key", "id", "conversions"}:
        if vendor[key] and vendor[key] != first.get(key):
            yield Fault(f"{place}.{key}", f"differs from {first_place}, the same vendor: say it there, for all its ids")


def _vendor_faults(place: str, vendor: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Fault]:
    for number, cookie in enumerate(vendor["cookies"]):
        yield from reachable(_cookie_faults(f"{place}.cookies[{number}]", cookie))
    entry = catalogue.vendors().get(vendor["key"])
    yield from (_own_vendor_faults(place, vendor) if entry is None else _known_vendor_faults(place, vendor, entry))
    yield from _regrouping_faults(place, vendor, entry or {}, declared["purposes"])


def _known_vendor_faults(place: str, vendor: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("name", "policy_url", "operator", "other_entities", "transfer", "hosts"):
        if key in vendor:
            yield Fault(f"{place}.{key}", "is set by the catalogue; use declared for what your policy says")
    yield from _id_faults(place, vendor, entry)
    pattern = entry.get("conversion_pattern")
    for name, label in vendor["conversions"].items():
        if pattern is None:
            yield Fault(f"{place}.conversions.{name}", "this vendor has no conversions")
        elif not re.fullmatch(pattern, label):
            yield Fault(f"{place}.conversions.{name}", _no_such(label, "a conversion", entry, "example_conversion"))


def _id_faults(place: str, vendor: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Fault]:
    identifier, pattern, tag_pattern = vendor.get("id"), entry.get("id_pattern", ""), entry.get("tag_pattern", "")
    if identifier is None:
        if pattern and entry.get("adapter") in adapter_names():
            yield Fault(f"{place}.id", "is missing")
        return
    is_tag = bool(tag_pattern) and identifier.startswith(tag_pattern.partition("[")[0])
    if not re.fullmatch(tag_pattern if is_tag else pattern, identifier):
        if not pattern:
            yield Fault(f"{place}.id", f"{entry['name']} takes no id")
        elif is_tag:
            begins = tag_pattern.partition("[")[0]
            yield Fault(f"{place}.id", f'"{identifier}" is not a Google tag: after {begins} come capitals and digits')
        else:
            looks = id_looks(pattern, entry.get("example_id"))
            such = f": it {looks}" if looks else ""
            yield Fault(f"{place}.id", f'"{identifier}" is not an id of {entry["name"]}{such}')
    elif is_tag and vendor["conversions"]:
        yield Fault(
            f"{place}.conversions", f"is for an id such as {entry['example_id']}: give it in a block of that id"
        )


def _no_such(given: str, what: str, entry: Mapping[str, Any], example: str) -> str:
    such_as = f", such as {entry[example]}" if example in entry else ""
    return f'"{given}" is not {what} of {entry["name"]}{such_as}'


def _own_vendor_faults(place: str, vendor: Mapping[str, Any]) -> Iterator[Fault]:
    missing = [key for key in ("name", "purposes", "policy_url", "operator") if key not in vendor]
    if hint := meant(vendor["key"], catalogue.vendors()) if len(missing) == 4 else "":
        yield Fault(f"{place}.key", f'"{vendor["key"]}" is not in the catalogue.{hint}')
        return
    for key in missing:
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
            yield Fault(f"{place}.purposes[{index}]", f'"{purpose}" is not a purpose; define [purposes.{purpose}]')
        elif entry.get("purposes") == ["advertising"]:
            signals = PURPOSE_SIGNALS.get(purpose) or tuple(own.get(purpose, {}).get("signals", ()))
            if not gpc_covers(tuple(signals)):
                yield Fault(f"{place}.purposes[{index}]", "Global Privacy Control must cover it (true-purpose)")


def _cookie_faults(place: str, cookie: Mapping[str, Any]) -> Iterator[Fault]:
    if ("lifetime" in cookie) == ("expiry" in cookie):
        yield Fault(f"{place}.lifetime", "give either lifetime or expiry")
    words = catalogue.locales()["en"]["cookie_purposes"]
    if cookie["purpose"] not in words:
        yield Fault(f"{place}.purpose", f'"{cookie["purpose"]}" is not one of {", ".join(words)}')
    if "host" in cookie:
        return
    if cookie["storage"] == "service-worker" and not cookie["name"].startswith("/"):
        yield Fault(f"{place}.name", f'"{cookie["name"]}" is not the path of a script or of a scope')
    stem = cookie["name"].removesuffix("*")
    # Our own choice, outbox and receipt link all begin so.
    taken = stem.startswith(NAME) or (cookie["name"].endswith("*") and NAME.startswith(stem))
    if len(stem) < 4 or stem.lower() in GENERIC_NAMES or taken:
        yield Fault(f"{place}.name", f'"{cookie["name"]}" may be the site\'s own and would be deleted')
