"""Counts, lists, durations and dates in the words of a language (Unicode CLDR)."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from babel import Locale
from babel.dates import tokenize_pattern
from babel.lists import format_list

from consent_server.core.durations import duration_parts
from consent_server.sites import catalogue

# Longest first; a lifetime is told in the largest unit that it fills at least once, to the nearest.
_UNITS = (("years", 31_536_000), ("months", 2_629_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60))
# Whose words these are, where the language alone stands for those of another country.
_COUNTRIES = {"en": "en_GB", "pt": "pt_PT"}
# What CLDR leaves to programs: "and" before some beginnings, the first of a month, and words without spaces.
_AND = {"es": (r"h?i(?![ae])", "y ", "e "), "he": (r"[^\u0590-\u05ff]", "ו", "ו-")}
_FIRST = {"fr": "1er"}
_UNSPACED = ("ja", "zh")
_FIELDS = {"y": "{0}", "M": "{1}", "d": "{2}"}


def isolated(name: str, direction: str) -> str:
    """A name as it may stand among words from right to left, which would put its signs in another order (UAX 9)."""
    return f"\u2068{name}\u2069" if direction == "rtl" else name


def language_in_english(language: str) -> str:
    """What operators call a language, such as "German" for "de"; the code itself where it has no name."""
    return str(Locale("en").languages.get(language.replace("-", "_"), language))


class Wording:
    """Says numbers in one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._texts = catalogue.locales()[language]
        self._locale = Locale.parse(_COUNTRIES.get(language, language))

    def count(self, noun: str, number: int) -> str:
        """A noun of the locale's [plural] table with its number, such as "3 third parties"."""
        form = self._locale.plural_form(number)
        return str(self._texts["plural"][noun][form]).format(n=number)

    def listed(self, phrases: Sequence[str]) -> str:
        """Phrases in a row, such as "audience measurement and advertising"."""
        said = format_list(phrases, locale=self._locale)
        beginning, usual, other = _AND.get(self._language, ("$^", "", ""))
        if len(phrases) > 1 and re.match(beginning, phrases[-1], re.IGNORECASE):
            return said.removesuffix(usual + phrases[-1]) + other + phrases[-1]
        return said

    def names(self, names: Sequence[str]) -> str:
        """Names one after the other, of whatever script they are."""
        meta = self._texts["meta"]
        return str(meta["comma"].join(isolated(name, meta["direction"]) for name in names))

    def choice_lifetime(self, days: int) -> str:
        """Days as months where they make whole ones of 30 days, as 180 does six."""
        return self.count("days", days) if days % 30 else self.count("months", days // 30)

    def lifetime(self, seconds: int) -> str:
        """A cookie's lifetime, such as "2 years" or "90 days"."""
        for unit, size in _UNITS:
            number = round(seconds / size)
            # Years where they are whole, months from half a year on: 7,776,000 seconds are documented as 90 days.
            told = {"years": seconds % size == 0, "months": number >= 6 and abs(seconds - number * size) < size / 10}
            if seconds >= size and told.get(unit, True):
                return self.count(unit, number)
        return self.count("minutes", 1)

    def place(self, code: str) -> str:
        """A place of ISO 3166-1 or -2, such as "United States (CA)"; a group by its letters."""
        country, _, part = code.partition("-")
        name = str(self._locale.territories.get(country, country))
        return f"{name} ({part})" if part else name

    def duration(self, value: str) -> str:
        """An ISO 8601 duration, such as "1 year and 6 months" for P1Y6M."""
        parts = zip(("years", "months", "days"), duration_parts(value) or (0, 0, 0), strict=True)
        said = [self.count(unit, number) for unit, number in parts if number] or [self.count("days", 0)]
        return "".join(said) if self._language in _UNSPACED else self.listed(said)

    def moment(self, at: datetime) -> str:
        """A date and time to the minute, in UTC and saying so."""
        return f"{self._dated('moment', at.astimezone(UTC))} UTC"

    def day(self, at: date) -> str:
        """A date; that of a moment in UTC."""
        return self._dated("day", at.astimezone(UTC) if isinstance(at, datetime) else at)

    def _dated(self, form: str, at: date) -> str:
        dates = self.dates()
        day = dates.get("first", "1") if at.day == 1 else at.day
        return str(dates[form].format(at.year, dates["months"][at.month - 1], day, f"{at:%H}", f"{at:%M}"))

    def dates(self) -> dict[str, Any]:
        """How a day and a moment are written, for browsers too, which know neither all languages nor the same forms.

        {0} is the year, {1} one of `months`, {2} the day, `first` where it is the first and written otherwise, {3} the
        hour and {4} the minute.
        """
        tokens = list(tokenize_pattern(self._locale.date_formats["long"].pattern))
        day = "".join(_FIELDS[token[0]] if kind == "field" else str(token) for kind, token in tokens)
        names = list(self._locale.months["format"]["wide"].values())
        time = "{3}.{4}" if "." in self._locale.time_formats["short"].pattern else "{3}:{4}"
        return {
            "day": day,
            "moment": self._locale.datetime_formats["medium"].format(time, day),
            "months": names if ("field", ("M", 4)) in tokens else list(range(1, 13)),
            **({"first": _FIRST[self._language]} if self._language in _FIRST else {}),
        }
