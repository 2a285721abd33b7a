"""The list finds what a look at every record finds, in as few steps however many there are."""

import random
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select

from consent_server.audit import store as search
from consent_server.audit.rules_search import Filter, Place
from consent_server.audit.search import search_records
from consent_server.core.context import Context
from consent_server.decisions import store as decisions
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_contents import Record
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.supply_keys import KeySupply
from consent_server.ledger.rows import LeafRow
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts.erase_visitor import erase_visitor
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.rows import NoticeRow
from tests.support.factories import ADS, ANALYTICS, META, PUBLIC_URL, RIVAL_FILE, Clock, answer, site_file
from tests.support.sites import Apply
from tests.support.visitor import as_row

pytestmark = [pytest.mark.on_both_databases, pytest.mark.slow]

# The last purpose is named by the last notice alone, and its name begins like another's.
ZENDESK = '[[vendors]]\nkey = "zendesk"\nid = "01234567-89ab-cdef-0123-456789abcdef"\n'
FILES = (ANALYTICS, ANALYTICS + ADS, ANALYTICS + ADS + META + ZENDESK)
PURPOSES = ("analytics", "advertising", "support")


@pytest.fixture
def filled(services: Context, apply_site: Apply, clock: Clock) -> int:
    """The row id of a shop with three notices, and records of every act under each."""
    apply_site(RIVAL_FILE)
    dice = random.Random(3)
    for vendors in FILES:
        apply_site(site_file(vendors=vendors))
        current = services[CurrentSites].get("shop")
        for _ in range(60):
            clock.advance(seconds=dice.choice((0, 0, 1)))
            action = dice.choice(list(Action))
            grants = {purpose: _may_grant(action, purpose, dice) for purpose in current.notice.purposes}
            said = answer(current.notice, decision_id=uuid4(), action=action, grants=grants)
            services[RecordDecision](current, said, Visit())
    return services[CurrentSites].get("shop").site_id


def _may_grant(action: Action, purpose: str, dice: random.Random) -> bool:
    if action is Action.GPC:
        return purpose == "support" and dice.random() < 0.5
    return action is Action.ACCEPT_ALL or (action is Action.SAVE and dice.random() < 0.4)


def every(services: Context, site_id: int, wanted: Filter, limit: int) -> list[UUID]:
    found: list[UUID] = []
    after: Place | None = None
    while True:
        page = search_records(services.database, site_id, wanted, after, limit)
        assert len(page.items) <= limit
        found += [item.receipt_id for item in page.items]
        if page.next is None:
            return found
        after = page.next


def looked_through(services: Context, site_id: int, wanted: Filter) -> list[UUID]:
    return meeting(wanted, everything(services, site_id))


def everything(services: Context, site_id: int) -> list[tuple[Record, str]]:
    """Each record, with the hash of its notice; the newest first."""
    with services.database.reading() as session:
        rows = session.execute(
            select(DecisionRow, NoticeRow.hash)
            .join(NoticeRow, NoticeRow.id == DecisionRow.notice_id)
            .where(DecisionRow.site_id == site_id)
            .order_by(DecisionRow.recorded_at.desc(), DecisionRow.id.desc())
        ).all()
        records = decisions.opened(session, [row for row, _ in rows])
    return list(zip(records, (notice for _, notice in rows), strict=True))


def meeting(wanted: Filter, found: list[tuple[Record, str]]) -> list[UUID]:
    return [record.receipt_id for record, notice in found if _meets(record, notice, wanted)]


def _meets(row: Record, notice: str, wanted: Filter) -> bool:
    return (
        (wanted.action is None or row.action == wanted.action.value)
        and (wanted.purpose is None or wanted.purpose in row.granted.split())
        and (wanted.notice is None or notice == wanted.notice)
        and (wanted.since is None or row.recorded_at >= wanted.since)
        and (wanted.before is None or row.recorded_at < wanted.before)
    )


def test_every_combination_of_filters(services: Context, filled: int, clock: Clock) -> None:
    with services.database.reading() as session:
        hashes = session.scalars(select(NoticeRow.hash).where(NoticeRow.site_id == filled)).all()
    half = clock.at - timedelta(seconds=30)
    spans: list[dict[str, Any]] = [{}, {"before": half}, {"since": half - timedelta(seconds=20), "before": half}]
    some, found = 0, everything(services, filled)
    for purpose, action, notice, span in product((None, *PURPOSES), (None, *Action), (None, *hashes), spans):
        wanted = Filter(purpose=purpose, action=action, notice=notice, **span)
        expected = meeting(wanted, found)
        some += bool(expected)
        assert every(services, filled, wanted, 1000) == expected, wanted
        if len(expected) > 1:
            assert every(services, filled, wanted, max(2, len(expected) // 3)) == expected, wanted
    assert some > 100


def test_one_at_a_time(services: Context, filled: int) -> None:
    for purpose in PURPOSES:
        wanted = Filter(purpose=purpose)
        assert every(services, filled, wanted, 1) == looked_through(services, filled, wanted)


def test_grants_longer_than_an_index_holds(services: Context, filled: int, clock: Clock) -> None:
    # More than 2,700 bytes that do not compress: PostgreSQL would refuse them as a whole.
    keys = [uuid4().hex for _ in range(200)]
    with services.database.transaction() as session:
        row = session.scalars(
            select(DecisionRow).where(DecisionRow.action == "save", DecisionRow.granted != "")
        ).first()
        assert row
        columns = as_row(decisions.opened(session, [row])[0])
        long = [
            columns | {"decision_id": uuid4(), "receipt_id": uuid4(), "granted": f" {' '.join(granted)} "}
            for granted in (["analytics", *keys], [*keys, "analytics"], keys)
        ]
        assert len(decisions.append(session, long, KeySupply())) == 3
    wanted = Filter(purpose="analytics")
    found = every(services, filled, wanted, 1000)
    assert found == looked_through(services, filled, wanted)
    assert [new["receipt_id"] in found for new in long] == [True, True, False]


def test_a_page_takes_as_many_statements_however_many_notices(
    services: Context, apply_site: Apply, filled: int, clock: Clock
) -> None:
    wanted = Filter(purpose="analytics")
    before = _statements(services, filled, wanted)
    for number in range(12):
        apply_site(site_file(vendors=ANALYTICS).replace("2026-03-01", f"2026-04-{number + 1:02}"))
        current = services[CurrentSites].get("shop")
        for _ in range(2):
            clock.advance(seconds=10)
            said = answer(current.notice, decision_id=uuid4(), grants={"analytics": True})
            services[RecordDecision](current, said, Visit())
    assert _statements(services, filled, wanted) <= before


def _statements(services: Context, site_id: int, wanted: Filter) -> int:
    """Statements for a page of two records."""
    said = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(services.database.engine, "before_cursor_execute", hear)
    try:
        assert len(search_records(services.database, site_id, wanted, None, 1).items) == 1
    finally:
        event.remove(services.database.engine, "before_cursor_execute", hear)
    return sum(statement.startswith(("SELECT", "WITH")) for statement in said)


def test_counts_from_any_leaf_on(services: Context, filled: int) -> None:
    database, ring = services.database, services.keys.ring
    seal_ledger(database, ring, services.now)
    with database.reading() as session:
        visitors = [record.visitor for record in decisions.opened(session, session.scalars(select(DecisionRow)).all())]
    visitors = [visitor for visitor in visitors if visitor]
    for visitor in (visitors[0], visitors[20], visitors[21], visitors[-1]):
        assert visitor
        erase_visitor(database, services.keys, PUBLIC_URL, services.now, services.random, visitor)
    with database.reading() as session:
        standing = set(session.scalars(select(DecisionRow.id)))
        leaves = session.scalars(select(LeafRow).where(LeafRow.site_id == filled).order_by(LeafRow.leaf_index)).all()
        for first in range(len(leaves)):
            counts = search.counts(session, filled, first, max(standing))
            records = [leaf for leaf in leaves[first:] if leaf.decision_row]
            assert (counts.leaves, counts.highest) == (len(leaves) - first, len(leaves) - 1)
            assert counts.of_records == len(records)
            assert counts.records == sum(leaf.decision_row in standing for leaf in records)
            assert counts.removed == counts.of_records - counts.records
            assert counts.waiting == 0
