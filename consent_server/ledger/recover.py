"""Go on after a restore: under a new name, behind a signed entry that says what was lost."""

from collections.abc import Callable, Iterable
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof
from consent_server.core.notes import Checkpoint, open_checkpoint
from consent_server.core.seal_guard import SealGuard, site_ledger
from consent_server.ledger import store as ledgers
from consent_server.ledger.may_seal import require_ahead, time_by_clock
from consent_server.ledger.remark import Remarker
from consent_server.ledger.rules import Tree
from consent_server.ledger.rules_remark import Gap, RemarkRule
from consent_server.ledger.seal import append_own_entries, continues, remember
from consent_server.ledger.store_sealing import take_turns
from consent_server.sites import store as sites
from consent_server.sites import store_changes as changes
from consent_server.sites.rows import LedgerRow


def recover_ledger(
    database: Database, remarker: Remarker, guard: SealGuard, now: Callable[[], datetime], key: str,
    kept: Iterable[str] = (), dry_run: bool = False,
) -> list[Gap]:  # fmt: skip
    """Open the ledger that follows the one whose end was lost, and return what was; nothing where nothing was lost.

    `kept` are checkpoints that somebody else has, where this server's own memory is lost too. All that is still here
    stays under proof: the new ledger begins with the same leaves. Raises UnknownSite, InvalidProof.
    """
    with database.transaction() as session:
        site_id = sites.get(session, key).id
        (ledger,) = take_turns(session, [site_id])
        newest, tree = ledgers.newest_checkpoint(session, site_id), _tree(session, ledger)
        continues(newest, ledger, remarker.ring, tree.root())
        _take_kept(guard, remarker, ledger.origin, tree, kept)
        gaps = _gaps(guard.signed.every(ledger.origin), ledger.origin, tree)
        if not gaps or dry_run:
            session.rollback()
            return gaps
        at = time_by_clock(session, remarker.ring, ledger, newest, now())
        base, number = site_ledger(max((gap.ledger for gap in gaps), key=lambda name: site_ledger(name)[1]))
        ledger.origin = f"{base}/{number + 1}"
        for gap in gaps:
            reason = f"A backup of {gap.restored} leaves was restored"
            remarker.remark(session, site_id, RemarkRule.RESTORED, reason, [], at, gap)
        # The gap is the first that the new ledger says, before any record that came in since.
        append_own_entries(session, ledger, remarker.ring, at)
        changes.record(session)
    remember(database, remarker.ring)
    return gaps


def _tree(session: Session, ledger: LedgerRow) -> Tree:
    return Tree(ledger.size, ledgers.tile_reader(session, ledger.site_id))


def _take_kept(guard: SealGuard, remarker: Remarker, origin: str, tree: Tree, kept: Iterable[str]) -> None:
    base, notes, others = site_ledger(origin)[0], list(kept), 0
    for note in notes:
        name = note.partition("\n")[0]
        # Whatever was named is looked at, whichever ledger it is of: nobody goes on past a wrong file.
        opened = open_checkpoint(note, remarker.ring.note_keys(name))
        if site_ledger(name)[0] != base:
            others += 1
            continue
        if name == origin and opened.size <= tree.size:
            # Two histories of one name are past mending: whoever compares them must see it.
            require_ahead(opened, origin, tree)
        guard.signed.see(note, opened.size, name)
    if notes and others == len(notes):
        raise InvalidProof(f"None of the checkpoints that were kept is of {base}.")


def _gaps(signed: list[Checkpoint], origin: str, tree: Tree) -> list[Gap]:
    """What was signed beyond what is here, the ledger that is here first."""
    number, root = site_ledger(origin)[1], tree.root().hex()
    later = [known for known in signed if site_ledger(known.origin)[1] > number]
    same = next((known for known in signed if known.origin == origin), None)
    if same is not None and same.size <= tree.size:
        require_ahead(same, origin, tree)
    own = same if same is not None and same.size > tree.size else None
    if own is None and not later:
        return []
    first = Gap(origin, own.size if own else tree.size, own.root.hex() if own else root, tree.size)
    return [first, *(Gap(known.origin, max(known.size, tree.size), known.root.hex(), tree.size) for known in later)]


def require_lost(gaps: list[Gap], key: str) -> None:
    """Raises InvalidProof when there is nothing to recover."""
    if not gaps:
        raise InvalidProof(
            f"{key}: nothing is lost: the database continues all that this server is known to have signed."
            " If checkpoints were kept elsewhere, name them with --checkpoint."
        )
