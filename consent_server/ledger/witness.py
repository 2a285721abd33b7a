"""Have every ledger's newest checkpoint cosigned by those who would notice if it were rewritten (C2SP tlog-witness).

No transaction is open while a witness is asked. Two runs at once are harmless: the second is told the size
that the first one left, and both hold a valid line, of which one is kept.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_server.core.database import Database, Session
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import note_verifier
from consent_server.core.notes import MAX_NOTE_BYTES, NoteKey, Signature, parse_note, parse_signatures
from consent_server.core.outgoing import Answer, Unanswered, post
from consent_server.core.seal_guard import SealGuard
from consent_server.core.witnesses import Witness
from consent_server.ledger import store as ledgers
from consent_server.ledger import store_cosignatures as cosignatures
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules import Tree
from consent_server.ledger.rules_witness import cosignature_time, known_size, request_body
from consent_server.sites import store as sites
from consent_server.sites.rules_site import StoredSite

REFUSALS = {
    400: "it takes the request for malformed",
    403: "it does not know the key that signed the checkpoint; tell it the verifier key of this ledger",
    404: "it does not know this ledger; tell it the origin and the verifier key",
}


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a witness did with a ledger's newest checkpoint. `forked` is the alarm that witnesses are there for."""

    site: str
    witness: str
    size: int
    ok: bool
    detail: str
    forked: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A request, as the database stood. `old_size` is where its proof begins."""

    old_size: int
    checkpoint: CheckpointRow
    body: bytes


class _Forked(Exception):
    """The witness holds something that this ledger does not continue."""


def witness_ledger(
    database: Database, witnesses: Sequence[Witness], now: Callable[[], datetime], key: str | None = None
) -> Iterator[Witnessed]:
    """Offer the newest checkpoints to the witnesses, of one site or of all, and keep what they sign.

    A witness that cannot be reached is not asked about the other sites in this run. Raises UnknownSite.
    """
    with database.reading() as session:
        chosen = sites.every(session) if key is None else [sites.get(session, key)]
    for witness in witnesses:
        for site in chosen:
            try:
                witnessed = _Asking(database, witness, now, site).witnessed()
            except Unanswered as error:
                yield Witnessed(site.site.key, witness.name, 0, False, str(error))
                break
            if witnessed is not None:
                yield witnessed


def heed(guard: SealGuard, done: Witnessed) -> None:
    """Let nothing be sealed over an alarm, until the same witness takes it back or is no longer asked."""
    if done.ok or done.forked:
        guard.alarms.settle(done.origin, done.witness, done.detail if done.forked else None)


class _Asking:
    """One witness and one ledger."""

    def __init__(self, database: Database, witness: Witness, now: Callable[[], datetime], site: StoredSite) -> None:
        self._database, self._witness, self._now, self._site = database, witness, now, site
        self._key: NoteKey = witness.key
        self._verify = note_verifier(witness.key)
        self._origin = ""

    def witnessed(self) -> Witnessed | None:
        """None before the ledger's first checkpoint. Raises Unanswered."""
        size = 0
        try:
            with self._database.reading() as session:
                newest = ledgers.newest_checkpoint(session, self._site.id)
                if newest is None:
                    return None
                size, self._origin = newest.size, newest.note.partition("\n")[0]
                if self._is_cosigned(session, newest):
                    return self._outcome(size, True, "cosigned before")
                offer = self._offer(session, cosignatures.newest_size(session, self._site.id, self._key))
            return self._settle(*self._ask(offer))
        except _Forked as error:
            return self._outcome(size, False, str(error), forked=True)
        except InvalidProof as error:
            return self._outcome(size, False, error.detail)

    def _outcome(self, size: int, ok: bool, detail: str, forked: bool = False) -> Witnessed:
        return Witnessed(self._site.site.key, self._witness.name, size, ok, detail, forked, self._origin)

    def _is_cosigned(self, session: Session, checkpoint: CheckpointRow) -> bool:
        line = cosignatures.line_of(session, self._site.id, checkpoint.size, self._key)
        try:
            return line is not None and bool(self._time_of(checkpoint, parse_signatures(line)[0]))
        except InvalidProof:
            # It was kept for another checkpoint of this size. The witness says what it thinks of this one.
            return False

    def _time_of(self, checkpoint: CheckpointRow, signature: Signature) -> datetime:
        text = parse_note(checkpoint.note).text
        return cosignature_time(text, signature, self._key, self._verify, checkpoint.sealed_at, self._now())

    def _offer(self, session: Session, old_size: int) -> _Offer:
        newest = ledgers.newest_checkpoint(session, self._site.id)
        size = newest.size if newest else 0
        if newest is None or old_size > size:
            raise _Forked(f"the witness cosigned {old_size} leaves, the ledger has {size}: it was cut or set back")
        proof = Tree(size, ledgers.tile_reader(session, self._site.id)).consistency_proof(old_size)
        return _Offer(old_size, newest, request_body(old_size, proof, newest.note))

    def _ask(self, offer: _Offer) -> tuple[_Offer, Answer]:
        answer = self._post(offer)
        known = known_size(answer.content_type, answer.body) if answer.status == 409 else None
        if known is None or known == offer.old_size:
            return offer, answer
        # Read anew: another worker may have sealed and offered a longer checkpoint meanwhile.
        with self._database.reading() as session:
            offer = self._offer(session, known)
        return offer, self._post(offer)

    def _post(self, offer: _Offer) -> Answer:
        return post(f"{self._witness.url}/add-checkpoint", offer.body, "text/plain; charset=utf-8", MAX_NOTE_BYTES)

    def _settle(self, offer: _Offer, answer: Answer) -> Witnessed:
        size = offer.checkpoint.size
        if answer.status == 200:
            self._keep(offer.checkpoint, answer.body)
            return self._outcome(size, True, "cosigned")
        if answer.status == 409 and offer.old_size == size:
            raise _Forked(f"the witness cosigned another root of {size} leaves: the ledger was rewritten")
        if answer.status == 422:
            raise _Forked(f"the ledger does not continue the {offer.old_size} leaves that the witness cosigned")
        reason = REFUSALS.get(answer.status, "it cannot take the checkpoint now")
        return self._outcome(size, False, f"answered {answer.status}: {reason}")

    def _keep(self, checkpoint: CheckpointRow, body: bytes) -> None:
        # Lines of keys that we do not know are nothing to us, and nothing to those whom we would show them.
        named = (self._key.name, self._key.id)
        signature = next((line for line in parse_signatures(body) if (line.name, line.key_id) == named), None)
        if signature is None:
            raise InvalidProof("answered 200 without a signature line by the key in the settings")
        at = self._time_of(checkpoint, signature)
        with self._database.transaction() as session:
            cosignatures.keep(session, self._site.id, checkpoint.size, self._key, signature.line, at)
