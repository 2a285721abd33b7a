"""A notice: an immutable version of all that a visitor is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from consent_server.sites.rules_languages import read_language
from consent_server.sites.rules_places import Rule
from consent_server.sites.rules_signals import gpc_covers

# Undetermined (BCP 47, section 4.1): what a browser said was no language of the notice.
UNKNOWN_LANGUAGE = "und"
# Where a vendor keeps something in the browser. The later kinds have their words in a notice, and are named to the
# widget, only where a vendor has one: so no other notice became another by them.
FIRST_STORAGE = ("cookie", "local", "session")
LATER_STORAGE = ("indexeddb", "cache", "service-worker")


class Asks(StrEnum):
    """What a banner is for: a choice; to tell what runs, once; or nothing, where there is only a link."""

    CHOICE = "choice"
    TOLD = "told"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Notice:
    """A frozen notice: `body` is what its RFC 8785 bytes say, `hash` their SHA-256 in hex.

    The body is the truth; the properties only read it.
    """

    hash: str
    body: Mapping[str, Any]

    @cached_property
    def purposes(self) -> tuple[str, ...]:
        """Keys of the purposes, in the order shown."""
        return tuple(purpose["key"] for purpose in self.body["purposes"])

    @cached_property
    def gpc_purposes(self) -> tuple[str, ...]:
        """Purposes that Global Privacy Control keeps off: also those that run until somebody objects, but for help."""
        return tuple(
            p["key"]
            for p in self.body["purposes"]
            if gpc_covers(tuple(p["signals"])) or (p["key"] in self.on_before and measures(p))
        )

    @property
    def rule(self) -> Rule:
        """What holds in the places that it is shown in. One from before there were regions asks first."""
        return Rule(self.body.get("rule", Rule.OPT_IN))

    @cached_property
    def on_before(self) -> frozenset[str]:
        """Purposes that run before a choice, until somebody objects. All others are off until they are granted.

        This is all that a rule does: what runs, what is asked, what a receipt says and who may have an identifier
        follow from it.
        """
        return on_before(self.body)

    @cached_property
    def vendors_on_before(self) -> frozenset[str]:
        """Vendors that serve such purposes alone."""
        return frozenset(key for key, purposes in self.vendors.items() if self.on_before.issuperset(purposes))

    @property
    def asks(self) -> Asks:
        """What its banner is for."""
        if not self.on_before.issuperset(self.purposes):
            return Asks.CHOICE
        return Asks.TOLD if self.rule in (Rule.OPT_IN, Rule.NOTICE) else Asks.NOTHING

    @cached_property
    def vendors(self) -> dict[str, tuple[str, ...]]:
        """Vendor key to the purposes of which any one lets it load."""
        return {vendor["key"]: tuple(vendor["purposes"]) for vendor in self.body["vendors"]}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages in which it can be shown."""
        return tuple(self.body["languages"])

    def language_shown(self, said: str) -> str:
        """The language of the notice that a browser means by what it says ("fr-CA", "FR"), or UNKNOWN_LANGUAGE."""
        return read_language(said, self.languages) or UNKNOWN_LANGUAGE

    @cached_property
    def choice_lifetime(self) -> timedelta:
        """How long a choice stands, yes and no alike."""
        return timedelta(days=self.body["choice_days"])

    @property
    def controller(self) -> Mapping[str, Any]:
        """Who asks."""
        return self.body["controller"]  # type: ignore[no-any-return]

    def policies(self, language: str) -> dict[str, dict[str, Any]]:
        """The privacy and cookie policies in force, each with the address of one of the notice's languages."""
        return policies(self.body, language)


def on_before(body: Mapping[str, Any]) -> frozenset[str]:
    """The purposes of a notice that run until somebody objects, by the rule of the place or by their own basis."""
    asks_first = body.get("rule", Rule.OPT_IN) == Rule.OPT_IN
    return frozenset(p["key"] for p in body["purposes"] if p.get("basis") == "objection" or not asks_first)


def measures(purpose: Mapping[str, Any]) -> bool:
    """Whether a purpose watches visitors for a third party, or for statistics."""
    return purpose.get("basis") == "objection" or "analytics_storage" in purpose["signals"]


def readable_language(body: Mapping[str, Any], language: str) -> str:
    """The language in which to tell of a notice that was shown in `language`: its first where that is unknown."""
    return language if language in body["texts"] else str(body["languages"][0])


@dataclass(frozen=True, slots=True)
class Configuration:
    """What widget code was called with in one language, as the JSON texts that were served, one a script.

    `details` is None for code from before there was a third script.
    """

    language: str
    main: str
    preferences: str
    details: str | None

    @property
    def parts(self) -> dict[str, str]:
        """The texts by script, in the order in which code is archived."""
        parts = {"main": self.main, "preferences": self.preferences, "details": self.details}
        return {part: text for part, text in parts.items() if text is not None}


def policies(body: Mapping[str, Any], language: str) -> dict[str, dict[str, Any]]:
    """The policies of a notice with `url` as one address: a site may have one for all languages, or one for each."""
    shown = readable_language(body, language)
    return {
        name: {**policy, "url": policy["url"] if isinstance(policy["url"], str) else policy["url"][shown]}
        for name, policy in body["policy"].items()
    }


def consent_basis(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a consent rests on: who asks, for which purposes, who receives.

    A change of any of these needs a new consent (EDPB 05/2020 ¶110); a change of words, colours or of
    a cookie's lifetime is a new notice, yet not a new question.
    """
    return {
        "controller": body["controller"]["name"],
        # Sorted: another order on the screen is no other question.
        "purposes": sorted(purpose["key"] for purpose in body["purposes"]),
        "vendors": sorted([v["key"], v["operator"]["name"], *sorted(v["purposes"])] for v in body["vendors"]),
        # Only where there are any: no consent of before rests on them.
        **{key: body[key] for key in ("regional_grants", "rule") if key in body},
        **(
            {"objections": objections}
            if (objections := sorted(p["key"] for p in body["purposes"] if "basis" in p))
            else {}
        ),
    }
