"""Names and sentences that people give: one form of each, and nothing in it that a reader does not see."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

# Joiners, without which Persian, Indic scripts and emoji are written wrongly; marks of direction, which turn nothing
# round; the soft hyphen.
_HARMLESS = frozenset("\u200c\u200d\u200e\u200f\u061c\u00ad")
# Embeddings, overrides and isolates (Unicode Standard Annex 9): they reach over what stands after them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Characters of the class Cf that are seen: Arabic and Syriac signs of numbers and abbreviations.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Letters and symbols that are drawn as nothing: fillers of Hangul, and Braille without a dot.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def normal_text(text: str) -> str:
    """In Unicode's form NFC: what looks the same is the same, whatever system it was typed on."""
    return unicodedata.normalize("NFC", text)


def normal_password(text: str) -> str:
    """As passwords are compared (RFC 8265, section 4.2): in NFC, every kind of blank as the one that keyboards have."""
    blanks = (" " if unicodedata.category(character) == "Zs" else character for character in text)
    return unicodedata.normalize("NFC", "".join(blanks))


def text_fault(text: str) -> str | None:
    """Why this cannot be shown as one line of text, or None. No text at all is none of its faults."""
    for character in text:
        # Cc: control characters; Zl, Zp: line and paragraph separators; Cs: half of a surrogate pair.
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
            return "has control characters; one line of plain text is expected"
        if character in _TURNING:
            return f"has {_code(character)}, which turns round how what follows is read; leave it out"
        if unicodedata.category(character) == "Cf" and character not in _HARMLESS | _SEEN:
            return f"has {_code(character)}, which nobody sees; leave it out"
    return None if not text or any(map(_is_seen, text)) else "has no character that is seen"


def read_line(given: str, longest: int) -> str:
    """One line of text, in one form. Raises ValueError, whose words go on after the name of what was given."""
    line = normal_text(given.strip())
    if fault := text_fault(line):
        raise ValueError(fault)
    if not 1 <= len(line) <= longest:
        raise ValueError(f"has {len(line)} characters; 1 to {longest} are allowed")
    return line


def meant(word: str, known: Iterable[str]) -> str:
    """A question that names what was probably meant: " Did you mean `media`?" Empty where nothing is near."""
    by_letters = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), sorted(by_letters), n=1)
    return f" Did you mean `{by_letters[near[0]]}`?" if near else ""


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _is_seen(character: str) -> bool:
    # Marks are seen on a letter, and private characters where somebody's font has them.
    return character in _SEEN or (unicodedata.category(character)[0] not in "ZCM" and character not in _BLANK)
