"""Counters on their way from the inbox to the roll-ups: every event once, and nothing that was granted together."""

import multiprocessing
import os
import random
from collections import Counter
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import select

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rows import RollUpRow, TallyRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_tally import CounterName, Kind, Measure, Outcome
from consent_server.decisions.store_tallies import Cell
from consent_server.rates.close_days import close_days
from consent_server.sites import store as sites
from consent_server.sites.rows import NoticeRow
from tests.support.factories import Clock, settings_for
from tests.support.rates_page import quiet

pytestmark = pytest.mark.on_both_databases
SHOWN = CounterName(Measure.SHOWN)


@pytest.fixture
def cell(services: Context, notice: str) -> Cell:
    """A place of the shop; its outcome is to be replaced."""
    with services.database.reading() as session:
        site_id = sites.get(session, "shop").id
        notice_id = session.scalars(select(NoticeRow.id).where(NoticeRow.hash == notice)).one()
    return Cell(site_id, notice_id, "2026-11-23T17", "en", "mobile", "MT", "shown")


def add(services: Context, *cells: Cell) -> None:
    with services.database.transaction() as session:
        tallies.add(session, Counter(cells))


def rolled_up(services: Context, dimension: str = "country") -> dict[str, int]:
    with services.database.reading() as session:
        rows = session.scalars(select(RollUpRow).where(RollUpRow.dimension == dimension))
        return {row.counter: row.count for row in rows}


def test_a_choice_among_fifty_vendors_is_counted(services: Context, cell: Cell) -> None:
    # Random, or PostgreSQL would compress the names to fit where they must not stand.
    dice = random.Random(45)
    keys = tuple(sorted("".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789-", k=63)) for _ in range(50)))
    many = Outcome(Kind.FIRST, Action.SAVE, keys, keys).text
    nearly = Outcome(Kind.FIRST, Action.SAVE, keys, keys[:-1]).text
    at = [Cell(cell.site_id, cell.notice_id, cell.hour, "en", "mobile", "MT", text) for text in (many, many, nearly)]
    add(services, *at)
    add(services, *at)
    with services.database.reading() as session:
        assert sorted(session.scalars(select(TallyRow.count))) == [2, 4]
    fold_tallies(services.database)
    counted = rolled_up(services)
    assert (counted["decisions"], counted["save"], counted["granted"]) == (6, 6, 6)
    assert (counted[f"vendor {keys[0]}"], counted[f"vendor {keys[-1]}"], counted[f"purpose {keys[-1]}"]) == (6, 4, 6)


def test_what_was_granted_together_is_folded_away(services: Context, cell: Cell) -> None:
    chosen = ("first:save::google-analytics,meta-pixel", "first:save:analytics:google-ads,google-analytics")
    add(services, *(Cell(cell.site_id, cell.notice_id, cell.hour, "en", "mobile", "MT", text) for text in chosen))
    fold_tallies(services.database)
    totals = {"decisions": 2, "save": 2, "granted": 2}
    grants = {
        "purpose analytics": 1, "vendor google-ads": 1, "vendor google-analytics": 2, "vendor meta-pixel": 1,
    }  # fmt: skip
    assert rolled_up(services, "pulse") == {"decisions": 2, "records": 2}
    assert rolled_up(services, "hour") == {"decisions": 2, "save": 2}
    assert (rolled_up(services, "day"), rolled_up(services, "selection")) == (totals, grants)
    for dimension in ("language", "device", "country"):
        assert rolled_up(services, dimension) == totals | grants
    with services.database.reading() as session:
        assert session.scalars(select(TallyRow)).all() == []


@pytest.mark.slow
def test_months_and_days_make_any_span(services: Context, cell: Cell, clock: Clock) -> None:
    dice, first = random.Random(3), date(2025, 12, 20)
    days = [(first + timedelta(days=number)).isoformat() for number in range(80)]
    views = Counter({(day, kind): dice.choice((1, 12, 30)) for day in days for kind in ("mobile", "tablet", "desktop")})
    with services.database.transaction() as session:
        cells = {Cell(cell.site_id, cell.notice_id, f"{day}T09", kind[:2], kind, "", "shown"): views[day, kind]
                 for day, kind in views}  # fmt: skip
        tallies.add(session, Counter(cells))
    fold_tallies(services.database)
    close_days(services.database, quiet, clock())
    with services.database.snapshot() as session:
        for begin, end in combinations([*days[::9], "2026-01-01", "2026-02-01", "2026-03-01", "2026-03-20"], 2):
            if begin < end:
                within = sum(count for (day, _), count in views.items() if begin <= day < end)
                for dimension in ("devices", "languages", "days"):
                    told = tallies.kept(session, cell.site_id, dimension, begin, end, ("value",), [SHOWN])
                    assert [one.events for one in told] == ([{SHOWN: within}] if within else [])


def slots_of_a_container(url: str, folder: Path, cell: Cell) -> list[int]:
    """As a worker of a container counts, whose processes have the same few numbers as those of any other."""
    database = create_app(settings_for(folder, url)).extensions["consent"].database
    with patch.object(os, "getpid", return_value=7):
        for _ in range(2):
            with database.transaction() as session:
                tallies.add(session, Counter([cell]))
    with database.reading() as session:
        return sorted(session.scalars(select(TallyRow.slot)))


@pytest.mark.slow
def test_workers_of_two_containers_never_wait_for_one_row(
    services: Context, cell: Cell, database_url: str, tmp_path: Path
) -> None:
    with patch.object(os, "getpid", return_value=7):
        add(services, cell, cell)
    with multiprocessing.get_context("spawn").Pool(1) as container:
        slots = container.apply(slots_of_a_container, (database_url, tmp_path, cell))
    assert len(set(slots)) == 2
    # And one that is forked off has its own.
    with multiprocessing.get_context("fork").Pool(1) as worker:
        assert worker.apply(own_slot) not in (*slots, own_slot())


def own_slot() -> int:
    return tallies._slot(os.getpid())
