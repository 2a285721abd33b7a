"""Record what a visitor decided, and answer with a signed receipt."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from consent_server.core.database import VISITOR, Database, Session
from consent_server.core.errors import DecisionConflict, Fault, InvalidDecision
from consent_server.core.group_commit import GroupCommit
from consent_server.core.keys import KeyRing, KeySource, LinkSigner
from consent_server.decisions import store as decisions
from consent_server.decisions import store_encryption as encryption
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.count_events import cell
from consent_server.decisions.rules import Answer, Decision, decide
from consent_server.decisions.rules_contents import SALT_BYTES, Record
from consent_server.decisions.rules_receipt import (
    RECEIPT_LINK,
    RECEIPT_TYPE,
    STATE_LIMIT,
    STATE_TYPE,
    Issuer,
    receipt_claims,
    state_claims,
    uuid7,
    without_denials,
    without_exceptions,
)
from consent_server.decisions.rules_tally import of_decision
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.store_tallies import Cell
from consent_server.decisions.supply_keys import KeySupply
from consent_server.decisions.visitor_tags import VisitorTags
from consent_server.sites import store_configurations as configurations
from consent_server.sites.configure_widget import revision
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.rules_notice import Notice

# Whoever reads a receipt can post the decision again, unless it named a visitor by the tag, which stands in none. By
# then the browser that made it has its answer.
ANSWERED_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A durable decision. `new` is false when it had been recorded before.

    `link` leads to the receipt and `visitor`, tag included, acts as the visitor: neither is in a late repeated answer.
    """

    new: bool
    decision: Decision
    revision: str
    receipt_id: UUID
    receipt: str
    state: str | None
    link: str | None
    visitor: str | None
    stale: bool
    recorded_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Prepared:
    decision: Decision
    revision: str
    notice: Notice
    row: dict[str, Any]
    cell: Cell


class RecordDecision:
    """Settle, sign, append, commit; in this order."""

    def __init__(
        self,
        database: Database,
        sites: CurrentSites,
        keys: KeySource,
        public_url: str,
        now: Callable[[], datetime],
        random: Callable[[int], bytes],
        signer: Callable[[str], LinkSigner],
    ) -> None:
        self._links, self._tags = signer(RECEIPT_LINK), VisitorTags(signer)
        self._database = database
        self._sites = sites
        self._keys = keys
        self._public_url = public_url
        self._now = now
        self._random = random
        self._commit = GroupCommit(database, _Appending(random))

    def __call__(self, current: CurrentSite, answer: Answer, visit: Visit) -> Recorded:
        """`visit` is counted, never recorded.

        Raises InvalidDecision, DecisionConflict or StorageUnavailable; nothing is recorded then.
        """
        self._sites.require_archived(current)
        found = self._sites.notice(current, answer.notice)
        if found is None:
            raise InvalidDecision(
                "The notice is not one of this site's; nothing was recorded.",
                [Fault("#/notice", "This site never published a notice with this hash.")],
            )
        notice_id, notice = found
        decision = decide(notice, answer)
        # Signed before the insert: a key that cannot sign must leave no record behind.
        # Answered after the commit: a receipt nobody stored proves nothing.
        ring = self._keys.ring
        recorded = self._commit(lambda: self._prepare(ring, current, notice_id, notice, decision, visit))
        issuer = Issuer(self._public_url, current.site.key, current.ledger)
        state = _state(ring, issuer, notice, decision, recorded.recorded_at)
        late = not recorded.new and self._now() - recorded.recorded_at > ANSWERED_WITHIN
        if late and self._tags.read(current.site.key, answer.visitor) is None:
            return replace(recorded, state=state, visitor=None)
        visitor = recorded.visitor and self._tags.give(current.site.key, recorded.visitor)
        return replace(recorded, state=state, visitor=visitor, link=self._links.sign(str(recorded.receipt_id)))

    def failing(self, lately: float) -> bool:
        """Whether the last decision could not be recorded, and that within so many seconds."""
        return self._commit.failing(lately)

    def _prepare(
        self, ring: KeyRing, current: CurrentSite, notice_id: int, notice: Notice, decision: Decision, visit: Visit
    ) -> _Prepared:
        answer, now, shown_by = decision.answer, self._now(), current.where(notice_id)
        # As stored: the first answer and every repeated one tell the same millisecond.
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        issuer = Issuer(self._public_url, current.site.key, current.ledger)
        # Drawn at once: each time another thread may come in between.
        drawn = self._random(SALT_BYTES + 10 + 10)
        receipt_id = uuid7(now, drawn[SALT_BYTES:])
        visitor = self._visitor(current, decision, now, drawn[SALT_BYTES + 10 :])
        claims = receipt_claims(
            issuer,
            notice,
            decision,
            receipt_id,
            visitor,
            self._widget(current, shown_by or current, answer),
            now,
            current.site.home(answer.page),
        )
        row = {
            "site_id": current.site_id,
            "notice_id": notice_id,
            "decision_id": answer.decision_id,
            "receipt_id": receipt_id,
            "visitor": visitor,
            "action": answer.action.value,
            "method": answer.method.value,
            "change": answer.change,
            "gpc": answer.gpc,
            "stale": shown_by is None,
            "language": answer.language,
            "granted": _granted(decision),
            "recorded_at": now,
            "request_hash": _request_hash(answer),
            "salt": drawn[:SALT_BYTES],
            "receipt": ring.sign(claims, RECEIPT_TYPE),
        }
        # Of the notice that was answered: a later one may name a vendor that this visitor never saw.
        basis = shown_by.revision if shown_by and notice is shown_by.notice else revision(notice.body)
        counted = cell(current, notice_id, answer.language, visit, of_decision(decision), now)
        return _Prepared(decision, basis, notice, row, counted)

    def _visitor(self, current: CurrentSite, decision: Decision, now: datetime, drawn: bytes) -> UUID | None:
        known = self._tags.read(current.site.key, decision.answer.visitor)
        if known is not None:
            with self._database.reading(VISITOR) as session:
                if decisions.visitor_exists(session, current.site_id, known):
                    return known
        # An identifier that was erased, or never given to this visitor, is not taken over: a grant gets a fresh one.
        return uuid7(now, drawn) if decision.grants_anything else None

    def _widget(self, current: CurrentSite, shown_by: CurrentSite, answer: Answer) -> str:
        served = shown_by.widget.hash
        if answer.widget is None or served.startswith(answer.widget):
            return served
        with self._database.reading(VISITOR) as session:
            # Code that was never served for this site says nothing of what was shown: as if none had been named.
            return configurations.served_widget(session, current.site_id, answer.widget) or served


class _Appending:
    """What a commit does; only its leader comes here."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._keys = KeySupply(random)
        self._all_encrypted = False

    def __call__(self, session: Session, items: Sequence[_Prepared]) -> list[Recorded]:
        new = decisions.append(session, self._unknown(session, [item.row for item in items]), self._keys)
        # With the record or not at all: a repeated post adds to neither.
        tallies.add(session, Counter(item.cell for item in items if item.row["receipt_id"] in new))
        return [
            _recorded(item, item.row, new=True) if item.row["receipt_id"] in new else _replayed(session, item)
            for item in items
        ]

    def _unknown(self, session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Without those that are on record from before contents were encrypted: the index does not meet them."""
        self._all_encrypted = self._all_encrypted or encryption.has_ended(session)
        if self._all_encrypted:
            return rows
        known = decisions.known_in_the_clear(session, rows)
        return [row for row in rows if (row["site_id"], row["decision_id"]) not in known]


def _replayed(session: Session, item: _Prepared) -> Recorded:
    row = decisions.by_decision_id(session, item.row["site_id"], item.row["decision_id"])
    if row is None or row.request_hash != item.row["request_hash"]:
        raise DecisionConflict("This decision_id is already recorded with different content. Use a new one.")
    return _recorded(item, _columns(row), new=False)


def _columns(row: Record) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("receipt_id", "visitor", "stale", "recorded_at", "receipt")}


def _recorded(item: _Prepared, row: dict[str, Any], new: bool) -> Recorded:
    return Recorded(
        new=new,
        decision=item.decision,
        revision=item.revision,
        receipt_id=row["receipt_id"],
        receipt=row["receipt"],
        # Derived, so not kept: made anew for each answer.
        state=None,
        link=None,
        # The record of a withdrawal names whose it is; the answer gives no identifier back to keep.
        visitor=str(row["visitor"]) if item.decision.grants_anything else None,
        stale=row["stale"],
        recorded_at=row["recorded_at"],
        expires_at=row["recorded_at"] + item.notice.choice_lifetime,
    )


def _granted(decision: Decision) -> str:
    keys = [key for part in (decision.grants, decision.vendors) for key, granted in part.items() if granted]
    return f" {' '.join(keys)} " if keys else ""


def _request_hash(answer: Answer) -> bytes:
    # Of what was understood, not of the bytes: a retry may order or space its JSON otherwise. A visitor's tag belongs
    # to it; an identifier from before there were tags went in without its hyphens.
    said = (
        answer.decision_id.hex, answer.notice, answer.action.value, answer.method.value, dict(answer.grants),
        dict(answer.vendors), answer.visitor and answer.visitor.replace("-", "", 4), answer.change, answer.language,
        answer.page, answer.gpc, answer.widget,
    )  # fmt: skip
    return sha256(json.dumps(said, sort_keys=True).encode()).digest()


def _state(ring: KeyRing, issuer: Issuer, notice: Notice, decision: Decision, now: datetime) -> str | None:
    if not decision.grants_anything:
        return None
    claims = state_claims(issuer, notice, decision, now)
    shorter = without_exceptions(notice, claims)
    for form in (claims, shorter, without_denials(shorter)):
        token = ring.sign(form, STATE_TYPE)
        if len(token) <= STATE_LIMIT:
            return token
    # Fail closed: without a state a back end sends nothing.
    return None
