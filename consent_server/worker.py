"""What every worker does by itself, again and again: seal new records, have others hold the checkpoints, forget."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from consent_server.access.log_lookup import forget_lookups
from consent_server.core.context import Services
from consent_server.core.errors import StorageUnavailable, TimestampRefused
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.timestamp import timestamp_ledger
from consent_server.ledger.witness import witness_ledger
from consent_server.rates.close_days import close_days
from consent_server.rates.deliver_alerts import deliver_alerts
from consent_server.rates.watch import watch_rates

log = logging.getLogger("consent_server.sealer")


# What is in the inbox is read along with the roll-ups: this only bounds how long it stays there.
FOLD_SECONDS = 5
# A new notice has its timestamp that soon, and an authority that failed is asked again.
TIMESTAMP_SECONDS = 60
# A banner that nobody can answer is told that soon, and a day's rates that soon after its end.
WATCH_SECONDS = 600
# No look-up is there when it is a year old: each run takes what would be so within the hour, and runs often enough
# that a server which is started again and again comes to it as well.
FORGET_SECONDS, AHEAD = 600, timedelta(hours=1)
# The first attempt comes that soon after an alert; the others are spaced by themselves.
DELIVER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Task:
    """Work of a thread of its own, so that a slow one delays no other.

    `alone`: one worker of a machine is enough. Another takes over once that one is gone.
    """

    name: str
    seconds: float
    run: Callable[[Services], None]
    alone: bool = False


def tasks(services: Services) -> list[Task]:
    """All of them, as the settings ask for. Each may run in several workers or machines at once, harmlessly."""
    settings = services.settings
    found = [Task("sealer", settings.seal_seconds, _seal), Task("counters", FOLD_SECONDS, _fold, alone=True)]
    found.append(Task("alerts", WATCH_SECONDS, _watch, alone=True))
    found.append(Task("look-ups", FORGET_SECONDS, _forget, alone=True))
    if settings.alerts.names:
        found.append(Task("deliveries", DELIVER_SECONDS, _deliver, alone=True))
    if settings.witnesses:
        found.append(Task("witnesses", settings.witness_seconds, _witness, alone=True))
    if services.authority:
        seconds = min(TIMESTAMP_SECONDS, services.authority.seconds)
        found.append(Task("timestamps", seconds, _timestamp, alone=True))
    return found


def start(services: Services, end: threading.Event | None = None) -> list[threading.Thread]:
    """Begin, until `end` is set or the process ends, wherever a thread is then: a half-done run leaves nothing."""
    end = end or threading.Event()
    threads = [
        threading.Thread(target=_loop, args=(services, task, end), name=task.name, daemon=True)
        for task in tasks(services)
    ]
    for thread in threads:
        thread.start()
    return threads


def _loop(services: Services, task: Task, end: threading.Event) -> None:
    ours = not task.alone
    while not end.wait(task.seconds):
        try:
            ours = ours or _became_the_one(services, task)
            if ours:
                task.run(services)
        except (StorageUnavailable, TimestampRefused) as error:
            log.warning("%s: %s", task.name, error.detail)
        except Exception:
            log.exception("%s failed", task.name)


def _became_the_one(services: Services, task: Task) -> bool:
    """Take the task over unless another worker has it. Held until this process ends, however it ends."""
    path = services.settings.instance / f"{task.name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _seal(services: Services) -> None:
    seal_ledger(services.database, services.keys.ring, services.now)


def _fold(services: Services) -> None:
    fold_tallies(services.database)
    close_days(services.database, services.now())


def _witness(services: Services) -> None:
    for done in witness_ledger(services.database, services.settings.witnesses, services.now):
        if done.forked:
            log.error("ALARM: witness %s, site %s, %d leaves: %s", done.witness, done.site, done.size, done.detail)
        elif not done.ok:
            log.warning("witness %s, site %s: %s", done.witness, done.site, done.detail)


def _watch(services: Services) -> None:
    for key, alert in watch_rates(services.database, services.settings.alerts.names, services.now()):
        log.warning("alert, site %s: %s", key, alert.text)


def _forget(services: Services) -> None:
    forget_lookups(services.database, services.now() + AHEAD)


def _deliver(services: Services) -> None:
    settings = services.settings
    for told in deliver_alerts(services.database, settings.alerts, settings.public_url, services.now):
        if told.given_up:
            log.error("site %s: given up to tell by %s (%s): %s", told.site, told.channel, told.detail, told.text)
        elif not told.ok:
            log.warning("alert not taken yet, site %s, by %s: %s", told.site, told.channel, told.detail)


def _timestamp(services: Services) -> None:
    if services.authority:
        for done in timestamp_ledger(services.database, services.authority, services.now):
            log.info("timestamp: %s", done)
