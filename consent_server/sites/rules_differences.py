"""What differs between two notices, in English, for those who publish them; rules_changes.py is for visitors.

Each difference is told as finely as somebody would say it aloud, and nothing differs untold.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

Body = Mapping[str, Any]
# "German" for "de".
LanguageName = Callable[[str], str]

WORDS = {"+": "added", "-": "removed"}
# What people call a text of the banner, where it is not called as it is keyed.
TEXTS = {
    "intro": "text", "accept": "word for accepting", "refuse": "word for refusing", "customise": "word for preferences",
    "privacy": "link to the privacy policy", "cookies": "link to the cookie policy", "reopen": "word for the way back",
    "placeholder": "text of stand-ins", "once": "word for “this time”", "always": "word for “always”",
    "saved": "word for “saved”",
}  # fmt: skip
# Members of a notice that are one word or number.
PLAIN = {
    "name": "name of the site", "mode": "mode", "rule": "rule", "cookie_domain": "domain of the cookie",
    "layout": "layout", "corner": "corner", "scheme": "colour scheme", "font": "font", "radius": "radius",
}  # fmt: skip
# Those that are told of as a whole.
WHOLE = {"colours": "colours", "logo": "logo", "regional_grants": "what is granted by region before a choice"}
# Those that have a function below.
TOLD = {"languages", "choice_days", "controller", "dpo", "authority", "policy", "purposes", "vendors", "recipients",
        "texts"}  # fmt: skip
PEOPLE = {"controller": "controller", "dpo": "data protection officer", "authority": "supervisory authority"}
# Parts of a vendor, of which its name and its cookies are told apart.
FACTS = {
    "name": "name", "operator": "operator", "other_entities": "other companies", "declared": "operator as declared",
    "policy_url": "policy", "transfer": "basis of transfers", "kind": "kind",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that came ("+"), went ("-") or is another one (""); `more` says what a plan has room for."""

    sign: str
    name: str
    more: str = ""

    def __str__(self) -> str:
        sign = f"{self.sign} " if self.sign else ""
        return f"{sign}{self.name}{f' ({self.more})' if self.more else ''}"

    @property
    def words(self) -> str:
        """The same as part of a title: "added Microsoft Clarity"."""
        return f"{WORDS[self.sign]} {self.name}" if self.sign else self.name


def differences(before: Body, after: Body, language_name: LanguageName) -> tuple[Difference, ...]:
    """How `after` differs from `before`, vendors first, as those who publish think of it; none for equal notices."""
    told = tuple(
        chain(
            _vendors(before, after),
            _purposes(before, after),
            _recipients(before, after),
            _people(before, after),
            _policies(before, after),
            _languages(before, after, language_name),
            _texts(before, after, language_name),
            _members(before, after),
        )
    )
    if told or before == after:
        return told
    ordered = any([*_by_key(before[part])] != [*_by_key(after[part])] for part in ("vendors", "purposes"))
    # A text that is new in this version of the server, and that nobody worded.
    return (Difference("", "order of what is shown changed" if ordered else "built-in texts changed"),)


def _vendors(before: Body, after: Body) -> Iterator[Difference]:
    old, new = _by_key(before["vendors"]), _by_key(after["vendors"])
    for sign, some, others in (("+", new, old), ("-", old, new)):
        for key, vendor in some.items():
            if key not in others:
                yield Difference(sign, vendor["name"], ", ".join(vendor["purposes"]))
    for key in [key for key in new if key in old]:
        yield from _vendor(old[key], new[key])


def _vendor(old: Body, new: Body) -> Iterator[Difference]:
    name = new["name"]
    if old["purposes"] != new["purposes"]:
        yield Difference("", f"purposes of {name} changed", f"{', '.join(new['purposes'])}; {_before(old['purposes'])}")
    for part, words in FACTS.items():
        if old.get(part) != new.get(part):
            yield Difference("", f"{words} of {name} changed")
    cookies = [[cookie["name"] for cookie in vendor["cookies"]] for vendor in (old, new)]
    yield from (Difference("+", f"{cookie} of {name}") for cookie in cookies[1] if cookie not in cookies[0])
    yield from (Difference("-", f"{cookie} of {name}") for cookie in cookies[0] if cookie not in cookies[1])
    if set(cookies[0]) == set(cookies[1]) and old["cookies"] != new["cookies"]:
        yield Difference("", f"cookies of {name} changed")


def _purposes(before: Body, after: Body) -> Iterator[Difference]:
    old, new = _by_key(before["purposes"]), _by_key(after["purposes"])
    yield from (Difference("+", f"purpose {_title(after, key)}") for key in new if key not in old)
    yield from (Difference("-", f"purpose {_title(before, key)}") for key in old if key not in new)
    for key, purpose in new.items():
        if key in old and old[key].get("basis") != purpose.get("basis"):
            runs = "runs until somebody objects" if "basis" in purpose else "needs consent"
            yield Difference("", f"{_title(after, key)} {runs}")
        elif key in old and old[key] != purpose:
            yield Difference("", f"signals of {_title(after, key)} changed")


def _title(body: Body, key: str) -> str:
    texts = body["texts"].get("en") or body["texts"][body["languages"][0]]
    return str(texts["purposes"][key]["title"])


def _recipients(before: Body, after: Body) -> Iterator[Difference]:
    old, new = ({one["name"]: one for one in body.get("recipients", ())} for body in (before, after))
    yield from (Difference("+", f"recipient {name}") for name in new if name not in old)
    yield from (Difference("-", f"recipient {name}") for name in old if name not in new)
    for name in [name for name in new if name in old]:
        for part in FACTS:
            if old[name].get(part) != new[name].get(part):
                yield Difference("", f"{FACTS[part]} of {name} changed")


def _people(before: Body, after: Body) -> Iterator[Difference]:
    for member, words in PEOPLE.items():
        old, new = before.get(member), after.get(member)
        if old is None or new is None:
            if old != new:
                yield Difference("-" if new is None else "+", words)
            continue
        for part in dict.fromkeys([*new, *old]):
            if old.get(part) != new.get(part):
                yield Difference(
                    "", f"{part} of the {words} changed", f"{_said(new.get(part))}; {_before(old.get(part))}"
                )


def _policies(before: Body, after: Body) -> Iterator[Difference]:
    for name, policy in after["policy"].items():
        old = before["policy"].get(name, {})
        if policy["version"] != old.get("version"):
            yield Difference("", f"{name} policy of {policy['version']}", _before(old.get("version")))
        for part, words in (("url", "address"), ("versions", "versions")):
            if policy.get(part) != old.get(part):
                yield Difference("", f"{words} of the {name} policy changed")


def _languages(before: Body, after: Body, language_name: LanguageName) -> Iterator[Difference]:
    old, new = before["languages"], after["languages"]
    yield from (Difference("+", language_name(one)) for one in new if one not in old)
    yield from (Difference("-", language_name(one)) for one in old if one not in new)
    if sorted(old) == sorted(new) and old != new:
        yield Difference("", "order of languages changed")


def _texts(before: Body, after: Body, language_name: LanguageName) -> Iterator[Difference]:
    """What is worded anew, with the languages of which that is so, of those that both have."""
    both = [language for language in after["languages"] if language in before["texts"]]
    changed: dict[str, list[str]] = {}
    for language in both:
        for words in _reworded(before, after, language):
            changed.setdefault(words, []).append(language)
    for words, languages in changed.items():
        where = " and ".join(map(language_name, languages)) if len(languages) < 3 else f"{len(languages)} languages"
        yield Difference("", f"{words} changed{'' if len(both) == len(languages) > 1 else f' in {where}'}")


def _reworded(before: Body, after: Body, language: str) -> Iterator[str]:
    old, new = before["texts"][language], after["texts"][language]
    counted = _counted(before) != _counted(after)
    for key, text in new["banner"].items():
        # The text counts third parties and lists purposes: it is then another one without anybody having worded it.
        if old["banner"].get(key, text) != text and not (counted and key == "intro"):
            yield TEXTS.get(key, key)
    for key, purpose in new["purposes"].items():
        if key in old["purposes"] and old["purposes"][key] != purpose:
            yield f"words of {purpose['title']}"
    parts = [part for part in dict.fromkeys([*new, *old]) if part not in ("banner", "purposes")]
    if any(_shared(old.get(part), new.get(part)) != _shared(new.get(part), old.get(part)) for part in parts):
        yield "words of the preferences"


def _counted(body: Body) -> list[Any]:
    return [body["name"], body["choice_days"], sorted(_by_key(body["purposes"])), sorted(_by_key(body["vendors"])),
            sorted({vendor["operator"]["name"] for vendor in body["vendors"]})]  # fmt: skip


def _shared(some: Any, others: Any) -> Any:
    # A word that comes with a cookie, such as that for its storage, was worded anew by nobody.
    if not isinstance(some, Mapping) or not isinstance(others, Mapping):
        return some
    return {key: text for key, text in some.items() if key in others}


def _members(before: Body, after: Body) -> Iterator[Difference]:
    if before["choice_days"] != after["choice_days"]:
        yield Difference("", f"choices last {after['choice_days']} days", _before(before["choice_days"]))
    for member in sorted((before.keys() | after.keys()) - TOLD):
        old, new = before.get(member), after.get(member)
        if old == new:
            continue
        if member in PLAIN:
            yield Difference("", f"{PLAIN[member]} changed", f"{_said(new)}; {_before(old)}")
        else:
            yield Difference("", f"{WHOLE.get(member, member)} changed")


def _by_key(entries: Sequence[Body]) -> dict[str, Body]:
    return {entry["key"]: entry for entry in entries}


def _before(value: object) -> str:
    return f"before: {_said(value)}"


def _said(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
