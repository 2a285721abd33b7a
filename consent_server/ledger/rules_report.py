"""What a check of the ledger, or of a part of it, looked at, and what is wrong there."""

from collections import Counter
from dataclasses import dataclass, field

# Faults that are listed one by one. Of a ledger that is wrong throughout nobody reads more.
LISTED = 1000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing or place that was looked at, whether it is as it should be, and what was seen, in words."""

    name: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" if self.name else self.detail


@dataclass(slots=True, kw_only=True)
class Report:
    """`counts` says how much was looked at, by kind; `checks` holds the faults, and what else is listed one by one.

    `unlisted` counts the faults beyond the first thousand.
    """

    counts: Counter[str] = field(default_factory=Counter)
    checks: list[Check] = field(default_factory=list)
    unlisted: int = 0

    def add(self, name: str, ok: bool, detail: str) -> Check:
        """List what was seen, however much that is."""
        self.checks.append(Check(name, ok, detail))
        return self.checks[-1]

    def fail(self, name: str, detail: str) -> None:
        """List a fault among the first thousand, and count any other."""
        if len(self.checks) < LISTED:
            self.add(name, False, detail)
        else:
            self.unlisted += 1

    @property
    def faults(self) -> list[str]:
        """Each with its place, in words."""
        return [str(check) for check in self.checks if not check.ok]
