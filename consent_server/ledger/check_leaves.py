"""Check a stretch of leaves against the records, the removals and the times of the checkpoints around them."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consent_server.core.database import Session
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_contents import Record, commitment
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger import store as ledgers
from consent_server.ledger import store_remarks
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules_remark import REMARK_TYPE, Remark, Remarks, read_remark
from consent_server.ledger.rules_removal import REMOVAL_TYPE, RemovedRange, range_over
from consent_server.ledger.store import SealedEntry

# Seconds by which a record's time may miss those of the checkpoints around it: what may pass between signing
# and sealing, and between the clocks of two machines. Nobody gains by moving a decision a quarter of an hour.
TOLERANCE = 900
# What a signed token runs into that does not have its form.
MALFORMED = (LookupError, TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose ledger is checked, by which keys, and what it says of itself.

    `removals_to` is the last removal that should have a leaf.
    """

    ring: KeyRing
    site_id: int
    site: str
    origin: str
    removals_to: int
    remarks: Remarks

    @classmethod
    def of(cls, session: Session, ring: KeyRing, site_id: int, site: str) -> "Subject":
        """A site's ledger as it stands."""
        ledger = ledgers.get(session, site_id)
        remarks = read_remarks(session, ring, site_id, site, ledger.origin)
        return cls(ring, site_id, site, ledger.origin, ledger.removals_to, remarks)

    def claims(self, token: str, token_type: str) -> dict[str, Any]:
        """What a key of the ledger signed about this ledger. Raises InvalidProof."""
        claims = verify_jws(token, token_type, self.ring)
        if claims["site"] != self.site or claims["ledger"] not in self.remarks.origins:
            raise InvalidProof(f"it belongs to another ledger: {claims['ledger']}")
        return claims


def read_remarks(session: Session, ring: KeyRing, site_id: int, site: str, origin: str) -> Remarks:
    """The remarks that a key of the ledger signed. What is wrong with any other is said at its leaf."""
    remarks = [_signed_remark(ring, site, *row[:2]) for row in store_remarks.sealed(session, site_id)]
    return Remarks(origin, filter(None, remarks))


def _signed_remark(ring: KeyRing, site: str, leaf_index: int, entry: str) -> Remark | None:
    try:
        claims = verify_jws(entry, REMARK_TYPE, ring)
        return read_remark(claims, leaf_index) if claims["site"] == site else None
    except (InvalidProof, *MALFORMED):
        return None


@dataclass(frozen=True, slots=True)
class CheckedLeaf:
    """A leaf, what the ledger's key signed under it, and what is wrong with it. None where there is none.

    `in_time`: its clock was right, as far as the ledger says. `back_dated`: its time alone is the fault.
    """

    index: int
    commitment: bytes | None
    kind: str | None
    claims: dict[str, Any] | None
    fault: str | None
    in_time: bool = True
    back_dated: bool = False

    @property
    def place(self) -> str:
        """How reports name it."""
        return f"leaf {self.index}"


class _BackDated(InvalidProof):
    """A time that does not fit those around it."""


class Stretch:
    """Leaves `first` (included) to `end` (excluded) of one site, read page by page in the caller's snapshot.

    Holds one page, whatever the ledger's length. `latest` is the time of the latest record before, in Unix
    seconds; afterwards, of the latest up to the last.
    """

    def __init__(self, session: Session, subject: Subject, first: int, end: int, latest: int = 0) -> None:
        self._session, self._subject, self._first, self._end = session, subject, first, end
        self.latest = latest
        site_id = subject.site_id
        self._entries = {entry.leaf_index: entry for entry in ledgers.entries(session, site_id, first, end)}
        records = [entry.record for entry in self._entries.values() if entry.record]
        columns = (
            ("receipt_id", DecisionRow.receipt_tag, {record.receipt_id for record in records}),
            ("decision_id", DecisionRow.decision_tag, {record.decision_id for record in records}),
        )
        self._repeated = {
            name: ledgers.repeated(session, site_id, column, values) for name, column, values in columns if values
        }
        self._removed = ledgers.removed_between(session, site_id, first, end)
        self._named: dict[int, list[tuple[int, int]]] = {}
        self._remarks = store_remarks.leaves_between(session, site_id, first, end)
        self._before = self._reliable_before(first)
        self.checkpoints = ledgers.checkpoints_between(session, site_id, first, end)
        self._sizes = [row.size for row in self.checkpoints]

    def _reliable_before(self, first: int) -> CheckpointRow | None:
        before = ledgers.newest_checkpoint(self._session, self._subject.site_id, below=first + 1)
        while before is not None and self._subject.remarks.clock_was_wrong(before.size - 1):
            before = ledgers.newest_checkpoint(self._session, self._subject.site_id, below=before.size)
        return before

    def __iter__(self) -> Iterator[CheckedLeaf]:
        return map(self._check, range(self._first, self._end))

    def _check(self, index: int) -> CheckedLeaf:
        entry, claims, fault, back_dated = self._entries.get(index), None, None, False
        try:
            if entry is None:
                raise InvalidProof("is missing")
            if entry.record is not None and entry.record.fault:
                raise InvalidProof(f"the record cannot be read: {entry.record.fault}")
            if entry.token is None or entry.salt is None:
                self._is_removed(index)
            else:
                claims = self._claims(entry, entry.token, entry.salt)
                self._in_time(index, claims["iat"])
        except InvalidProof as error:
            back_dated = isinstance(error, _BackDated)
            fault = self._with_receipt(index, error.detail)
        except MALFORMED as error:
            fault = self._with_receipt(index, f"what is signed does not have its form: {error!r:.80}")
        if entry is None:
            return CheckedLeaf(index, None, None, None, fault)
        kind = "remark" if index in self._remarks else entry.kind
        in_time = not self._subject.remarks.clock_was_wrong(index)
        return CheckedLeaf(index, entry.commitment, kind, claims, fault, in_time, back_dated)

    def _with_receipt(self, index: int, reason: str) -> str:
        entry = self._entries.get(index)
        record = entry.record if entry else None
        return reason + (f" (receipt {record.receipt_id})" if record and not record.fault else "")

    def _claims(self, entry: SealedEntry, token: str, salt: bytes) -> dict[str, Any]:
        if commitment(salt, token) != entry.commitment:
            raise InvalidProof("the record is not the one that was sealed")
        is_remark = entry.leaf_index in self._remarks
        own_type = REMARK_TYPE if is_remark else REMOVAL_TYPE
        claims = self._subject.claims(token, RECEIPT_TYPE if entry.removal_id is None else own_type)
        if is_remark:
            read_remark(claims, entry.leaf_index)
        elif entry.removal_id is None:
            self._is_itself(entry, claims)
        else:
            self._removes_what_it_names(entry.leaf_index, entry.removal_id, claims)
        return claims

    def _is_itself(self, entry: SealedEntry, claims: dict[str, Any]) -> None:
        index, record = entry.leaf_index, entry.record
        if record is None or entry.notice is None:
            raise InvalidProof("its notice is not here")
        if wrong := differences(record, entry.notice, claims):
            raise InvalidProof(f"the record differs from its receipt: {', '.join(wrong)}")
        for name, repeated in self._repeated.items():
            other = repeated.get(getattr(record, name), index)
            if other != index:
                raise InvalidProof(f"leaf {other} has the same {name}: it was inserted twice")
        if self._naming(index) is not None:
            raise InvalidProof("the record is still here, but a removal says that it is gone")

    def _removes_what_it_names(self, index: int, removal_id: int, claims: dict[str, Any]) -> None:
        named = [(int(first), int(last)) for first, last in claims["leaves"]]
        stored = ledgers.removed_from(self._session, self._subject.site_id, [first for first, _ in named])
        if named[-1][1] >= index:
            raise InvalidProof("the removal names leaves that are newer than itself")
        if [(*pair, removal_id) for pair in named] != [(held.first, held.last, held.removal_id) for held in stored]:
            raise InvalidProof("the removal appears twice, or what it names was altered")

    def _is_removed(self, index: int) -> None:
        naming = self._naming(index)
        if naming is None:
            raise InvalidProof("the record is gone and no signed removal names it")
        if naming.leaf_index is None and naming.removal_id <= self._subject.removals_to:
            raise InvalidProof("the record is gone and the removal that names it has lost its leaf")
        if naming.leaf_index is not None and naming.leaf_index <= index:
            raise InvalidProof("the record is gone and the removal that names it is older than the record")

    def _naming(self, index: int) -> RemovedRange | None:
        """The removal that names a leaf, by its signed entry and not only by the table."""
        removed = range_over(self._removed, index)
        if removed is None:
            return None
        if removed.removal_id not in self._named:
            claims = self._subject.claims(removed.entry, REMOVAL_TYPE)
            self._named[removed.removal_id] = [(int(first), int(last)) for first, last in claims["leaves"]]
        return removed if (removed.first, removed.last) in self._named[removed.removal_id] else None

    def _in_time(self, index: int, iat: int) -> None:
        wrong = self._subject.remarks.clock_was_wrong
        if wrong(index):
            return
        place = bisect_right(self._sizes, index)
        before = next((row for row in reversed(self.checkpoints[:place]) if not wrong(row.size - 1)), self._before)
        after = self.checkpoints[place] if place < len(self._sizes) else None
        if after is not None and wrong(after.size - 1):
            after = None
        latest, self.latest = self.latest, max(self.latest, iat)
        if after is not None and iat > after.sealed_at.timestamp() + TOLERANCE:
            raise _BackDated(f"it is dated {in_words(iat)}, after the checkpoint that covers it")
        if before is not None and iat < before.sealed_at.timestamp() - TOLERANCE:
            raise _BackDated(f"it is dated {in_words(iat)}, long before the checkpoint that came before: back-dated")
        if iat < latest - TOLERANCE:
            raise _BackDated(f"it is dated {in_words(iat)}, but follows a record of {in_words(latest)}: back-dated")


def differences(row: Record, notice: str, claims: dict[str, Any]) -> list[str]:
    """The claims of a receipt that the columns beside it, by which records are found and counted, do not repeat."""
    columns = {
        "jti": str(row.receipt_id), "decision_id": str(row.decision_id), "notice": notice,
        "action": row.action, "method": row.method, "change": row.change, "gpc": row.gpc,
        "language": row.language, "iat": int(row.recorded_at.timestamp()),
    }  # fmt: skip
    # The record of a withdrawal is found by its visitor too, while its receipt names nobody.
    columns |= {"sub": str(row.visitor)} if "sub" in claims else {}
    wrong = [name for name, value in columns.items() if claims.get(name) != value or name in row.altered]
    wrong += [name for name in row.altered if name not in columns]
    granted = {key for part in ("grants", "vendors") for key, value in claims[part].items() if value}
    return wrong if granted == set(row.granted.split()) else [*wrong, "grants"]


def in_words(at: float) -> str:
    """A Unix time, in whole seconds of UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
