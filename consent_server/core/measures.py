"""What the processes of a server measure of their own work: how long it waited, what failed.

Nothing in it is of a site or of a visitor. gunicorn.conf.py gives the workers a folder in which each keeps its numbers
(PROMETHEUS_MULTIPROC_DIR), so that whichever worker is asked answers for all; they begin anew with the server.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

# Of every counter when it was made: nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]

# Seconds. A visitor's post is to be answered within two, whatever happens.
WAITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)

COMMIT_WAIT = Histogram(
    "consent_commit_wait_seconds",
    "For how long a decision or a count waited for the commit that it shares with others.",
    buckets=WAITS,
    registry=None,
)
DATABASE_WAIT = Histogram(
    "consent_database_wait_seconds",
    "For how long a transaction that writes waited for its beginning.",
    buckets=WAITS,
    registry=None,
)
DATABASE_FAILURES = Counter(
    "consent_database_failures", "Transactions that were refused or lost: the database was away or busy.", registry=None
)
UNKNOWN_SITES = Counter("consent_refused_posts_unknown_site", "Posts to sites that are not there.", registry=None)
TASK_FAILURES = Counter(
    "consent_task_failures", "Runs of a task of the server's own that failed.", ["task"], registry=None
)
TASK_DONE = Gauge(
    "consent_task_timestamp_seconds",
    "When a task of the server's own last ended well.",
    ["task"],
    registry=None,
    multiprocess_mode="max",
)
_ALL = (COMMIT_WAIT, DATABASE_WAIT, DATABASE_FAILURES, UNKNOWN_SITES, TASK_FAILURES, TASK_DONE)


def measure(write: Callable[[], None]) -> None:
    """Write a figure if it can be written: on a full disk no decision fails, and no task ends, for want of one."""
    with suppress(Exception):
        write()


def collect() -> Iterator[Metric]:
    """All of them, of all workers of this server."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        yield from MultiProcessCollector(CollectorRegistry()).collect()  # type: ignore[no-untyped-call]
        return
    for measured in _ALL:
        yield from measured.collect()
