"""Withdraw by a receipt alone, from whatever device (GDPR 7(3)), and say what became of its consent."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from consent_server.core.database import Database, Session
from consent_server.core.keys import KeyRing
from consent_server.decisions import store as decisions
from consent_server.decisions.record import RecordDecision, Recorded
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action, Answer, Method
from consent_server.decisions.rules_visit import Visit
from consent_server.receipts.read import ReadReceipt, read_recorded, record_of
from consent_server.sites.current_site import CurrentSites

# Names the act of withdrawing what a receipt grants: pressed twice at once, it is one decision.
WITHDRAWAL = UUID("7b3f6d1e-5a0c-5f0e-9b1a-2f4f6c8e0d57")


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
    with database.reading() as session:
        return standing_of(session, ring, record_of(session, receipt_id), now)


def standing_of(
    session: Session, ring: KeyRing, record: DecisionRow, now: datetime, read: ReadReceipt | None = None
) -> Standing:
    """What stands of a record; its receipt is not read again where it was `read`. Raises InvalidProof."""
    newest = _newest(session, record)
    receipt = read if read and newest is record else read_recorded(session, ring, newest)
    valid_until = datetime.fromtimestamp(receipt.claims["valid_until"], UTC)
    if not newest.granted:
        state = State.REFUSED if newest.visitor is None else State.WITHDRAWN
    else:
        state = State.EXPIRED if valid_until <= now else State.GRANTED
    return Standing(state, receipt, newest.visitor, record.receipt_id, valid_until)


def _newest(session: Session, record: DecisionRow) -> DecisionRow:
    if record.visitor is None:
        return record
    return decisions.newest_of_visitor(session, record.site_id, record.visitor) or record


def withdraw_receipt(
    standing: Standing, sites: CurrentSites, record: RecordDecision, gpc: bool, visit: Visit
) -> Recorded | None:
    """Record that the visitor withdraws whatever stands granted; None where nothing does.

    The decision is about the notice, page and language of the one that it ends: nothing else was shown.
    """
    if standing.state is not State.GRANTED:
        return None
    claims = standing.newest.claims
    answer = Answer(
        decision_id=uuid5(WITHDRAWAL, claims["jti"]),
        notice=claims["notice"],
        action=Action.WITHDRAW,
        method=Method.API,
        grants={},
        vendors={},
        visitor=standing.visitor,
        change=True,
        language=claims["language"],
        page=claims["page"],
        gpc=gpc,
        widget=claims["widget"],
    )
    return record(sites.get(claims["site"]), answer, visit)
