"""What somebody with write access to the database does is named, by `ledger check` and by the pack's own script."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consent_server.app import create_app
from consent_server.core.context import Context, context_of
from consent_server.ledger import check as checking
from consent_server.ledger.check import check_ledger
from consent_server.ledger.replay import replay_leaves
from tests.support import jose
from tests.support.factories import Clock, settings_for
from tests.support.ledger_attacks import Attack, Attacker, then, without_key
from tests.support.ledger_shop import Shop

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def filled(published_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Such a ledger, made once to be copied for each attack."""
    folder, clock = tmp_path_factory.mktemp("filled"), Clock()
    shutil.copy(published_sqlite, folder)
    services = context_of(create_app(settings_for(folder, f"sqlite:///{folder / published_sqlite.name}"), now=clock))
    shop = Shop(services, clock, folder)
    shop.fill()
    services.database.engine.dispose()
    return shop


@pytest.fixture
def database_url(database_url: str, dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of its copy. On PostgreSQL it is filled anew each time."""
    if dialect == "sqlite":
        for name in ("consent.sqlite3", "signing-keys.json"):
            shutil.copy(request.getfixturevalue("filled").bench.folder / name, tmp_path)
    return database_url


@pytest.fixture
def shop(
    services: Context, notice: str, clock: Clock, tmp_path: Path, dialect: str, request: pytest.FixtureRequest
) -> Shop:
    """The ledger at which attacks begin."""
    shop = Shop(services, clock, tmp_path)
    if dialect == "sqlite":
        filled: Shop = request.getfixturevalue("filled")
        shop.made, clock.at = list(filled.made), filled.clock.at
    else:
        shop.fill()
    return shop


@pytest.fixture
def attacker(shop: Shop, database_url: str) -> Iterator[Attacker]:
    """Somebody with write access, past the product and its triggers."""
    found = Attacker.on(database_url)
    yield found
    found.leave()


LEAF, LINE = "records.jsonl leaf {}", "checkpoints.jsonl line {}"
UNREAD = "leaf 5: the record cannot be read: its"
FOREIGN = "No published key has the id"
# Attack: what `ledger check` says first of it (a place and a reason), and which check of verify.py names which place.
ATTACKS: dict[str, tuple[Attack, str, str, str, str]] = {
    "alters a receipt": (
        lambda one: one.alter(5, grants={"analytics": False}), "leaf 5: the record is not the one that was sealed",
        "{receipt 5}", "leaves", LEAF.format(5),
    ),
    "alters a receipt and its leaf": (
        lambda one: one.alter_and_recompute(5, grants={}), "leaf 5: The signature does not match",
        "{receipt 5}", "signatures", LEAF.format(5),
    ),
    "alters a receipt and signs it with another key": (
        lambda one: one.alter_key(5), f"leaf 5: {FOREIGN}", "{receipt 5}", "signatures", LEAF.format(5),
    ),
    "alters a receipt and makes all fit but the key": (
        without_key(lambda one: one.alter_key(5)), f"leaf 5: {FOREIGN}", "{receipt 5}", "signatures", LEAF.format(5),
    ),
    "alters a tile": (
        lambda one: one.alter_tile(5), "leaf 5: the stored tile/0/000.p/13 differs", "from entry 5 on",
        "inclusion", LEAF.format(4),
    ),
    "deletes a record": (
        lambda one: one.delete(5), "leaf 5: the record is gone and no signed removal names it", "",
        "removals", LEAF.format(5),
    ),
    "deletes a record behind a removal of its own": (
        lambda one: one.delete_behind_a_forged_removal(5), f"leaf 5: {FOREIGN}", "",
        "removals", LEAF.format(5),
    ),
    "destroys a key": (lambda one: one.destroy_key(5), f"{UNREAD} key is gone", "", "removals", LEAF.format(5)),
    "gives a record the content of another": (
        lambda one: one.copy_content(6, 5), f"{UNREAD} content was altered", "", "removals", LEAF.format(5),
    ),
    "deletes a record and its leaf": (
        lambda one: one.delete_with_its_leaf(5), "leaf 5: is missing", "", "records", LEAF.format(6),
    ),
    "deletes a record and closes the gap": (
        lambda one: one.delete_and_close_the_gap(5), "leaf 5: the stored tile/0/000.p/13 differs", "",
        "inclusion", LEAF.format(5),
    ),
    "deletes a record and makes all fit but the key": (
        without_key(lambda one: one.delete_and_close_the_gap(5)), "checkpoint 8: No known key signed the note", "",
        "checkpoints", LINE.format(2),
    ),
    "back-dates a receipt": (
        lambda one: one.alter_and_recompute(6, iat=1_700_000_000), "leaf 6: The signature does not match",
        "{receipt 6}", "signatures", LEAF.format(6),
    ),
    "post-dates a checkpoint, so that what follows seems late": (
        lambda one: one.redate_checkpoint(8, HOUR_MS), "leaf 8: it is dated 2026-11-23 17:00:09 UTC, long before",
        "{receipt 8}", "times", LEAF.format(8),
    ),
    "back-dates a checkpoint, so that what it covers seems early": (
        lambda one: one.redate_checkpoint(8, -HOUR_MS), "checkpoint 8: it is dated before the one", "",
        "checkpoints", LINE.format(2),
    ),
    "lets two records change places": (
        lambda one: one.swap(5, 6), "leaf 5: the record is not the one that was sealed", "{receipt 6}",
        "leaves", LEAF.format(5),
    ),
    "lets two records change places with their leaves": (
        lambda one: one.swap_with_their_leaves(5, 6), "leaf 5: the stored tile/0/000.p/13 differs", "",
        "inclusion", LEAF.format(5),
    ),
    "re-orders records and makes all fit but the key": (
        without_key(lambda one: one.swap_with_their_leaves(5, 6)), "checkpoint 8: No known key signed the note", "",
        "checkpoints", LINE.format(2),
    ),
    "puts in a record for the ledger to seal": (
        lambda one: one.insert_forged(), f"leaf 13: {FOREIGN}", "receipt", "signatures", LEAF.format(13),
    ),
    "puts in a genuine record once more": (
        lambda one: one.insert_copy(5), "leaf 13: the record differs from its receipt: jti, decision_id", "",
        "unique", LEAF.format(13),
    ),
    "puts in a record between others": (
        lambda one: one.insert_between(5), "leaf 5: the record differs from its receipt: jti", "",
        "inclusion", LEAF.format(5),
    ),
    "puts in a record and makes all fit but the key": (
        without_key(lambda one: one.insert_between(5)), "leaf 5: the record differs from its receipt: jti", "",
        "checkpoints", LINE.format(2),
    ),
    "swaps the root of a checkpoint": (
        then(lambda one: one.swap_with_their_leaves(5, 6), Attacker.rewrite_tiles),
        "checkpoint 8: leaves 4 to 7 do not lead to its root", "", "inclusion", LEAF.format(5),
    ),
}  # fmt: skip


@pytest.mark.on_both_databases
def test_an_honest_ledger_holds(shop: Shop) -> None:
    report = shop.check(*shop.checkpoints())
    assert (report.faults, report.counts["leaves"], report.counts["removed"], report.counts["checkpoints"]) == (
        [],
        13,
        1,
        4,
    )
    assert shop.verify(*shop.checkpoints()).code == 0


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_named(shop: Shop, attacker: Attacker, name: str) -> None:
    attack, reason, detail, check, place = ATTACKS[name]
    attack(attacker)
    outcome = shop.verify()
    detail = detail.replace("{receipt ", "{").format(*(made.receipt_id for made in shop.made))
    said = shop.check().faults
    assert any(fault.startswith(reason) and detail in fault for fault in said), said
    assert (check, place) in {(fault[0], fault[1]) for fault in outcome.fails}, outcome.fails


@pytest.mark.on_both_databases
@pytest.mark.parametrize("name", ["alters a receipt", "deletes a record", "deletes a record and its leaf"])
def test_a_replay_of_one_stretch_names_it_too(shop: Shop, attacker: Attacker, name: str) -> None:
    attack, reason, *_ = ATTACKS[name]
    attack(attacker)
    replayed = replay_leaves(shop.services.database, shop.services.keys.ring, shop.site, "shop", 0)
    assert [fault for fault in replayed.faults if fault.startswith(reason)]


@pytest.mark.parametrize(
    ("column", "value", "claim"),
    [
        ("action", "save", "action"),
        ("visitor", bytes(16), "sub"),
        ("receipt_id", bytes(16), "jti"),
        ("decision_id", bytes(16), "decision_id"),
        ("commitment", bytes(32), "commitment"),
        ("granted", " analytics ", "grants"),
        ("recorded_at", 1_700_000_000_000, "iat"),
        ("language", "fr", "language"),
    ],
)
def test_what_stands_beside_a_receipt_is_what_it_says(
    shop: Shop, attacker: Attacker, column: str, value: Any, claim: str
) -> None:
    attacker.alter_column(5, column, value)
    said = f"leaf 5: the record differs from its receipt: {claim} (receipt {shop.made[5].receipt_id})"
    assert shop.check().faults == [said]
    # A pack holds receipts and nothing beside them.
    assert shop.verify().code == 0


KEPT_UNDER = "its content does not have the SHA-256 that it is kept under: it was altered"
# Attack on what visitors were shown: how each fault of `ledger check` begins and ends, and which check of verify.py
# says so too: none where the pack has nothing that was signed when it was made (docs/formats/evidence.md, section 8).
ARCHIVE: dict[str, tuple[Attack, str, str, str | None]] = {
    "alters a notice": (Attacker.alter_notice, "notice {notice}: ", KEPT_UNDER, "notices"),
    "alters a notice and its hash": (
        Attacker.alter_notice_with_its_hash, "leaf 0: the record differs from its receipt: notice", "", "notices",
    ),
    "gives a notice to another site": (
        Attacker.give_notice_away, "notice {notice}: ", "leaf 0 names it, and it is not among the site's", None,
    ),
    "alters the code": (Attacker.alter_widget, "widget {widget}: ", KEPT_UNDER, "widgets"),
    "deletes the code": (
        Attacker.delete_widget, "widget {widget}: ", "leaf 0 names it, and it is not here", "widgets",
    ),
    "alters a configuration": (
        lambda one: one.alter_configurations("main", "{}"), "configuration ", KEPT_UNDER, None,
    ),
    "alters the preferences": (
        lambda one: one.alter_configurations("preferences", "{}"), "configuration ", KEPT_UNDER, None,
    ),
    "back-dates a configuration": (
        lambda one: one.alter_configurations("served_at", 0), "configuration ",
        "it is dated 1970-01-01 00:00:00 UTC, before the notice was made", "shown",
    ),
    "puts in another picture": (lambda one: one.insert_picture(b"PNG"), "picture ", KEPT_UNDER, "shown"),
    "post-dates a publication": (
        lambda one: one.redate_publication(1_800_000_000_000), "publication of {notice}: ",
        "it is dated 2027-01-15 08:00:00 UTC, after the receipt of leaf 0 that names the notice", "notices",
    ),
    "back-dates a publication": (
        lambda one: one.redate_publication(0), "publication of {notice}: ",
        "it is dated 1970-01-01 00:00:00 UTC, before the notice was made", None,
    ),
    "deletes a publication": (
        Attacker.delete_publication, "publication of {notice}: ", "there is none, and leaf 0 names the notice",
        "notices",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVE)
def test_an_attack_on_what_was_shown_is_named(shop: Shop, attacker: Attacker, name: str) -> None:
    attack, begins, ends, check = ARCHIVE[name]
    claims = jose.claims(shop.made[0].receipt)
    attack(attacker)
    said = shop.check().faults
    place = begins.format(notice=claims["notice"], widget=claims["widget"])
    assert any(fault.startswith(place) and fault.endswith(ends) for fault in said), said
    found = {fault[0] for fault in shop.verify().fails}
    assert check is None or check in found


@pytest.mark.on_both_databases
def test_what_was_shown_is_counted(shop: Shop) -> None:
    shown = {"notices": 1, "configurations": 2, "widgets": 1, "publications": 1}
    assert shop.check().counts | shown == shop.check().counts


@pytest.mark.on_both_databases
def test_a_record_that_was_hidden_from_the_sealer(shop: Shop, attacker: Attacker) -> None:
    attacker.hide_from_the_sealer()
    (fault,) = shop.check().faults
    assert fault.endswith("the record has no leaf: it was inserted, or its leaf was removed")


def test_a_record_sealed_twice_where_nothing_keeps_ids_apart(shop: Shop, attacker: Attacker) -> None:
    attacker.sql("CREATE TABLE copies AS SELECT * FROM decisions")
    attacker.sql("DROP TABLE decisions")
    attacker.sql("ALTER TABLE copies RENAME TO decisions")
    row, last = attacker.row(5), attacker.last_row
    attacker.sql("INSERT INTO decisions SELECT * FROM decisions WHERE id = :row", row=row)
    attacker.sql("UPDATE decisions SET id = :new WHERE rowid = (SELECT max(rowid) FROM decisions)", new=last + 1)
    shop.seal()
    said = [f"leaf 13: leaf 5 has the same receipt_id: it was inserted twice (receipt {shop.made[5].receipt_id})"]
    assert shop.check().faults == said
    assert shop.verify().names("unique", "records.jsonl leaf 13", "leaf 5 has the same jti")


@pytest.mark.on_both_databases
def test_a_removal_of_another_site_removes_nothing_here(shop: Shop, attacker: Attacker) -> None:
    attacker.sql(
        "INSERT INTO removals (id, site_id, entry, salt, removed_at) SELECT 9001, :site, entry, salt, 0 FROM removals"
    )
    attacker.sql("INSERT INTO removed (site_id, first, last, removal_id) VALUES (:site, 5, 5, 9001)")
    attacker.delete(5)
    shop.seal()
    faults = shop.check().faults
    assert "leaf 5: the record is gone and no signed removal names it" in faults
    assert "leaf 13: the removal appears twice, or what it names was altered" in faults
    assert shop.verify().names("removals", "records.jsonl leaf 5", "leaf 13 does not name it")


def test_a_checkpoint_that_was_taken_away_meets_a_kept_one(shop: Shop, attacker: Attacker) -> None:
    kept = shop.checkpoints()
    attacker.drop_checkpoint(8)
    assert shop.check().faults == []
    assert shop.check(*kept).faults == ["kept checkpoint 8: it is no longer among the ledger's: it was cut out"]
    assert shop.verify(*kept).names("kept", f"{shop.bench.folder / 'kept.jsonl'} line 2", "it was cut out")


def test_an_end_that_was_cut_off_meets_a_kept_checkpoint(shop: Shop, attacker: Attacker) -> None:
    shop.decide()
    shop.seal()
    kept = shop.checkpoints()
    attacker.cut(8)
    attacker.sql("DELETE FROM removed")
    attacker.sql("DELETE FROM removals")
    told = shop.check(*kept).faults
    assert "kept checkpoint 14: the ledger now has 8 signed leaves; it was cut" in told
    assert shop.verify(*kept).names("kept", f"{shop.bench.folder / 'kept.jsonl'} line 5", "the end was cut off")


def test_an_operator_who_rewrites_everything_meets_a_kept_checkpoint(shop: Shop, attacker: Attacker) -> None:
    kept = shop.checkpoints()
    attacker.delete(5)
    attacker.empty_the_ledger()
    attacker.sql("DELETE FROM removed")
    attacker.sql("DELETE FROM removals")
    shop.seal()
    # With the key, and with nothing kept outside, a new history is as good as the old one.
    assert shop.check().faults == []
    assert shop.verify().code == 0
    faults = shop.check(*kept).faults
    assert "kept checkpoint 8: the ledger was rewritten since" in faults
    found = shop.verify(*kept)
    assert {fault[0] for fault in found.fails} == {"kept"}


def test_an_operator_who_back_dates_is_named_by_the_order_of_time(shop: Shop) -> None:
    shop.clock.advance(hours=1)
    shop.decide()
    shop.clock.advance(minutes=-20)
    late = shop.decide()
    shop.clock.advance(minutes=20)
    shop.seal()
    (fault,) = shop.check().faults
    assert fault.startswith("leaf 14: it is dated 2026-11-23 17:40:14 UTC, but follows a record of 2026-11-23 18:00:13")
    assert fault.endswith(f"back-dated (receipt {late.receipt_id})")
    assert shop.verify().names("times", "records.jsonl leaf 14", "but follows a record of")


def test_a_kept_checkpoint_that_the_ledger_never_signed(shop: Shop, attacker: Attacker) -> None:
    attacker.rewrite_tiles()
    attacker.rewrite_checkpoints()
    forged = shop.checkpoints()[0]
    assert "a kept checkpoint: No known key signed the note." in shop.check(forged).faults


@pytest.mark.on_both_databases
def test_a_ledger_of_many_pages_is_checked_page_by_page(
    shop: Shop, attacker: Attacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PAGE", 4)
    seen: list[int] = []
    ring = shop.services.keys.ring
    kept = shop.checkpoints()
    report = check_ledger(shop.services.database, ring, "shop", kept, seen.append)
    assert (report.faults, seen) == ([], [4, 8, 12, 13])
    attacker.swap(2, 11)
    faults = shop.check().faults
    assert [fault.partition(":")[0] for fault in faults] == ["leaf 2", "leaf 11"]


@pytest.fixture
def full_tile(shop: Shop) -> Shop:
    """A ledger of more than one tile."""
    for _ in range(250):
        shop.decide()
    shop.seal()
    return shop


def test_every_tile_is_compared(full_tile: Shop, attacker: Attacker) -> None:
    assert full_tile.check().faults == []
    for leaf, level, index, place in (
        (3, 0, 0, "leaf 3: the stored tile/0/000 differs"),
        (0, 1, 0, "tile/1/000.p/1: the stored tile/1/000.p/1 differs"),
        (3, 0, 1, "leaf 259: the stored tile/0/001.p/7 differs"),
    ):
        attacker.alter_tile(leaf, level, index)
        (fault,) = full_tile.check().faults
        assert fault.startswith(place)
        attacker.alter_tile(leaf, level, index)
    attacker.sql('DELETE FROM tiles WHERE level = 0 AND "index" = 0')
    assert full_tile.check().faults == ["The tile tile/0/000 is missing."]
    # The pack is made nonetheless, and says so.
    assert full_tile.verify().names("inclusion", "records.jsonl leaf 0", "the proof is too short")
