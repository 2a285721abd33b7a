"""No record is ever under a key that is not kept, and no key is given out twice, whatever fails meanwhile."""

from contextlib import suppress

import pytest
from sqlalchemy import text

from consent_server.core.context import Context
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.rules_record_keys import ROOT, SLOTS, key_of
from consent_server.decisions.supply_keys import KeySupply, RecordKey

pytestmark = pytest.mark.on_both_databases
SITE = 7


@pytest.fixture
def keys() -> KeySupply:
    return KeySupply()


def take(services: Context, keys: KeySupply, count: int = 1) -> list[RecordKey]:
    with services.database.transaction() as session:
        return keys.take(session, SITE, count)


def take_in_vain(services: Context, keys: KeySupply) -> RecordKey:
    """In a transaction that fails."""
    taken: list[RecordKey] = []
    with suppress(RuntimeError), services.database.transaction() as session:
        taken += keys.take(session, SITE, 1)
        raise RuntimeError
    return taken[0]


def is_kept(services: Context, taken: RecordKey) -> bool:
    with services.database.reading() as session:
        nodes = record_keys.nodes_of(session, [(SITE, taken.chunk)]).get((SITE, taken.chunk), {})
        return key_of(nodes, taken.slot) == taken.key


def test_a_chunk_serves_many_transactions(services: Context, keys: KeySupply) -> None:
    taken = [take(services, keys, 3) for _ in range(3)]
    every = [key for some in taken for key in some]
    assert {key.chunk for key in every} == {every[0].chunk}
    assert [key.slot for key in every] == list(range(9))
    assert all(is_kept(services, key) for key in every)


def test_a_chunk_that_was_not_kept_is_never_used_again(services: Context, keys: KeySupply) -> None:
    lost = take_in_vain(services, keys)
    assert not is_kept(services, lost)
    (taken,) = take(services, keys)
    assert taken.chunk != lost.chunk
    assert is_kept(services, taken)


def test_a_slot_of_a_transaction_that_failed_is_not_given_out_again(services: Context, keys: KeySupply) -> None:
    take(services, keys)
    lost = take_in_vain(services, keys)
    (taken,) = take(services, keys)
    assert (taken.chunk, taken.slot) == (lost.chunk, lost.slot + 1)
    assert is_kept(services, taken)


def test_a_database_that_came_back_without_the_chunk(services: Context, keys: KeySupply) -> None:
    take(services, keys)
    take(services, keys)
    # As a standby that had not heard of it: other connections, and an older state.
    with services.database.transaction() as session:
        session.execute(text("DELETE FROM record_keys"))
    services.database.engine.dispose()
    (taken,) = take(services, keys)
    assert is_kept(services, taken)


def test_another_process_goes_on_with_slots_of_its_own(
    services: Context, keys: KeySupply, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parents,) = take(services, keys)
    monkeypatch.setattr("os.getpid", lambda: -1)
    (childs,) = take(services, keys)
    assert childs.chunk != parents.chunk


def test_a_full_chunk_is_followed_by_another(services: Context, keys: KeySupply) -> None:
    taken = take(services, keys, SLOTS + 1)
    assert [key.chunk == taken[0].chunk for key in taken[-2:]] == [True, False]
    assert len({key.key for key in taken}) == SLOTS + 1
    assert all(is_kept(services, key) for key in (taken[0], *taken[-2:]))


def test_what_is_destroyed_is_gone_from_the_table(services: Context, keys: KeySupply) -> None:
    taken = take(services, keys, 40)
    gone = [taken[0], *taken[7:20]]
    with services.database.transaction() as session:
        record_keys.destroy(session, SITE, [(key.chunk, key.slot) for key in gone])
    assert [is_kept(services, key) for key in taken] == [key not in gone for key in taken]
    with services.database.reading() as session:
        nodes = record_keys.nodes_of(session, [(SITE, taken[0].chunk)])[SITE, taken[0].chunk]
    assert ROOT not in nodes
    # And the process goes on where it was.
    (later,) = take(services, keys)
    assert (later.chunk, later.slot) == (taken[0].chunk, 40)
    assert is_kept(services, later)
