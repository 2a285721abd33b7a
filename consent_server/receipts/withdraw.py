"""Withdraw by a receipt alone, from whatever device (GDPR 7(3)), and say what became of its consent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID, uuid4

from consent_server.core.database import VISITOR, Database, Session
from consent_server.core.errors import DecisionConflict
from consent_server.core.keys import KeyRing, LinkSigner
from consent_server.decisions import store as decisions
from consent_server.decisions.record import RecordDecision, Recorded
from consent_server.decisions.rules import Action, Answer, Method
from consent_server.decisions.rules_contents import Record
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.visitor_tags import VisitorTags
from consent_server.receipts.read import ReadReceipt, read_recorded, record_of
from consent_server.sites.current_site import CurrentSites

PURPOSE = "withdrawal"


class State(StrEnum):
    """What became of the consent that a receipt is about."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands: the newest receipt of the same visitor, which may be the very one that was asked about.

    `visitor` is that of the record: a withdrawal has one too, though its receipt does not name it.
    """

    state: State
    newest: ReadReceipt
    visitor: UUID | None
    asked_about: UUID
    valid_until: datetime

    @property
    def replaced(self) -> bool:
        """Whether there is a newer one."""
        return UUID(self.newest.claims["jti"]) != self.asked_about


def read_standing(database: Database, ring: KeyRing, receipt_id: str, now: datetime) -> Standing:
    """Raises UnknownReceipt; InvalidProof when what is stored is not what was signed."""
    with database.reading(VISITOR) as session:
        return standing_of(session, ring, record_of(session, receipt_id), now)


def standing_of(
    session: Session, ring: KeyRing, record: Record, now: datetime, read: ReadReceipt | None = None
) -> Standing:
    """What stands of a record; its receipt is not read again where it was `read`. Raises InvalidProof."""
    newest = _newest(session, record)
    receipt = read if read and newest.id == record.id else read_recorded(session, ring, newest)
    valid_until = datetime.fromtimestamp(receipt.claims["valid_until"], UTC)
    if not newest.granted:
        state = State.REFUSED if newest.visitor is None else State.WITHDRAWN
    else:
        state = State.EXPIRED if valid_until <= now else State.GRANTED
    return Standing(state, receipt, newest.visitor, record.receipt_id, valid_until)


def _newest(session: Session, record: Record) -> Record:
    if record.visitor is None:
        return record
    return decisions.newest_of_visitor(session, record.site_id, record.visitor) or record


def withdraw_receipt(
    standing: Standing, sites: CurrentSites, record: RecordDecision, signer: Callable[[str], LinkSigner],
    gpc: bool, visit: Visit,
) -> Recorded | None:  # fmt: skip
    """Record that the visitor withdraws whatever stands granted; None where nothing does.

    The decision is about the notice, page and language of the one that it ends: nothing else was shown.
    """
    if standing.state is not State.GRANTED:
        return None
    claims = standing.newest.claims
    tags = VisitorTags(signer)
    answer = Answer(
        decision_id=withdrawal_id(signer(PURPOSE), claims["jti"]),
        notice=claims["notice"],
        action=Action.WITHDRAW,
        method=Method.API,
        grants={},
        vendors={},
        visitor=tags.give(claims["site"], standing.visitor) if standing.visitor else None,
        change=True,
        language=claims["language"],
        page=claims["page"],
        gpc=gpc,
        widget=claims["widget"],
    )
    site = sites.get(claims["site"])
    try:
        return record(site, answer, visit)
    except DecisionConflict:
        # Whatever stands under this id, a right that is asserted is not refused for it.
        return record(site, replace(answer, decision_id=uuid4()), visit)


def withdrawal_id(signer: LinkSigner, receipt_id: str) -> UUID:
    """Names the act of withdrawing what a receipt grants: pressed twice at once, it is one decision.

    Keyed, so that nobody can take the id of another's withdrawal first. Version 8 (RFC 9562, 5.8).
    """
    value = int.from_bytes(sha256(signer.digest(receipt_id)).digest()[:16])
    value = value & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
