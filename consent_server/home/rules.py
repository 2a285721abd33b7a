"""What is told of a site at a glance: what there is to do, each with its way, and figures that say all is well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

# A tag that was there and is not: longer than a night without visitors on a small site.
QUIET_FOR = timedelta(days=2)
# docs/deploy.md, "What to watch": sealing takes a second, and witnesses are asked every minute.
LATE_SEAL = timedelta(minutes=5)
LATE_WITNESS = timedelta(hours=1)
OLD_KEYS = timedelta(days=365)
LITTLE_DISK = 0.1


class Task(NamedTuple):
    """Something that somebody is to do: what it is, what the way to do it is called, and the endpoint or address of it.

    Without a way the words say it all.
    """

    words: str
    way: str = ""
    endpoint: str = ""

    @property
    def is_of_site(self) -> bool:
        """Whether the way leads to a page of the site."""
        return not self.endpoint.startswith("docs.")


@dataclass(frozen=True, slots=True)
class Tag:
    """Where the tag was seen last, if it ever was."""

    origin: str | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sealing:
    """How the ledger of a site stands.

    `waiting` is for how long its oldest entry has no leaf; `stopped` says why nothing is sealed, empty when it is.
    `witnesses` are the names of those that the settings ask, `behind` of those that have not cosigned for too long.
    """

    waiting: timedelta
    sealed_at: datetime | None
    stopped: str = ""
    witnesses: Sequence[str] = ()
    behind: Sequence[str] = ()

    @property
    def up_to_date(self) -> int:
        """How many witnesses have cosigned all that they could have."""
        return len(self.witnesses) - len(self.behind)


@dataclass(frozen=True, slots=True)
class Requests:
    """Visitors' requests that are open, and by when the oldest is to be answered."""

    count: int
    answer_by: datetime | None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the server writes: the part of the disk that is free, and when its keys were last changed, if known."""

    free: float
    keys_at: datetime | None


def tag_tasks(tag: Tag, published: bool, now: datetime) -> list[Task]:
    """What is to do until the banner is on the site's pages."""
    if not published:
        return [Task("Nothing is published yet, so no banner is shown.", "Settings", "editor.settings")]
    if tag.seen_at is None:
        return [Task("No page of this site has shown the banner yet.", "Put the tag in", "docs.embedding")]
    if now - tag.seen_at > QUIET_FOR:
        days = (now - tag.seen_at).days
        said = f"Nothing was heard from the tag for {days} days; it was last seen on {tag.origin}."
        return [Task(said, "See that it is there", "docs.embedding")]
    return []


def ledger_tasks(sealing: Sealing) -> list[Task]:
    """What keeps records from being sealed and witnessed."""
    if sealing.stopped:
        return [Task(f"Records are not sealed: {sealing.stopped}")]
    told = []
    if sealing.waiting > LATE_SEAL:
        minutes = int(sealing.waiting.total_seconds() // 60)
        told.append(Task(f"The oldest record has waited {minutes} minutes for its seal: see the server's log."))
    told += [
        Task(f"Witness {name} has cosigned nothing new for over an hour: see the server's log, and ask who runs it.")
        for name in sealing.behind
    ]
    return told


def request_tasks(requests: Requests, now: datetime) -> list[Task]:
    """Who waits for an answer to a right, and for how long they still may."""
    if not requests.count or requests.answer_by is None:
        return []
    some = "1 request for erasure is" if requests.count == 1 else f"{requests.count} requests for erasure are"
    left = (requests.answer_by - now).days
    until = f"{left} days left" if left > 1 else "1 day left" if left == 1 else "due today" if left == 0 else "late"
    oldest = "" if requests.count == 1 else " for the oldest"
    return [Task(f"{some} open, {until}{oldest}.", "Decide", "erasures.requests")]


def scan_tasks(wrong: int) -> list[Task]:
    """What the last scan found on the site."""
    things = "1 thing that is" if wrong == 1 else f"{wrong} things that are"
    return [Task(f"The last scan found {things} wrong.", "See the scans", "scans.scans")] if wrong else []


def alert_tasks(alerts: int) -> list[Task]:
    """What the rates' watch raised within a day."""
    raised = "1 alert about the rates was" if alerts == 1 else f"{alerts} alerts about the rates were"
    return [Task(f"{raised} raised within a day.", "Look at the rates", "dashboard.rates")] if alerts else []


def machine_tasks(machine: Machine, now: datetime) -> list[Task]:
    """What the machine needs, whichever site it is."""
    told = []
    if machine.free < LITTLE_DISK:
        told.append(Task(f"Only {machine.free:.0%} of the disk is free: nothing is recorded once it is full."))
    if machine.keys_at and now - machine.keys_at > OLD_KEYS:
        days = (now - machine.keys_at).days
        told.append(Task(f"The signing key is {days} days old: run `consent key rotate`."))
    return told


def verdict(tasks: int) -> str:
    """All in three words."""
    return "All is well" if not tasks else "1 thing to look at" if tasks == 1 else f"{tasks} things to look at"
