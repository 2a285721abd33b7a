"""What the server takes from a request beside its body: three words, made at once and kept in counters only."""

from dataclasses import dataclass

from consent_server.decisions.rules_tally import Outcome


@dataclass(frozen=True, slots=True)
class Visit:
    """Device class, country ("" where nobody says it), and what it is counted as when it is left out of the rates."""

    device: str = "desktop"
    country: str = ""
    left_out: Outcome | None = None
