"""Figures by which operators see whether the server does its work."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from consent_server.core.database import Database
from consent_server.core.settings import Settings
from consent_server.decisions.rules import Action
from consent_server.health import store as figures
from consent_server.health.store import LedgerFigures

# Long enough for two visits of any usual scraper, short enough that counting stays cheap on a busy site.
RECENT = timedelta(minutes=5)
# The name of all sites together, where they are not told apart.
ALL = "*"


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """A site. `waiting` is for how long its oldest entry has no leaf, in seconds; 0 when all have one.

    `leaves` only grows. `sealed_at` is the time of the newest checkpoint, None before the first. `recent` counts
    the records of the last five minutes.
    """

    site: str
    leaves: int
    waiting: float
    sealed_at: datetime | None
    recent: dict[Action, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """All sites, and the database that holds them."""

    sites: list[SiteFigures]
    database_bytes: int


def read_figures(database: Database, now: datetime, apart: bool = True) -> Figures:
    """As of now, from the database alone, so that it does not matter which process is asked.

    `apart`: each site by itself, instead of all as one of the name ALL.
    """
    with database.reading() as session:
        if apart:
            recent = dict(figures.decisions_since(session, now - RECENT))
            ledgers = figures.ledgers(session)
        else:
            recent = {ALL: figures.all_decisions_since(session, now - RECENT)}
            ledgers = [figures.all_ledgers(session, ALL)]
        size = figures.database_bytes(session)
    sites = [SiteFigures(of.site, of.size, _waiting(of, now), of.sealed_at, recent.get(of.site, {})) for of in ledgers]
    return Figures(sites, size)


def read_sealing(database: Database, site_id: int, now: datetime) -> tuple[timedelta, datetime | None]:
    """For how long the oldest entry of a site has no leaf, and when its newest checkpoint was signed."""
    with database.reading() as session:
        ledger = figures.ledger(session, site_id)
    return timedelta(seconds=_waiting(ledger, now)), ledger.sealed_at


def _waiting(ledger: LedgerFigures, now: datetime) -> float:
    unsealed = [at for at in (ledger.oldest_decision, ledger.oldest_removal) if at is not None]
    return max(0.0, (now - min(unsealed)).total_seconds()) if unsealed else 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """Where this server writes, in bytes, and when its keys were last changed; None where they are in the settings."""

    disk_free: int
    disk_size: int
    keys_at: float | None


def read_machine(database: Database, settings: Settings) -> Machine:
    """As of now, of the machine that is asked."""
    file = database.engine.url.database if database.embedded else None
    disk = shutil.disk_usage(Path(file).parent if file else settings.instance)
    keys_at = None if settings.signing_keys else settings.signing_keys_file.stat().st_mtime
    return Machine(disk.free, disk.total, keys_at)
