"""A database of many records for the benches: the real schema by the real migrations, real-shaped rows.

Each kind of act is recorded a few times by the real use case: settled, signed, committed. The rest are copies
of those rows inserted in bulk, each with ids, time, salt and key of its own. So a copy's receipt still says the first
one's ids: as long, as signed and as hard to read as any, but a look-up by the receipt itself is not measured on it.
"""

import itertools
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask_migrate import upgrade
from sqlalchemy import func, select, text

ROOT = Path(__file__).resolve().parent.parent
from consent_server.app import create_app
from consent_server.core.context import Context, db
from consent_server.decisions import store as decisions
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_receipt import uuid7
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.supply_keys import KeySupply
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.factories import VENDORS, Clock, answer, settings_for, site_file
from tests.support.vendors import IDS
from tests.support.visitor import as_row

MORE = f'[[vendors]]\nkey = "sentry"\nid = "{IDS["sentry"]}"\n\n[[vendors]]\nkey = "youtube"\n'
# Under the first notice nobody can grant what the second adds; under the third nobody grants what it adds.
NOTICES = (VENDORS, VENDORS + MORE, VENDORS + MORE + f'\n[[vendors]]\nkey = "zendesk"\nid = "{IDS["zendesk"]}"\n')
SHARES = (0.3, 0.6, 0.1)
UNGRANTED = "support"
ACTIONS = {Action.ACCEPT_ALL: 52, Action.REFUSE_ALL: 33, Action.SAVE: 11, Action.WITHDRAW: 3, Action.GPC: 1}
POOL = 300
CHUNK = 5000
# Between two records: a million of them in a year.
EVERY = timedelta(seconds=31)


@dataclass
class Ledger:
    """The shop with its records. `rows` holds, for each notice, columns of real records to copy."""

    services: Context
    clock: Clock
    site_id: int
    rows: list[list[dict[str, Any]]]


def open_services(folder: Path, database_url: str | None = None) -> tuple[Context, Clock]:
    """The product on a database of its own."""
    clock = Clock()
    app = create_app(settings_for(folder, database_url or f"sqlite:///{folder / 'consent.sqlite3'}"), now=clock)
    services: Context = app.extensions["consent"]
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return services, clock


def make_ledger(folder: Path, database_url: str | None = None, pool: int = POOL) -> Ledger:
    """A ledger with `pool` real records under each notice, to fill it from."""
    services, clock = open_services(folder, database_url)
    dice = random.Random(7)
    rows = [_real_records(services, vendors, pool, dice) for vendors in NOTICES]
    return Ledger(services, clock, services[CurrentSites].get("shop").site_id, rows)


def _real_records(services: Context, vendors: str, pool: int, dice: random.Random) -> list[dict[str, Any]]:
    declared = read_site_file(site_file(vendors=vendors))
    publish_notice(services.database, declared, services.settings.public_url, services.now())
    # What is in memory may be a moment behind the publication.
    assert services[CurrentSites].look(10)
    current = services[CurrentSites].get("shop")
    made = set()
    for action in dice.choices(list(ACTIONS), list(ACTIONS.values()), k=pool):
        grants = {purpose: _granted(action, purpose, dice) for purpose in current.notice.purposes}
        said = answer(current.notice, decision_id=uuid4(), action=action, grants=grants, page="https://shop.example/a")
        made.add(services[RecordDecision](current, said, Visit()).receipt_id)
    with services.database.reading() as session:
        found = session.scalars(select(DecisionRow).where(DecisionRow.notice_id == current.notice_id)).all()
        return [as_row(record) for record in decisions.opened(session, found) if record.receipt_id in made]


def _granted(action: Action, purpose: str, dice: random.Random) -> bool:
    if action is Action.ACCEPT_ALL:
        return True
    return action is Action.SAVE and purpose != UNGRANTED and dice.random() < 0.4


def fill(ledger: Ledger, count: int) -> None:
    """Insert copies until the site has `count` records."""
    services = ledger.services
    with services.database.reading() as session:
        have = session.scalar(select(func.count()).select_from(DecisionRow)) or 0
    copies, keys = _copies(ledger, count - have), KeySupply()
    while chunk := list(itertools.islice(copies, CHUNK)):
        with services.database.transaction() as session:
            decisions.append(session, chunk, keys)
    if not services.database.embedded:
        # As its own housekeeping would have done by then. SQLite has none: it plans without figures.
        with services.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE decisions"))


def _copies(ledger: Ledger, count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(11)
    ends = [round(count * end) for end in itertools.accumulate(SHARES)]
    at: datetime = ledger.clock.at
    visitors: list[Any] = []
    for number in range(count):
        at += EVERY
        row = dice.choice(ledger.rows[next(place for place, end in enumerate(ends) if number < end)])
        visitor = row["visitor"] and uuid7(at, os.urandom(10))
        if row["visitor"] and visitors and dice.random() < 0.1:
            visitor = dice.choice(visitors)
        elif row["visitor"]:
            visitors = [*visitors[-999:], visitor]
        yield row | {
            # In order of time too: a shared commit of so many would otherwise mix what never is.
            "decision_id": uuid7(at, os.urandom(10)),
            "receipt_id": uuid7(at, os.urandom(10)),
            "visitor": visitor,
            "recorded_at": at,
            "salt": os.urandom(32),
        }
    ledger.clock.at = max(ledger.clock.at, at)
