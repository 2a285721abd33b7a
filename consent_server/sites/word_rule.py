"""Say on a notice's first layer what its rule means: what runs until somebody objects, and where to do so."""

from collections.abc import Mapping, Sequence
from typing import Any

from consent_server.sites import catalogue
from consent_server.sites.rules_places import Rule
from consent_server.sites.wording import Wording

# 11 CCR 7015: these words, in English whatever the page's language is, with the official icon beside them.
AMERICAN_LINK = "Your Privacy Choices"
# What the widget and the receipt say in a notice under which something runs before a choice.
SHOWN = ("accept", "note", "objected", "not_objected", "honored")


def beside_the_question(language: str, told: Sequence[str], banner: Mapping[str, str]) -> dict[str, str]:
    """The texts of a banner that asks, where other purposes, by these phrases, run until somebody objects."""
    texts = catalogue.locales()[language]["rules"]
    aside = texts["without_consent"].format(purposes=Wording(language).listed(told), customise=banner["customise"])
    return {**banner, "intro": f"{banner['intro']} {aside}"}


def without_a_question(language: str, declared: Mapping[str, Any], banner: Mapping[str, str]) -> dict[str, str]:
    """The texts of a banner that asks nothing, since all runs until somebody objects: no words for a question hold."""
    texts = catalogue.locales()[language]["rules"]
    return {
        **banner,
        "title": texts["title"],
        "intro": texts["intro"],
        "accept": texts["ok"],
        "refuse": texts["refuse"],
        "close": texts["close"],
        "reopen": link_words(language, declared, banner["reopen"]),
    }


def link_words(language: str, declared: Mapping[str, Any], usual: str) -> str:
    """The words of the lasting link: the site's own for this region, those that the place prescribes, or the usual."""
    own: str | None = declared["region_texts"].get(language, {}).get("link")
    american = any(code.partition("-")[0] == "US" for code in declared["places"])
    return own or (AMERICAN_LINK if american and declared["rule"] == Rule.OPT_OUT else usual)
