"""What differs between two notices of a site, as a visitor would name it (WP260 rev.01 ¶29: changes are told)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Body = Mapping[str, Any]


class What(StrEnum):
    """Kinds of change, in the order in which they are told: what a consent rests on first, words and looks last."""

    CONTROLLER = "controller"
    PURPOSES_ADDED = "purposes_added"
    PURPOSES_REMOVED = "purposes_removed"
    VENDORS_ADDED = "vendors_added"
    VENDORS_REMOVED = "vendors_removed"
    VENDORS = "vendors"
    COOKIES = "cookies"
    RECIPIENTS = "recipients"
    MODE = "mode"
    CHOICE_DAYS = "choice_days"
    POLICY = "policy"
    LANGUAGES = "languages"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `names` are purposes or vendors as people know them, and none for all other kinds."""

    what: What
    names: tuple[str, ...] = ()


# The members of a notice that a kind stands for.
MEMBERS = {
    What.CONTROLLER: ("controller", "dpo", "authority"),
    What.RECIPIENTS: ("recipients",),
    What.MODE: ("mode", "rule", "regional_grants"),
    What.CHOICE_DAYS: ("choice_days", "cookie_domain"),
    What.POLICY: ("policy",),
    What.LANGUAGES: ("languages",),
}
# Those that are compared one by one.
COMPARED = {"purposes", "vendors", "texts", *(member for members in MEMBERS.values() for member in members)}
# The intro counts and lists these: it is then another one without anybody having worded it anew.
IN_THE_INTRO = {What.PURPOSES_ADDED, What.PURPOSES_REMOVED, What.VENDORS_ADDED, What.VENDORS_REMOVED,
                What.VENDORS, What.CHOICE_DAYS}  # fmt: skip


def changes(before: Body, after: Body, language: str) -> tuple[Change, ...]:
    """How `after` differs from `before`, with purposes named in a language; none only for equal notices."""
    named = {
        What.PURPOSES_ADDED: _without(_titles(after, language), _titles(before, language)),
        What.PURPOSES_REMOVED: _without(_titles(before, language), _titles(after, language)),
        What.VENDORS_ADDED: _without(_names(after), _names(before)),
        What.VENDORS_REMOVED: _without(_names(before), _names(after)),
        What.VENDORS: _differing(before, after, lambda vendor: {**vendor, "cookies": None}),
        What.COOKIES: _differing(before, after, lambda vendor: vendor["cookies"]),
    }
    found = {what: Change(what, names) for what, names in named.items() if names}
    for what, members in MEMBERS.items():
        if any(before.get(member) != after.get(member) for member in members):
            found[what] = Change(what)
    counted = not IN_THE_INTRO.isdisjoint(found)
    if _wording(before, after, counted) != _wording(after, before, counted) or (not found and before != after):
        found[What.WORDS] = Change(What.WORDS)
    return tuple(found[what] for what in What if what in found)


def _titles(body: Body, language: str) -> dict[str, str]:
    # A language that an earlier notice did not have yet: its purposes are named in the first that it had.
    texts = body["texts"].get(language) or body["texts"][body["languages"][0]]
    return {key: purpose["title"] for key, purpose in texts["purposes"].items()}


def _names(body: Body) -> dict[str, str]:
    return {vendor["key"]: vendor["name"] for vendor in body["vendors"]}


def _without(named: Mapping[str, str], others: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for key, name in named.items() if key not in others)


def _differing(before: Body, after: Body, look: Callable[[Body], object]) -> tuple[str, ...]:
    known = {vendor["key"]: vendor for vendor in before["vendors"]}
    return tuple(
        vendor["name"]
        for vendor in after["vendors"]
        if vendor["key"] in known and look(vendor) != look(known[vendor["key"]])
    )


def _wording(body: Body, other: Body, counted: bool) -> dict[str, Any]:
    """What is left to differ: looks, and the texts that both have; without the intro where something else made it."""
    texts = {language: said for language, said in body["texts"].items() if language in other["texts"]}
    return {
        "looks": {member: value for member, value in body.items() if member not in COMPARED},
        "banner": [
            {
                key: text
                for key, text in _shared(said["banner"], other["texts"][language]["banner"]).items()
                if not (counted and key == "intro")
            }
            for language, said in texts.items()
        ],
        "purposes": [
            {key: told for key, told in said["purposes"].items() if key in other["texts"][language]["purposes"]}
            for language, said in texts.items()
        ],
        "other": [
            [_shared(said[part], other["texts"][language][part]) for part in ("preferences", "transfer")]
            for language, said in texts.items()
        ],
    }


def _shared(said: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    # A word that comes with a cookie or a mode was worded anew by nobody.
    return {key: text for key, text in said.items() if key in others}
