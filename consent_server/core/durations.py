"""ISO 8601 durations of years, months and days."""

import re

_DURATION = re.compile(r"P(?:([0-9]{1,2})Y)?(?:([0-9]{1,3})M)?(?:([0-9]{1,4})D)?")


def duration_parts(value: str) -> tuple[int, int, int] | None:
    """Years, months and days of a duration such as P1Y6M; None when it is none."""
    match = _DURATION.fullmatch(value)
    if match is None or not any(match.groups()):
        return None
    years, months, days = (int(group or 0) for group in match.groups())
    return years, months, days


def duration_days(value: str) -> int | None:
    """Days of a duration such as P3Y, rounded up; None when it is none."""
    parts = duration_parts(value)
    return None if parts is None else parts[0] * 366 + parts[1] * 31 + parts[2]
