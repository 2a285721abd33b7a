"""By when a visitor who exercises a right has an answer."""

from calendar import monthrange
from datetime import datetime, timedelta

# The longest that anyone waits for an answer; one month may be shorter.
REPLY_DAYS = 30


def answer_by(asked_at: datetime) -> datetime:
    """When who asked for erasure must have an answer: after 30 days or one month (GDPR 12(3)), whichever ends first."""
    # The 1st and 32 days more are in the next month, whichever it is.
    following = asked_at.replace(day=1) + timedelta(days=32)
    last = monthrange(following.year, following.month)[1]
    return min(asked_at + timedelta(days=REPLY_DAYS), following.replace(day=min(asked_at.day, last)))
