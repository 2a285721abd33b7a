"""Times as they are written and read: aware, in UTC."""

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """A time in UTC as RFC 3339 has it, with milliseconds."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def utc_now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)
