"""However many come at once, and however often the same: each decision once, each answered with its receipt."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.errors import DecisionConflict
from consent_server.decisions import store as decisions
from consent_server.decisions.record import RecordDecision, Recorded
from consent_server.decisions.rules import Action, Answer, Method, decide
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.supply_keys import KeySupply
from consent_server.sites.current_site import CurrentSites
from tests.support import jose
from tests.support.factories import CALLBELL, answer, site_file
from tests.support.sites import Apply
from tests.support.vendors import EVERY_VENDOR, IDS
from tests.support.visitor import rows


def said(services: Context, **changes: Any) -> Answer:
    notice = services[CurrentSites].get("shop").notice
    given = {"decision_id": uuid4(), "action": Action.ACCEPT_ALL, "grants": dict.fromkeys(notice.purposes, True)}
    return answer(notice, **given | changes)


def record(services: Context, asked: Answer) -> Recorded:
    return services[RecordDecision](services[CurrentSites].get("shop"), asked, Visit())


def at_once(services: Context, asked: Iterable[Answer]) -> list[Recorded | Exception]:
    def one(answer: Answer) -> Recorded | Exception:
        try:
            return record(services, answer)
        except Exception as error:
            return error

    with ThreadPoolExecutor(32) as pool:
        return list(pool.map(one, asked))


def recorded(results: list[Recorded | Exception]) -> list[Recorded]:
    assert all(isinstance(result, Recorded) for result in results), results
    return [result for result in results if isinstance(result, Recorded)]


@pytest.mark.slow
@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_a_thousand_replays_at_once_are_one_decision(services: Context) -> None:
    asked = said(services)
    results = recorded(at_once(services, [asked] * 1000))
    assert Counter(result.new for result in results) == {True: 1, False: 999}
    assert len({(result.receipt_id, result.receipt, result.visitor) for result in results}) == 1
    (row,) = rows(services)
    assert row.receipt == results[0].receipt


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_all_that_come_at_once_are_recorded(services: Context) -> None:
    results = recorded(at_once(services, [said(services) for _ in range(300)]))
    assert all(result.new for result in results)
    assert len({result.visitor for result in results}) == 300
    kept = {row.receipt_id: row.receipt for row in rows(services)}
    assert kept == {result.receipt_id: result.receipt for result in results}
    assert all(jose.claims(result.receipt)["jti"] == str(result.receipt_id) for result in results)


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_a_conflict_among_many_is_its_own(services: Context) -> None:
    taken = said(services)
    record(services, taken)
    asked = [said(services) for _ in range(120)]
    for place in (0, 40, 41, 119):
        asked[place] = said(services, decision_id=taken.decision_id, method=Method.API)
    results = at_once(services, asked)
    assert {place for place, result in enumerate(results) if isinstance(result, DecisionConflict)} == {0, 40, 41, 119}
    assert len(rows(services)) == 117


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_two_decisions_that_race_for_an_id(services: Context) -> None:
    for _ in range(10):
        one = said(services)
        other = said(services, decision_id=one.decision_id, method=Method.API)
        results = at_once(services, [one, other] * 8)
        winners = {result.receipt for result in results if isinstance(result, Recorded)}
        assert len(winners) == 1
        assert sum(isinstance(result, DecisionConflict) for result in results) == 8
    assert len(rows(services)) == 10


def exceptions_of(services: Context) -> dict[str, bool]:
    """Every vendor but one of each purpose refused by name."""
    vendors = services[CurrentSites].get("shop").notice.vendors
    seen: set[str] = set()
    refused = {}
    for vendor, purposes in vendors.items():
        if seen.issuperset(purposes):
            refused[vendor] = False
        seen.update(purposes)
    return refused


def test_the_state_fits_a_cookie_whatever_was_chosen(services: Context, apply_site: Apply) -> None:
    apply_site(site_file(vendors=EVERY_VENDOR))
    notice = services[CurrentSites].get("shop").notice
    assert notice.vendors.keys() == IDS.keys()
    results = {
        "all": record(services, said(services)),
        "mixed": record(services, said(services, action=Action.SAVE, vendors=exceptions_of(services))),
    }
    for result in results.values():
        assert result.state
        assert len(result.state) <= 512
        assert result.state.isascii()
    state = jose.claims(str(results["mixed"].state))
    granted = results["mixed"].decision.vendors
    for vendor, purposes in notice.vendors.items():
        if any(state["grants"][purpose] for purpose in purposes):
            # Fail closed: what the short form lets in was granted.
            assert state.get("vendors", {}).get(vendor, True) <= granted[vendor]
    assert jose.claims(results["mixed"].receipt)["vendors"] == granted


def test_the_state_of_many_purposes_fits_too_or_is_left_out(services: Context, apply_site: Apply) -> None:
    purposes = "".join(
        f'[purposes.{key}]\n[purposes.{key}.texts.en]\ntitle = "T"\nphrase = "p"\ntext = "t"\n'
        f'[purposes.{key}.texts.fr]\ntitle = "T"\nphrase = "p"\ntext = "t"\n'
        for key in (f"purpose-{number:02}-{'x' * 40}" for number in range(12))
    )
    vendors = "".join(
        f'[[vendors]]\nkey = "v{number}"\nname = "V"\npurposes = ["purpose-{number:02}-{"x" * 40}"]\n'
        'policy_url = "https://v.example/"\n[vendors.operator]\nname = "V"\naddress = "A"\ncountry = "DE"\n'
        for number in range(12)
    )
    apply_site(site_file(vendors=purposes + vendors))
    state = record(services, said(services)).state
    assert state is None or len(state) <= 512


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_a_retry_after_a_new_publication_is_the_same_decision(services: Context, apply_site: Apply) -> None:
    asked = said(services)
    first = record(services, asked)
    apply_site(CALLBELL.read_text("utf-8").replace('key = "callbell"', 'key = "shop"'))
    again = record(services, asked)
    assert (again.new, again.receipt, again.stale) == (False, first.receipt, False)
    assert (again.state, again.revision) == (first.state, first.revision)


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_ids_are_in_the_order_of_time(services: Context) -> None:
    first, second = record(services, said(services)), record(services, said(services))
    assert isinstance(first.receipt_id, UUID)
    assert [row.receipt_id for row in rows(services)] == [first.receipt_id, second.receipt_id]


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("notice")
def test_two_workers_that_meet_the_same_retries_in_another_order(services: Context) -> None:
    # Each worker is a process of its own with commits of its own; here each is an application.
    other = create_app(services.settings, now=services.now)
    elsewhere: Context = other.extensions["consent"]
    try:
        for _ in range(4):
            asked = [said(services) for _ in range(60)]
            with ThreadPoolExecutor(2) as pool:
                here = pool.submit(append_all, services, asked)
                there = pool.submit(append_all, elsewhere, asked[::-1])
            here.result()
            there.result()
    finally:
        elsewhere.database.engine.dispose()
    assert len(rows(services)) == 240


def append_all(worker: Context, asked: list[Answer]) -> None:
    """One batch, as a shared commit makes it."""
    current = worker[CurrentSites].get("shop")
    batch = [
        worker[RecordDecision]
        ._prepare(worker.keys.ring, current, current.notice_id, current.notice, decide(current.notice, one), Visit())
        .row
        for one in asked
    ]
    with worker.database.transaction() as session:
        decisions.append(session, batch, KeySupply())
