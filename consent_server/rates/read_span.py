"""The days that an address asks for, and those to compare them with."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from consent_server.core.errors import Fault, InvalidQuery
from consent_server.rates.read import By, Span
from consent_server.rates.read_context import Context

USUAL_DAYS = 28


# Of hours: one row each.
LONGEST_BY_HOUR = 31


LONGEST = 1100


def asked_span(values: Mapping[str, Any], now: date) -> Span:
    """From `first` to `last`: by default the last 28 days, today included. Raises InvalidQuery."""
    last = values["last"] or now
    first = values["first"] or last - timedelta(days=USUAL_DAYS - 1)
    if (last - first).days >= LONGEST:
        raise _fault("to", f"Ask for at most {LONGEST} days.")
    if first > last:
        raise _fault("to", "Must not be before `from`.")
    if values["by"] is By.HOUR and (last - first).days >= LONGEST_BY_HOUR:
        raise _fault("to", f"By hour, ask for at most {LONGEST_BY_HOUR} days.")
    return Span(first, last)


def asked_other(values: Mapping[str, Any], span: Span) -> Span | None:
    """The days to compare with, None when none are named. With one end alone, as many as the span has.

    Raises InvalidQuery.
    """
    first, last = values["compare_first"], values["compare_last"]
    if first is None and last is None:
        return None
    more = timedelta(days=span.days - 1)
    other = Span(first or last - more, last or first + more)
    if other.days > LONGEST:
        raise _fault("compare_to", f"Ask for at most {LONGEST} days.")
    if other.first > other.last:
        raise _fault("compare_to", "Must not be before `compare_from`.")
    if shares_days(span, other):
        # The interval of a difference is that of two periods which have nothing in common.
        raise _fault("compare_from", "The two periods must not overlap.")
    return other


def shares_days(one: Span, other: Span) -> bool:
    """Whether a day lies in both."""
    return one.first <= other.last and other.first <= one.last


def require_known(notice: str | None, beside: Context) -> None:
    """Raises InvalidQuery for a notice (hash) that the site never showed."""
    if notice is not None and notice not in beside.known:
        raise _fault("notice", "No notice of this site has this hash.")


def _fault(name: str, detail: str) -> InvalidQuery:
    return InvalidQuery("The query parameters are invalid; nothing was looked up.", [Fault(f"#/{name}", detail)])
