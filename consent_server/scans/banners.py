"""The banners that a scan knows, as data: of other tools, and in words of many languages."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from consent_server.sites import catalogue

HERE = Path(__file__).parent
# Buttons of our own banner that say in each language what others say too.
OWN_WORDS = {"accept": "accept", "refuse": "refuse", "more": "customise", "reopen": "reopen"}
LATER_WORDS = {"save": "save", "withdraw": "withdraw"}
_MARKS = re.compile(r"[\s'’\"“”«».,!:;→›»✓✕×]+")


@cache
def known_banners() -> dict[str, Any]:
    """The tools, and the words by what a button does, as in_page/banner.js takes them."""
    read = tomllib.loads((HERE / "banners.toml").read_text("utf-8"))
    words = {kind: set(map(plain, said)) for kind, said in read["words"].items()}
    for texts in catalogue.locales().values():
        for kind, word in _own_words(texts):
            words[kind].add(plain(word))
    return {"tools": read["tools"], "words": {kind: sorted(said) for kind, said in words.items()}}


def hosts_of_tools() -> dict[str, tuple[str, ...]]:
    """The hosts of each tool that has its own."""
    return {tool["name"]: tuple(tool["hosts"]) for tool in known_banners()["tools"] if "hosts" in tool}


def plain(text: str) -> str:
    """Words as they are compared, here and in the page."""
    return _MARKS.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()


def _own_words(texts: Mapping[str, Any]) -> list[tuple[str, str]]:
    layers = [(texts["banner"], OWN_WORDS), (texts["preferences"], LATER_WORDS)]
    return [(kind, layer[key]) for layer, keys in layers for kind, key in keys.items() if key in layer]
