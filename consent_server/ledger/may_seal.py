"""Whether a ledger may be sealed on: not behind what was signed of it, and not by a clock that is wrong."""

from datetime import datetime, timedelta

from consent_server.core.database import Session
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.core.notes import Checkpoint
from consent_server.core.seal_guard import LEEWAY, site_ledger
from consent_server.ledger import store_remarks
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules import Tree
from consent_server.ledger.rules_remark import REMARK_TYPE, Remarks, read_remark
from consent_server.sites.rows import LedgerRow

RECOVER = "Nothing is sealed there; records are kept meanwhile. Bring the newer database back, or run:"


def seal_time(
    session: Session, ring: KeyRing, ledger: LedgerRow, newest: CheckpointRow | None, tree: Tree, now: datetime
) -> datetime:
    """The time that the next checkpoint is to bear. Raises InvalidProof when there is to be none.

    `tree` is the ledger as it stands, of which `newest` is the checkpoint.
    """
    if ring.guard is not None:
        require_ahead(ring.guard.signed.of(ledger.origin), ledger.origin, tree)
        if alarm := ring.guard.alarms.of(ledger.origin):
            run = f"consent ledger recover {site_key(ledger.origin)} --checkpoint KEPT"
            raise InvalidProof(f"{ledger.origin}: witness {alarm}. {RECOVER} {run}")
        if newest is not None:
            ring.guard.signed.see(newest.note, newest.size, ledger.origin)
    return time_by_clock(session, ring, ledger, newest, now)


def time_by_clock(
    session: Session, ring: KeyRing, ledger: LedgerRow, newest: CheckpointRow | None, now: datetime
) -> datetime:
    """The same as far as clocks go."""
    if ring.guard is not None and (step := ring.guard.clock.step()):
        raise InvalidProof(
            f"The clock was set by {step:+.0f} s while the server ran. Nothing is sealed until it is right again;"
            " records are kept meanwhile. If it is right now, start the server anew."
        )
    if newest is None or newest.sealed_at <= now:
        return now
    if newest.sealed_at <= now + timedelta(seconds=LEEWAY):
        # Clocks of several machines are never quite the same, and no checkpoint may look older than the one before it.
        return newest.sealed_at
    if _every_remark(session, ring, ledger).clock_was_wrong(newest.size - 1):
        return now
    raise InvalidProof(
        f"The last checkpoint of {ledger.origin} is dated {newest.sealed_at:%Y-%m-%d %H:%M:%S} UTC, and it is only"
        f" {now:%Y-%m-%d %H:%M:%S}. Nothing is sealed there until the clock is right; records are kept meanwhile."
        f" If it is right now, run: consent ledger correct-clock {site_key(ledger.origin)}"
    )


def require_ahead(known: Checkpoint | None, origin: str, tree: Tree) -> None:
    """Raises InvalidProof unless the ledger continues the newest checkpoint that is known to have been signed of it."""
    if known is None or site_ledger(known.origin)[1] < site_ledger(origin)[1]:
        return
    run = f"{RECOVER} consent ledger recover {site_key(origin)}"
    if known.origin != origin:
        raise InvalidProof(f"The database is older than {known.origin}, of which checkpoints were signed. {run}")
    if tree.size < known.size:
        raise InvalidProof(
            f"The database is behind: {origin} has {tree.size} leaves here, and {known.size} were signed. {run}"
        )
    if tree.root_of(known.size) != known.root:
        raise InvalidProof(
            f"{origin} does not continue the checkpoint of {known.size} leaves that was signed:"
            f" it was rewritten, or another server went on from an older copy. {run}"
        )


def site_key(origin: str) -> str:
    """The site whose ledger has this name."""
    return site_ledger(origin)[0].rpartition("/")[2]


def _every_remark(session: Session, ring: KeyRing, ledger: LedgerRow) -> Remarks:
    """Those without a leaf too: the one that says so may be what is to be sealed."""
    entries = store_remarks.every(session, ledger.site_id)
    return Remarks(ledger.origin, (read_remark(verify_jws(entry, REMARK_TYPE, ring), ledger.size) for entry in entries))
