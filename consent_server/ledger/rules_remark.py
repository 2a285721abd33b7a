"""What a ledger says of itself in a signed entry that removes nothing (docs/formats/evidence.md, section 4)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import inf
from typing import Any
from uuid import UUID

from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import SHA256_HEX
from consent_server.decisions.rules_receipt import Issuer
from consent_server.ledger.rules_removal import entry_claims

REMARK_TYPE = "consent-remark+jwt"


class RemarkRule(StrEnum):
    """What a remark says.

    The clock was wrong: the times of these leaves, and of the checkpoints that end in them, are not relied on.
    The database was restored from a backup: what an earlier ledger had signed beyond it is lost.
    These records are not genuine: nobody answered there.
    """

    CLOCK_CORRECTED = "clock-corrected"
    RESTORED = "restored"
    NOT_GENUINE = "not-genuine"


SAID = {
    RemarkRule.CLOCK_CORRECTED: "leaves dated by a wrong clock, says a signed entry",
    RemarkRule.RESTORED: "leaves lost when a backup was restored, says a signed entry",
    RemarkRule.NOT_GENUINE: "leaves marked as not genuine by a signed entry",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """What was lost: a ledger of this name had signed `size` leaves under `root` (hex); `restored` of them are here."""

    ledger: str
    size: int
    root: str
    restored: int

    @property
    def lost(self) -> int:
        """How many leaves."""
        return self.size - self.restored


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark that a key of the ledger signed; `leaf_index` is its own."""

    leaf_index: int
    ledger: str
    rule: RemarkRule
    reason: str
    at: int
    leaves: tuple[tuple[int, int], ...]
    gap: Gap | None = None

    @property
    def count(self) -> int:
        """How many leaves it is about, or how many were lost."""
        lost = self.gap.lost if self.gap else 0
        return lost + sum(last - first + 1 for first, last in self.leaves)


def remark_claims(
    issuer: Issuer, remark_id: UUID, rule: RemarkRule, reason: str, leaves: list[tuple[int, int]], now: datetime,
    gap: Gap | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What is signed. `leaves` is empty and `gap` is there when the database was restored, else the other way round."""
    claims = entry_claims(issuer, remark_id, rule, reason, leaves, now)
    if gap is not None:
        claims["gap"] = {"ledger": gap.ledger, "size": gap.size, "root": gap.root, "restored": gap.restored}
    return claims


def read_remark(claims: Mapping[str, Any], leaf_index: int) -> Remark:
    """The remark of a leaf. Raises InvalidProof for what breaks a rule of the format."""
    try:
        rule, gap = RemarkRule(claims["rule"]), claims.get("gap")
        leaves = tuple((int(first), int(last)) for first, last in claims["leaves"])
        remark = Remark(
            leaf_index, str(claims["ledger"]), rule, str(claims["reason"]), int(claims["iat"]), leaves,
            None if gap is None else Gap(str(gap["ledger"]), int(gap["size"]), str(gap["root"]), int(gap["restored"])),
        )  # fmt: skip
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidProof("the remark does not have its form") from error
    _require_rules(remark, claims.get("count"))
    return remark


def _require_rules(remark: Remark, count: object) -> None:
    ends = [end for pair in remark.leaves for end in pair]
    apart = all(low < high for (_, low), (high, _) in pairwise(remark.leaves))
    if not apart or any(first > last for first, last in remark.leaves):
        raise InvalidProof("the remark's ranges are not ascending")
    if count != sum(last - first + 1 for first, last in remark.leaves):
        raise InvalidProof("the remark's count is not that of its ranges")
    if ends and not (ends[0] >= 0 and ends[-1] < remark.leaf_index):
        raise InvalidProof("the remark is about leaves that are newer than itself")
    if (remark.rule is RemarkRule.RESTORED) != (remark.gap is not None) or bool(ends) == (remark.gap is not None):
        raise InvalidProof("the remark is about leaves, or about what was lost, and not about both")
    if gap := remark.gap:
        whole = 0 <= gap.restored <= gap.size and gap.restored <= remark.leaf_index
        if not whole or gap.ledger == remark.ledger or not SHA256_HEX.fullmatch(gap.root):
            raise InvalidProof("the remark does not say what was lost")


class Remarks:
    """All remarks of a ledger, by which its checks read times and names."""

    def __init__(self, origin: str, remarks: Iterable[Remark] = ()) -> None:
        self.all = sorted(remarks, key=lambda remark: remark.leaf_index)
        self.gaps = [remark.gap for remark in self.all if remark.gap is not None]
        # Receipts name the ledger of the moment in which they were signed.
        self.origins = (*(gap.ledger for gap in self.gaps), origin)
        self._wrong_clock = _merged(self.all, RemarkRule.CLOCK_CORRECTED)

    def clock_was_wrong(self, index: int) -> bool:
        """Whether the time of this leaf, and of the checkpoint that ends in it, is not to be relied on."""
        place = bisect_right(self._wrong_clock, (index, inf)) - 1
        return place >= 0 and self._wrong_clock[place][1] >= index

    def counted(self) -> dict[str, int]:
        """What reports say: of each remark how many leaves it is about, or how many were lost."""
        return {f"{SAID[remark.rule]} (leaf {remark.leaf_index}: {remark.reason})": remark.count for remark in self.all}

    def gap_of(self, origin: str) -> Gap | None:
        """What was lost of the ledger of this name."""
        return next((gap for gap in self.gaps if gap.ledger == origin), None)

    def origin_at(self, size: int) -> str:
        """The name under which a checkpoint of so many leaves was signed."""
        return next((gap.ledger for gap in self.gaps if size <= gap.restored), self.origins[-1])


def _merged(remarks: Iterable[Remark], rule: RemarkRule) -> list[tuple[int, int]]:
    named = sorted(pair for remark in remarks if remark.rule is rule for pair in remark.leaves)
    merged: list[tuple[int, int]] = []
    for first, last in named:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
