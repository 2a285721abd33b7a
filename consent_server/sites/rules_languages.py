"""Which of the offered languages readers of another tag read: old codes, macro-languages, scripts (BCP 47)."""

from collections.abc import Iterable, Iterator, Sequence

# A tag that is not offered, and in order the languages that its readers read. From the IANA registry: what a
# deprecated tag is now, a macro-language and what it encompasses. From Unicode CLDR: what is read without effort.
READ = {
    "iw": ("he",),
    "in": ("id",),
    "ji": ("yi",),
    "jw": ("jv",),
    "mo": ("ro",),
    "tl": ("fil",),
    "fil": ("tl",),
    "no": ("nb", "nn"),
    "nb": ("no", "nn"),
    "nn": ("no", "nb"),
    "sh": ("sr", "hr", "bs"),
    "bs": ("hr", "sr"),
    "cnr": ("sr", "hr", "bs"),
    "sr-latn": ("hr", "bs"),
    "cmn": ("zh",),
    "yue": ("zh",),
    "arb": ("ar",),
    "ekk": ("et",),
    "lvs": ("lv",),
    "lb": ("de",),
    "gsw": ("de",),
}
# ISO 639-2, which pages and old systems write though BCP 47 has the short code. The second of two is bibliographic.
LONG = {
    "ara": "ar", "bul": "bg", "ces": "cs", "cze": "cs", "dan": "da", "deu": "de", "ger": "de", "ell": "el", "gre": "el",
    "eng": "en", "spa": "es", "est": "et", "fin": "fi", "fra": "fr", "fre": "fr", "gle": "ga", "heb": "he", "hrv": "hr",
    "hun": "hu", "isl": "is", "ice": "is", "ita": "it", "jpn": "ja", "lit": "lt", "lav": "lv", "mlt": "mt", "nor": "no",
    "nob": "nb", "nno": "nn", "nld": "nl", "dut": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "slk": "sk",
    "slo": "sk", "slv": "sl", "swe": "sv", "tur": "tr", "ukr": "uk", "zho": "zh", "chi": "zh",
}  # fmt: skip


def read_language(tag: str, offered: Sequence[str]) -> str | None:
    """The offered language that readers of this tag read, or None. Capitals and underscores are no difference."""
    known = {language.lower(): language for language in offered}
    # A POSIX locale, such as pt_BR.UTF-8 or ca_ES@valencia, has more behind it.
    plain = tag.partition(".")[0].partition("@")[0].replace("_", "-").lower()
    first, separator, rest = plain.partition("-")
    tags = list(_wider(LONG.get(first, first) + separator + rest))
    read = (language for wider in tags for language in READ.get(wider, ()))
    return next((known[language] for language in (*tags, *read) if language in known), None)


def _wider(tag: str) -> Iterator[str]:
    """A tag, and the same without its last subtag, and so on (RFC 4647, section 3.4)."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def read_first(tags: Iterable[str], offered: Sequence[str]) -> str | None:
    """Of several wishes in their order, what the first that can be met is met with."""
    return next((language for tag in tags if (language := read_language(tag, offered))), None)
