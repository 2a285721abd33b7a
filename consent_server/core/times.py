"""Times as they are written and read: aware, in UTC; and what a clock elsewhere shows then."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def rfc3339(at: datetime) -> str:
    """A time in UTC as RFC 3339 has it, with milliseconds."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def utc_now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)


def local_day(at: datetime, time_zone: str) -> date:
    """The day that it is there."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def midnight(day: date, time_zone: str) -> datetime:
    """When a day begins there, in UTC; at the ends of the calendar, as early or late as there is a time."""
    try:
        # Where a clock is put forward at midnight, what the day lacks is what came before by the clock of then.
        return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


def local_hour(at: datetime, time_zone: str) -> str:
    """The hour that it is there: "2026-11-01T13"."""
    return at.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%dT%H")
