"""The regions of a site: what holds where, before a visitor has chosen (docs/regions.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent_server.sites.rules_places import GROUPS, Place, Rule, members

# In `places`: every known place that no region names.
ELSEWHERE = "*"


@dataclass(frozen=True, slots=True)
class Region:
    """Places in which one rule holds on a site."""

    key: str
    rule: Rule
    places: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"key": self.key, "rule": self.rule.value, "places": list(self.places)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Region":
        """Read the stored form back."""
        return cls(stored["key"], Rule(stored["rule"]), tuple(stored["places"]))


def region_of(regions: Sequence[Region], place: Place) -> Region | None:
    """The region of a place: that which names its part, else its country, a group of it, or all others.

    None where the place is unknown or no region names it: there the site's own notice asks first.
    """
    found = [(rank, region) for region in regions for code in region.places if (rank := _rank(code, place)) is not None]
    return min(found, key=lambda one: one[0])[1] if found else None


def _rank(code: str, place: Place) -> int | None:
    if place.country is None:
        return None
    meant = (code == place.region, code == place.country, code in GROUPS and place.country in members(code))
    return meant.index(True) if any(meant) else len(meant) if code == ELSEWHERE else None
