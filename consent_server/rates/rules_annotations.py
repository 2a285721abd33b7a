"""A remark on a day of the rates: "campaign began"."""

from dataclasses import asdict, dataclass
from typing import Any

# As many characters as fit beside a chart.
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Annotation:
    """What happened on a day of the site's own clock ("2026-11-17"), by the number that takes it away again."""

    id: int
    day: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """As answers have it."""
        return asdict(self)
