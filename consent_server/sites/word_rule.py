"""Say on a notice's first layer what its rule means: what runs until somebody objects, and where to do so."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from consent_server.sites import catalogue
from consent_server.sites.rules_places import Rule
from consent_server.sites.wording import Wording

# 11 CCR 7015: these words, in English whatever the page's language is, with the official icon beside them.
AMERICAN_LINK = "Your Privacy Choices"
# What the widget and the receipt say in a notice under which something runs before a choice.
SHOWN = ("accept", "note", "objected", "not_objected", "honored")


# The end of the sentence that says what is asked for.
ASKED = re.compile(r"\{purposes\}[^.。]*[.。]")


def beside_the_question(language: str, told: Sequence[str], banner: Mapping[str, str]) -> dict[str, str]:
    """The texts of a banner that asks, where other purposes, by these phrases, run until somebody objects.

    That stands right behind what is asked for, where a phone shows it too: what follows there waits behind "More".
    """
    texts = catalogue.locales()[language]["rules"]
    phrases = Wording(language).listed([literal(phrase) for phrase in told])
    aside = texts["without_consent"].format(purposes=phrases, customise=literal(banner["customise"]))
    intro = banner["intro"]
    asked = ASKED.search(intro)
    at = asked.end() if asked else len(intro)
    # No blank between sentences where the language has none.
    blank = "" if aside.endswith("。") else " "
    return {**banner, "intro": f"{intro[:at]}{blank}{aside}{intro[at:]}"}


def literal(text: str) -> str:
    """A text that stands as it is in one whose {places} are filled later."""
    return text.replace("{", "{{").replace("}", "}}")


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
