"""Figures for a monitoring system (Prometheus text format 0.0.4), for operators of all sites.

Most are computed from the database when they are asked for, the others are sums of all workers: several processes
answer, and all answer the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from consent_server import __version__
from consent_server.access.guard import caller
from consent_server.core import measures
from consent_server.core.context import context
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.decisions.encrypt_records import read_encryption
from consent_server.decisions.read_refused import refused_ever
from consent_server.health.read import ALL, read_figures, read_machine
from consent_server.http.answers import Cache, answer
from consent_server.ledger.read_stopped import read_stopped
from consent_server.rates.read import RatesReader
from consent_server.rates.read_alerts import read_alert_figures
from consent_server.receipts.request_erasure import read_erasure_requests
from consent_server.sites.find import list_site_keys

bp = Blueprint("metrics", __name__)

# The sites are told apart as long as they are no more: a hundred series each would be too much for who reads them.
APART = 50

# Where figures come from. Each part of the server that has some adds its own; none may cost more with more records.
SOURCES: list[Callable[[], Iterable[Metric]]] = []


@bp.get("/metrics")
def metrics() -> Response:
    """All figures."""
    caller().require_all_sites()
    return answer(generate_latest(_REGISTRY), CONTENT_TYPE_PLAIN_0_0_4, cache=Cache.NO_STORE)


class _Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        for source in SOURCES:
            yield from source()


_REGISTRY = CollectorRegistry()
_REGISTRY.register(_Everything())


def _sites() -> list[str]:
    """The keys of all sites; none where they are too many to be told apart."""
    keys = list_site_keys(context().database)
    return keys if len(keys) <= APART else []


def _server() -> Iterator[Metric]:
    yield GaugeMetricFamily("consent_sites", "Sites on this server.", len(list_site_keys(context().database)))
    figures = read_figures(context().database, context().now(), apart=bool(_sites()))
    leaves = CounterMetricFamily("consent_ledger_leaves", "Records and removals sealed so far.", labels=["site"])
    waiting = GaugeMetricFamily(
        "consent_sealing_lag_seconds",
        "For how long the oldest record has not been sealed; 0 when all are.",
        labels=["site"],
    )
    sealed = GaugeMetricFamily(
        "consent_checkpoint_timestamp_seconds", "When the newest checkpoint was signed.", labels=["site"]
    )
    recent = GaugeMetricFamily(
        "consent_recent_decisions", "Decisions recorded in the last five minutes.", labels=["site", "action"]
    )
    for site in figures.sites:
        leaves.add_metric([site.site], site.leaves)
        waiting.add_metric([site.site], site.waiting)
        if site.sealed_at is not None:
            sealed.add_metric([site.site], site.sealed_at.timestamp())
        for action, count in site.recent.items():
            recent.add_metric([site.site, action.value], count)
    yield from (leaves, waiting, sealed, recent)
    yield GaugeMetricFamily("consent_database_size_bytes", "Size of the database.", figures.database_bytes)
    version = GaugeMetricFamily("consent_build_info", "The version that answers.", labels=["version"])
    version.add_metric([__version__], 1)
    yield version


def _encryption() -> Iterator[Metric]:
    found = read_encryption(context().database)
    left = "Records from before contents were encrypted that the server has not come to yet."
    yield GaugeMetricFamily("consent_records_to_encrypt", left, found.left)
    due = "1 when the database's files are to be written anew once: consent retention run --rewrite-files."
    yield GaugeMetricFamily("consent_rewrite_due", due, not found.rewritten)


def _stopped() -> Iterator[Metric]:
    made = context()
    stopped = GaugeMetricFamily(
        "consent_sealing_stopped",
        "1 for a ledger behind what was signed of it, or with a last checkpoint that lies ahead; none for others.",
        labels=["site"],
    )
    for site in read_stopped(made.database, made.keys.ring, made.now()):
        stopped.add_metric([site], 1)
    yield stopped
    # Of the process that answers, like its clock.
    said = "By how many seconds the clock was set while the server runs; nothing is sealed unless it is 0."
    yield GaugeMetricFamily("consent_clock_step_seconds", said, made.keys.guard.clock.step())


def _machine() -> Iterator[Metric]:
    machine, now = read_machine(context().database, context().settings), context().now()
    yield GaugeMetricFamily("consent_clock_timestamp_seconds", "What the server's clock says.", now.timestamp())
    yield GaugeMetricFamily("consent_disk_free_bytes", "Room left where the server writes.", machine.disk_free)
    yield GaugeMetricFamily("consent_disk_size_bytes", "Size of the disk where the server writes.", machine.disk_size)
    if machine.keys_at is not None:
        yield GaugeMetricFamily(
            "consent_signing_keys_timestamp_seconds", "When the file of signing keys was last changed.", machine.keys_at
        )


def _alerts() -> Iterator[Metric]:
    figures = read_alert_figures(context()[RatesReader], None if _sites() else ALL)
    raised = GaugeMetricFamily("consent_alerts", "Alerts raised in the last 24 hours.", labels=["site", "kind"])
    rates = GaugeMetricFamily(
        "consent_rate_yesterday",
        "Rates of the site's last complete day, 0 to 1, as docs/rates.md defines them; none where there is no rate.",
        labels=["site", "rate"],
    )
    untold = GaugeMetricFamily(
        "consent_alerts_untold", "Alerts of the last four days that a channel could not tell.", labels=["channel"]
    )
    for of in figures.sites:
        for kind, count in of.raised.items():
            raised.add_metric([of.site, kind], count)
        for name, rate in of.yesterday.items():
            if rate.value is not None:
                rates.add_metric([of.site, name], rate.value)
    for channel, count in figures.given_up.items():
        untold.add_metric([channel], count)
    yield from (raised, rates, untold)


def _erasure() -> Iterator[Metric]:
    requests, now = read_erasure_requests(context().database), context().now()
    sites = _sites()
    asked: dict[str, list[float]] = {site: [] for site in sites or [ALL]}
    for request in requests:
        asked[request.site if sites else ALL].append((now - request.asked_at).total_seconds())
    count = GaugeMetricFamily(
        "consent_erasure_requests_open", "Visitors' requests for erasure that are not carried out.", labels=["site"]
    )
    age = GaugeMetricFamily(
        "consent_erasure_request_age_seconds",
        "For how long the oldest of them is open; 0 without one.",
        labels=["site"],
    )
    for site, ages in asked.items():
        count.add_metric([site], len(ages))
        age.add_metric([site], max(ages, default=0.0))
    yield from (count, age)


def _refused() -> Iterator[Metric]:
    posts, made = context()[RefusedPosts], context()
    posts.try_write()
    refused = CounterMetricFamily(
        "consent_refused_posts", "Decisions, views and conversions refused since the first.", labels=["site", "reason"]
    )
    sites, sums = _sites(), Counter[tuple[str, str]]()
    for site, reason, count in refused_ever(made.database):
        sums[site if sites else ALL, reason] += count
    for (site, reason), count in sums.items():
        refused.add_metric([site, reason], count)
    yield refused


SOURCES += [_server, _machine, _encryption, _stopped, _alerts, _erasure, _refused, measures.collect]
