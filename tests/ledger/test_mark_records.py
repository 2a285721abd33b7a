"""A span of records that nobody made is marked by a signed entry: they stay, and every check says so."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from consent_server.core.errors import InvalidQuery
from consent_server.ledger.mark_records import mark_records
from consent_server.ledger.remark import Remarker
from tests.support.factories import PUBLIC_URL, START
from tests.support.ledger_shop import Shop

WHY = "A flood from one network"


def mark(shop: Shop, since: datetime, before: datetime, dry_run: bool = False) -> list[tuple[int, int]]:
    our = shop.services
    remarker = Remarker(our.keys.ring, PUBLIC_URL, our.random)
    return mark_records(our.database, remarker, shop.clock, "shop", since, before, WHY, dry_run)


@pytest.mark.on_both_databases
def test_what_is_marked_stays_and_is_told(shop: Shop) -> None:
    # Four are sealed, one a second; the fifth has no leaf yet.
    shop.decide()
    kept = shop.checkpoints()
    since, before = START + timedelta(seconds=2), START + timedelta(seconds=60)
    assert mark(shop, since, before, dry_run=True) == [(1, 3)]
    assert shop.checkpoints() == kept
    assert mark(shop, since, before) == [(1, 4)]
    report = shop.check(*kept)
    assert report.faults == []
    assert report.counts["removed"] == 0
    (said,) = [words for words in report.counts if WHY in words]
    assert report.counts[said] == 4
    assert "not genuine" in said
    assert "Recorded from 2026-11-23T17:00:02.250Z to 2026-11-23T17:01:00.250Z" in said
    # A record that was made since is none of these, and nothing is marked twice.
    shop.decide()
    assert mark(shop, since, before) == [(6, 6)]
    assert mark(shop, since, before) == []
    assert shop.check(*kept).faults == []


def test_two_at_once_mark_nothing_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    since, before = START, START + timedelta(seconds=60)
    with monkeypatch.context() as patch:
        # The first has written its entry and has not sealed it when the second has its turn.
        patch.setattr("consent_server.ledger.mark_records.seal_ledger", lambda *_: None)
        assert mark(shop, since, before) == [(0, 3)]
        assert mark(shop, since, before) == []
    shop.seal()
    report = shop.check()
    assert report.faults == []
    assert [count for words, count in report.counts.items() if WHY in words] == [4]


def test_a_pack_says_which_are_not_genuine_and_holds(shop: Shop) -> None:
    mark(shop, START, START + timedelta(seconds=3))
    outcome = shop.verify()
    assert outcome.code == 0, outcome.text
    assert WHY in outcome.text


def test_what_was_removed_is_not_named(shop: Shop) -> None:
    shop.erase(shop.made[1])
    named = mark(shop, START, START + timedelta(days=1))
    assert named == [(0, 0), (2, 3)]
    assert shop.check().faults == []


def test_the_rival_s_records_are_none_of_the_shop_s(shop: Shop) -> None:
    assert mark(shop, START - timedelta(days=9), START - timedelta(days=8)) == []
    shop.decide("rival")
    assert mark(shop, shop.clock(), shop.clock() + timedelta(seconds=1)) == []


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, WHY), (-1, WHY), (1, ""), (1, "x" * 201), (1, "two\nlines"), (1, "\x1b[2J")]
)
def test_what_cannot_be_said_marks_nothing(shop: Shop, seconds: int, reason: str) -> None:
    our, kept = shop.services, shop.checkpoints()
    remarker = Remarker(our.keys.ring, PUBLIC_URL, our.random)
    end = START + timedelta(seconds=seconds)
    with pytest.raises(InvalidQuery):
        mark_records(our.database, remarker, shop.clock, "shop", START, end, reason)
    assert shop.checkpoints() == kept


def test_the_command_asks_says_and_marks(bare_app: Flask, shop: Shop) -> None:
    runner = bare_app.test_cli_runner()
    span = ["ledger", "mark", "shop", "--from", "2026-11-23T17:00:02Z", "--to", "2026-11-23", "--reason", WHY]
    asked = runner.invoke(args=span)
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert "say --yes" in asked.stderr
    tried = runner.invoke(args=[*span, "--dry-run"])
    assert tried.stdout == "leaves 1 to 3: would be marked as not genuine\n"
    done = runner.invoke(args=[*span, "--yes"])
    assert (done.exit_code, done.stdout) == (0, "leaves 1 to 3: marked as not genuine\n")
    again = runner.invoke(args=[*span, "--yes"])
    assert again.stdout == "No record of this span is there that is not marked already.\n"
    wrong = runner.invoke(args=["ledger", "mark", "shop", "--from", "yesterday", "--to", "2026-11-23", "--reason", WHY])
    assert wrong.exit_code == 2
    assert "A day" in wrong.stderr or "day such as" in wrong.stderr
    checked = runner.invoke(args=["ledger", "check", "shop"])
    assert checked.exit_code == 0
    assert WHY in checked.stdout
