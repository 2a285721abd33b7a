"""All that is known of vendors, read once: the catalogue, and the Open Cookie Database as a hint."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from consent_server.health.rules_vendors import KnownVendor
from consent_server.scans.banners import hosts_of_tools
from consent_server.scans.rules import NamedVendor
from consent_server.scans.rules_owners import CatalogueVendor, Hint, Hints, Owners
from consent_server.sites import catalogue
from consent_server.sites.rules_notice import Notice

# NOTICE says whose it is, and what was left out of it.
DATABASE = Path(__file__).parent / "open-cookie-database.csv"


@cache
def known_owners() -> Owners:
    """What holds for every site; a notice and the banner's own host are added to it."""
    vendors = [_vendor(key, entry) for key, entry in catalogue.vendors().items()]
    with DATABASE.open(encoding="utf-8", newline="") as file:
        rows = [
            Hint(row["name"], row["wildcard"] == "1", row["domain"], row["platform"], row["category"])
            for row in csv.DictReader(file)
        ]
    return Owners(vendors, Hints(rows), hosts_of_tools())


def named_vendors(notice: Notice) -> tuple[NamedVendor, ...]:
    """What a notice names."""
    return tuple(
        NamedVendor(
            key=vendor["key"],
            name=vendor["name"],
            purposes=tuple(vendor["purposes"]),
            cookies=tuple((cookie["storage"], cookie["name"]) for cookie in vendor["cookies"]),
            hosts=tuple(catalogue.vendors().get(vendor["key"], {}).get("hosts", ())),
            on_before=vendor["key"] in notice.vendors_on_before,
        )
        for vendor in notice.body["vendors"]
    )


def _vendor(key: str, entry: Mapping[str, Any]) -> CatalogueVendor:
    hosts = KnownVendor(
        key=key,
        adapter=entry.get("adapter"),
        hosts=tuple(entry.get("hosts", ())),
        id_pattern=entry.get("id_pattern"),
        sources={name: tuple(sources) for name, sources in entry.get("csp", {}).items()},
        on_site=False,
    )
    cookies = tuple(
        (cookie.get("storage", "cookie"), cookie["name"], cookie.get("host")) for cookie in entry.get("cookies", ())
    )
    return CatalogueVendor(key, entry["name"], tuple(entry["purposes"]), hosts, cookies)
