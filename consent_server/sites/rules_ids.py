"""What an id at a vendor looks like, in words: who fills it in reads no patterns."""

import re

_PREFIX = re.compile(r"[A-Za-z]+-")
_DIGITS = re.compile(r"(\[1-9\])?\[0-9\]\{(\d+),(\d+)\}")


def id_looks(pattern: str, example: str | None) -> str:
    """ "begins with G-, as in G-SHOP123456"; "" where neither pattern nor example says anything."""
    such_as = f", as in {example}" if example else ""
    if begins := _PREFIX.match(pattern):
        return f"begins with {begins[0]}{such_as}"
    if digits := _DIGITS.fullmatch(pattern):
        first = 1 if digits[1] else 0
        return f"has {int(digits[2]) + first} to {int(digits[3]) + first} digits{such_as}"
    return f"looks like {example}" if example else ""
