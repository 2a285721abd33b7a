"""A site: one property that embeds the widget, with what its operator declared about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NewType

from consent_server.core.errors import UnknownSite
from consent_server.sites.rules_origin import as_sent, origin_matches
from consent_server.sites.rules_regions import Region

SiteKey = NewType("SiteKey", str)

# One page load in so many tells which vendors may run there, where a site file says nothing else.
SAMPLE = 50

KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Tag:
    """What makes a vendor load on this site: the adapter of the widget and the site's own ids.

    `conversions` has for each name the destinations that Google calls `send_to`; `hosts` are where requests of a
    vendor of the site's own go. None of it is shown to a visitor, so none of it is part of the notice.
    """

    vendor: str
    adapter: str | None
    ids: tuple[str, ...] = ()
    conversions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "vendor": self.vendor,
            "adapter": self.adapter,
            "ids": list(self.ids),
            "conversions": {name: list(sent_to) for name, sent_to in self.conversions.items()},
            "hosts": list(self.hosts),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Tag":
        """Read the stored form back, also that of sites applied when a vendor had one id."""
        ids = stored["ids"] if "ids" in stored else [stored["id"]] if stored["id"] else []
        conversions = {
            name: (sent_to,) if isinstance(sent_to, str) else tuple(sent_to)
            for name, sent_to in stored["conversions"].items()
        }
        return cls(stored["vendor"], stored["adapter"], tuple(ids), conversions, tuple(stored.get("hosts", ())))


@dataclass(frozen=True, slots=True)
class Site:
    """What the server needs to know of a site beside its notice.

    `demo`: nothing on its record ever happened. Every page that tells of the site says so. `google`: what its tags
    are told beside their ids. One page load in `sample` tells which vendors may run there; none where that is 0.
    Where a visitor is in none of `regions`, nothing runs before a grant.
    With `weekly_mail` those who are told of alerts are sent the rates of each week. `retired`: no visitor is asked any
    more; what was recorded stays.
    """

    key: SiteKey
    name: str
    origins: tuple[str, ...]
    default_language: str
    proof_retention: str
    time_zone: str
    tags: tuple[Tag, ...]
    demo: bool = False
    google: Mapping[str, Any] = field(default_factory=dict)
    sample: int = SAMPLE
    regions: tuple[Region, ...] = ()
    weekly_mail: bool = False
    retired: bool = False

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "origins": list(self.origins),
            "default_language": self.default_language,
            "proof_retention": self.proof_retention,
            "time_zone": self.time_zone,
            "tags": [tag.to_json() for tag in self.tags],
            "demo": self.demo,
            "google": dict(self.google),
            "sample": self.sample,
            "regions": [region.to_json() for region in self.regions],
            "weekly_mail": self.weekly_mail,
            "retired": self.retired,
        }

    @classmethod
    def from_json(cls, key: str, name: str, stored: Mapping[str, Any]) -> "Site":
        """Read the stored form back."""
        tags = tuple(map(Tag.from_json, stored["tags"]))
        return cls(
            SiteKey(key),
            name,
            # Sites applied before an origin was stored in one spelling have it as it was written.
            tuple(map(as_sent, stored["origins"])),
            stored["default_language"],
            stored["proof_retention"],
            # Sites applied before this setting was there count in UTC.
            stored.get("time_zone", "UTC"),
            tags,
            stored.get("demo", False),
            stored.get("google", {}),
            stored.get("sample", SAMPLE),
            tuple(map(Region.from_json, stored.get("regions", ()))),
            stored.get("weekly_mail", False),
            stored.get("retired", False),
        )

    def own_page(self, page: str | None) -> str | None:
        """This page where it is the site's: what a browser says of its page is only its word."""
        scheme, _, rest = (page or "").partition("://")
        return page if self.admits(f"{scheme}://{rest.split('/')[0]}") else None

    def home(self, page: str | None = None) -> str:
        """A page of the site: this one where it is the site's, else the site's first origin.

        No receipt may lead a visitor to another host.
        """
        return self.own_page(page) or self.origins[0].removesuffix(":*") + "/"

    def admits(self, origin: str | None) -> bool:
        """Whether a page of this origin is the site's, however it is spelt."""
        return origin is not None and origin_matches(as_sent(origin), self.origins)


def unknown_site(key: str) -> UnknownSite:
    """What is said of a key that is no site's."""
    return UnknownSite(f"There is no site {key!r} here. Apply its file with: consent site apply FILE.toml")


def retired_site(key: str) -> UnknownSite:
    """What is said of one that is shown no more."""
    return UnknownSite(f"The site {key!r} was retired, and asks no visitor. Its receipts stay what they are.")


def ledger_origin(url: str, site: str) -> str:
    """The origin that a new ledger gets: a schema-less URL (C2SP tlog-checkpoint)."""
    return f"{url.split('://', 1)[-1]}/ledger/{site}"


# The arm that is the site's own notice.
CONTROL = "control"


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A site with the id that its rows refer to."""

    id: int
    site: Site
