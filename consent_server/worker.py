"""What every worker does by itself, again and again: seal new records, have others hold the checkpoints, forget."""

import fcntl
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from consent_server.access.credentials import OneTimeLinks
from consent_server.access.log_lookup import forget_lookups
from consent_server.core.context import Context
from consent_server.core.errors import InvalidProof, StorageUnavailable, TimestampRefused
from consent_server.core.measures import TASK_DONE, TASK_FAILURES, measure
from consent_server.core.terminal import plain
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.decisions.encrypt_records import RecordEncryption, read_encryption
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.tag_sightings import TagSightings
from consent_server.ledger.request_timestamps import Authority, request_timestamps
from consent_server.ledger.seal import Sealer, remember
from consent_server.ledger.witness import heed, witness_ledger
from consent_server.people.log_sign_ins import forget_sign_ins
from consent_server.people.reset_password import answer_requests
from consent_server.rates.close_days import close_days
from consent_server.rates.deliver_alerts import Attempt, deliver_alerts
from consent_server.rates.mail_weeks import mail_weeks
from consent_server.rates.read import RatesReader
from consent_server.rates.tell_today import tell_today
from consent_server.rates.watch import watch_rates
from consent_server.scans.ask_scan import ask_due
from consent_server.scans.make_scans import make_scan

log = logging.getLogger("consent_server.worker")


# Work that takes more than this share of a core is done less often: much at once costs less than the same bit by bit.
SHARE = 0.03
# A record is sealed within 5 seconds all the same, with one for the run itself.
SEAL_LATEST = 3
# How long what is counted stays in the inbox: alerts read it along with the roll-ups, and people after that.
FOLD_SECONDS, FOLD_LATEST = 5, 20
# So soon after its end what is told of a day is made, and the rest of it is nowhere.
CLOSE_SECONDS = 60
# A new notice has its timestamp that soon, and an authority that failed is asked again.
TIMESTAMP_SECONDS = 60
# Records from before there were keys; visitors go first: after each batch of a few milliseconds there is a pause.
ENCRYPT_SECONDS, ENCRYPT_PAUSE, ENCRYPT_SAID = 60, 0.1, 10_000
# A banner that nobody can answer is told that soon, and a day's rates that soon after its end.
WATCH_SECONDS = 600
# No look-up is there when it is a year old: each run takes what would be so within the hour, and runs often enough
# that a server which is started again and again comes to it as well.
FORGET_SECONDS, AHEAD = 600, timedelta(hours=1)
# What other machines sealed is remembered here too that soon, lest their own memory is lost with them.
REMEMBER_SECONDS = 60
ALARM_SECONDS = 600
# Who asked for a scan sees it begin that soon.
SCAN_SECONDS = 5
# The first attempt comes that soon after an alert; the others are spaced by themselves.
DELIVER_SECONDS = 30
# An operator who has just put the tag in looks for it.
SIGHTINGS_SECONDS = 5
# So soon whoever forgot a password has a link.
RESET_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Task:
    """Work of a thread of its own, so that a slow one delays no other.

    `alone`: one worker of a machine is enough. Another takes over once that one is gone.
    `latest`: so many seconds after its last run it is done again, though it takes more than its share of a core.
    """

    name: str
    seconds: float
    run: Callable[[Context], None]
    alone: bool = False
    latest: float = 0

    def pause(self, worked: float) -> float:
        """Seconds until the next run, after one that took so many of a core's."""
        return max(self.seconds, min(self.latest, worked / SHARE))


class Alarm:
    """What does not pass by itself is said when it begins, when it becomes something else, and every ten minutes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._said, self._at = now, "", 0.0

    def is_due(self, detail: str) -> bool:
        """Whether to say it now."""
        # Numbers grow while nothing is sealed.
        words = re.sub("[0-9]+", "0", detail)
        if words == self._said and self._now() < self._at + ALARM_SECONDS:
            return False
        self._said, self._at = words, self._now()
        return True


def tasks(context: Context) -> list[Task]:
    """All of them, as the settings ask for. Each may run in several workers or machines at once, harmlessly."""
    settings = context.settings
    found = [
        Task("sealer", settings.seal_seconds, _sealing(context), alone=True, latest=SEAL_LATEST),
        Task("counters", FOLD_SECONDS, _fold, alone=True, latest=FOLD_LATEST),
        Task("days", CLOSE_SECONDS, _close, alone=True),
    ]
    found.append(Task("refused posts", FOLD_SECONDS, _write_refused))
    found.append(Task("tag sightings", SIGHTINGS_SECONDS, _write_sightings))
    found.append(Task("encryption", ENCRYPT_SECONDS, _encrypt, alone=True))
    found.append(Task("alerts", WATCH_SECONDS, _watch, alone=True))
    found.append(Task("look-ups", FORGET_SECONDS, _forget, alone=True))
    found.append(Task("signed checkpoints", REMEMBER_SECONDS, _remember, alone=True))
    found.append(Task("scans", SCAN_SECONDS, _scan, alone=True))
    if settings.scan_days:
        found.append(Task("due scans", WATCH_SECONDS, _ask_scans, alone=True))
    if settings.alerts.names:
        found.append(Task("deliveries", DELIVER_SECONDS, _deliver, alone=True))
    if settings.sender:
        found.append(Task("passwords", RESET_SECONDS, _answer_requests, alone=True))
    if settings.alerts.mail:
        found.append(Task("weekly mails", WATCH_SECONDS, _mail_weeks, alone=True))
    if settings.witnesses:
        found.append(Task("witnesses", settings.witness_seconds, _witness, alone=True))
    if authority := context.find(Authority):
        seconds = min(TIMESTAMP_SECONDS, authority.seconds)
        found.append(Task("timestamps", seconds, _timestamp, alone=True))
    return found


def start(context: Context, end: threading.Event | None = None) -> list[threading.Thread]:
    """Begin, until `end` is set or the process ends, wherever a thread is then: a half-done run leaves nothing."""
    end, threads = end or threading.Event(), list[threading.Thread]()
    for task in tasks(context):
        # From 0 on: what first appears as 3 has not grown, for whoever watches it.
        TASK_FAILURES.labels(task.name)
        threads.append(threading.Thread(target=_loop, args=(context, task, end), name=task.name, daemon=True))
    for thread in threads:
        thread.start()
    return threads


def _loop(context: Context, task: Task, end: threading.Event) -> None:
    ours, said, pause = not task.alone, Alarm(), task.seconds
    while not end.wait(pause):
        before = time.thread_time()
        try:
            ours = ours or _became_the_one(context, task)
            if ours:
                task.run(context)
                measure(lambda: TASK_DONE.labels(task.name).set(context.now().timestamp()))
        except (StorageUnavailable, TimestampRefused) as error:
            measure(lambda: TASK_FAILURES.labels(task.name).inc())
            log.warning("%s: %s", task.name, plain(error.detail))
        except InvalidProof as error:
            measure(lambda: TASK_FAILURES.labels(task.name).inc())
            if said.is_due(error.detail):
                log.error("ALARM: %s: %s", task.name, plain(error.detail))
        except Exception:
            measure(lambda: TASK_FAILURES.labels(task.name).inc())
            log.exception("%s failed", task.name)
        pause = task.pause(time.thread_time() - before)


def _became_the_one(context: Context, task: Task) -> bool:
    """Take the task over unless another worker has it. Held until this process ends, however it ends."""
    path = context.settings.instance / f"{task.name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _sealing(context: Context) -> Callable[[Context], None]:
    sealer = Sealer(context.database)
    return lambda context: sealer.run(context.keys.ring, context.now)


def _remember(context: Context) -> None:
    remember(context.database, context.keys.ring)


def _fold(context: Context) -> None:
    fold_tallies(context.database)
    tell_today(context.database)


def _close(context: Context) -> None:
    close_days(context.database, context.random, context.now())


def _encrypt(context: Context) -> None:
    run, done = RecordEncryption(context.database, context.now, context.random), 0
    while batch := run.encrypt_batch():
        done += batch
        if done % ENCRYPT_SAID < batch:
            left = read_encryption(context.database).left
            log.info("encrypted %d records from before the upgrade; %d to go", done, left)
        time.sleep(ENCRYPT_PAUSE)


def _write_refused(context: Context) -> None:
    context[RefusedPosts].write()


def _write_sightings(context: Context) -> None:
    context[TagSightings].write()


def _witness(context: Context) -> None:
    for done in witness_ledger(context.database, context.settings.witnesses, context.now):
        heed(context.keys.guard, done)
        if done.forked:
            said = (done.witness, done.site, done.size, plain(done.detail))
            log.error("ALARM: witness %s, site %s, %d leaves: %s", *said)
        elif not done.ok:
            log.warning("witness %s, site %s: %s", done.witness, done.site, plain(done.detail))


def _watch(context: Context) -> None:
    for key, alert in watch_rates(context[RatesReader], context.settings.alerts.names):
        log.warning("alert, site %s: %s", key, alert.text)


def _forget(context: Context) -> None:
    forget_lookups(context.database, context.now() + AHEAD)
    forget_sign_ins(context.database, context.now() + AHEAD)


def _ask_scans(context: Context) -> None:
    ask_due(context.database, context.now(), timedelta(days=context.settings.scan_days))


def _scan(context: Context) -> None:
    while key := make_scan(context):
        log.info("site %s: scanned", key)


def _answer_requests(context: Context) -> None:
    if sender := context.settings.sender:
        url = f"{context.settings.sign_in_url}/sign-in/link?t="
        for failure in answer_requests(
            context.database, context[OneTimeLinks], sender, url.__add__, context.now, context.random
        ):
            log.warning("a link for a new password was not mailed yet: %s", plain(failure))


def _deliver(context: Context) -> None:
    settings = context.settings
    _say_attempts(deliver_alerts(context.database, settings.alerts, settings.sign_in_url, context.now))


def _mail_weeks(context: Context) -> None:
    settings = context.settings
    if settings.alerts.mail:
        _say_attempts(mail_weeks(context[RatesReader], settings.alerts.mail, settings.sign_in_url))


def _say_attempts(attempts: Iterable[Attempt]) -> None:
    for attempt in attempts:
        said = (attempt.site, attempt.channel, plain(attempt.detail))
        if attempt.given_up:
            log.error("site %s: given up to tell by %s (%s): %s", *said, attempt.text)
        elif not attempt.ok:
            log.warning("alert not taken yet, site %s, by %s: %s", *said)


def _timestamp(context: Context) -> None:
    if authority := context.find(Authority):
        for done in request_timestamps(context.database, authority, context.now):
            log.info("timestamp: %s", done)
