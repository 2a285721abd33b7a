"""What the server takes from a request beside its body: three words, made at once and kept in counters only."""

import re
from dataclasses import dataclass

from consent_server.decisions.rules_tally import Outcome

_COUNTRY = re.compile("[A-Z]{2}")
# What proxies send where they do not know.
_NOWHERE = ("XX", "ZZ")


@dataclass(frozen=True, slots=True)
class Visit:
    """Device class, country ("" where nobody says it), and what it is counted as when it is left out of the rates."""

    device: str = "desktop"
    country: str = ""
    left_out: Outcome | None = None


def country_code(value: str | None) -> str:
    """An ISO 3166-1 alpha-2 code as a proxy sends it, or ""."""
    return value if value and _COUNTRY.fullmatch(value) and value not in _NOWHERE else ""
