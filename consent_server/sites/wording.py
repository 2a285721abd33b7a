"""Counts, lists and durations in the words of a language, with its plural forms (Unicode CLDR)."""

from collections.abc import Sequence
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime

from consent_server.core.durations import duration_parts
from consent_server.sites import catalogue

# Longest first; a lifetime is told in the largest unit that it fills at least once, to the nearest.
_UNITS = (("years", 31_536_000), ("months", 2_629_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60))


class Wording:
    """Says numbers in one language."""

    def __init__(self, language: str) -> None:
        self._texts = catalogue.locales()[language]
        self._locale = Locale.parse(language, sep="-")

    def count(self, noun: str, number: int) -> str:
        """A noun of the locale's [plural] table with its number, such as "3 third parties"."""
        form = self._locale.plural_form(number)
        return str(self._texts["plural"][noun][form]).format(n=number)

    def listed(self, phrases: Sequence[str]) -> str:
        """Phrases in a row, such as "audience measurement and advertising"."""
        meta = self._texts["meta"]
        *first, last = phrases
        return str(meta["and"].join([meta["comma"].join(first), last])) if first else last

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

    def duration(self, value: str) -> str:
        """An ISO 8601 duration, such as "1 year and 6 months" for P1Y6M."""
        parts = zip(("years", "months", "days"), duration_parts(value) or (0, 0, 0), strict=True)
        return self.listed([self.count(unit, number) for unit, number in parts if number] or [self.count("days", 0)])

    def moment(self, at: datetime) -> str:
        """A date and time, in UTC and saying so."""
        return f"{format_datetime(at, 'long', locale=self._locale)}"

    def day(self, at: date) -> str:
        """A date; that of a moment in UTC."""
        return f"{format_date(at, 'long', locale=self._locale)}"
