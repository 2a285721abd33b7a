"""What a decision costs over HTTP: rate and processor time, beside Flask's "hello" and c15t in the same run.

Usage: python -m bench.decisions [--rounds 5] [--seconds 4] [--workers 1 2] [--sites 1 500] [--no-peer] [--no-widget]
                                 [--against CHECKOUT] [--c15t FOLDER]
Load goes to 127.0.0.1 only, from wrk with 16 connections; rounds of all servers take turns. `--against` measures the
product of another checkout too: before and after in one run.
"""

import argparse
import os
import re
import statistics
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
from bench.servers import PostgreSQL, Server, install_c15t, run, serve_c15t, serve_hello, serve_product

RESULT = re.compile(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)")


@dataclass(frozen=True)
class Round:
    """What some seconds of load came to; the times are milliseconds, `processor` and `switches` of one request."""

    rate: float
    processor: float
    switches: float
    p50: float
    p99: float
    refused: int


def main() -> None:
    """Measure and print a Markdown table for each number of workers."""
    options = _options()
    with ExitStack() as stack:
        postgresql = PostgreSQL()
        stack.callback(postgresql.remove)
        peer: Path | None = None
        if not options.no_peer:
            peer = options.c15t or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="c15t-")))
            if options.c15t is None:
                install_c15t(peer)
        for workers in options.workers:
            _measure(_servers(options, workers, postgresql, peer), options.rounds, options.seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sites", type=int, nargs="+", default=[1, 500])
    parser.add_argument("--databases", nargs="+", choices=["SQLite", "PostgreSQL"], default=["SQLite", "PostgreSQL"])
    parser.add_argument("--against", type=Path, help="another checkout of the product")
    parser.add_argument("--no-peer", action="store_true", help="without c15t")
    parser.add_argument("--no-widget", action="store_true", help="without the widget's script")
    parser.add_argument("--c15t", type=Path, help="a folder where install_c15t has installed it")
    return parser.parse_args()


def _servers(
    options: argparse.Namespace, workers: int, postgresql: PostgreSQL, peer: Path | None
) -> Iterator[AbstractContextManager[Server]]:
    yield serve_hello(workers)
    trees = {"": ROOT} | ({", before": options.against.resolve()} if options.against else {})
    for database in options.databases:
        for sites in options.sites:
            for name, tree in trees.items():
                url = _new_database(postgresql) if database == "PostgreSQL" else None
                words = f"{database}, {sites} site{'s' if sites > 1 else ''}{name}"
                yield serve_product(words, url, workers, sites, tree)
        if peer:
            yield serve_c15t(f"c15t, {database}", peer, workers, postgresql if database == "PostgreSQL" else None)
    if options.no_widget:
        return
    yield serve_hello(workers, 8)
    for name, tree in trees.items():
        yield _serve_widget(f"widget, 200{name}", workers, tree, known=False)
        yield _serve_widget(f"widget, 304{name}", workers, tree, known=True)


def _new_database(postgresql: PostgreSQL) -> str:
    name = f"bench_{next(_NUMBERS)}"
    postgresql.execute(f"CREATE DATABASE {name}")
    return postgresql.url(name)


# Drawn at random, that many a site leave hardly one that one of two workers has not met.
MEETINGS = 16

_NUMBERS = iter(range(1000))


@contextmanager
def _serve_widget(name: str, workers: int, tree: Path, known: bool) -> Iterator[Server]:
    with serve_product(name, None, workers, tree=tree) as server:
        headers = {"Accept-Encoding": "br", "Accept-Language": "en"}
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/widget/shop.js", headers=headers)
        with urllib.request.urlopen(request) as response:
            environment = {"ETAG": response.headers["ETag"]} if known else {}
        yield replace(server, script="bench/get_widget.lua", environment=environment)


def _measure(made: Iterator[AbstractContextManager[Server]], rounds: int, seconds: int) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(server) for server in made]
        for server in servers:
            _warm_up(server)
        measured: list[list[Round]] = [[] for _ in servers]
        for _ in range(rounds):
            for server, so_far in zip(servers, measured, strict=True):
                so_far.append(_load(server, seconds))
    _print(servers, measured)


def _warm_up(server: Server) -> None:
    """Connections, caches, compiled code; and each worker has met each site, which costs a multiple the first time."""
    wanted = MEETINGS * len(server.environment.get("SITES", "").splitlines())
    while wanted >= 0:
        wanted -= int(_result(_run_wrk(server, 2))[1]) or 1


def _load(server: Server, seconds: int) -> Round:
    processor, switches = server.processor(), server.switches()
    match = _result(_run_wrk(server, seconds))
    processor, switches = server.processor() - processor, server.switches() - switches
    requests, microseconds, errors = (int(group) for group in match.groups()[:3])
    assert requests, f"{server.name} answered nothing"
    # A machine that has other work may keep a commit waiting until posts are refused. A load of refusals is none.
    assert errors < requests / 50, f"{server.name}: {errors} of {requests} requests failed"
    rate = (requests - errors) / microseconds * 1e6
    return Round(rate, processor * 1000 / requests, switches / requests, float(match[4]), float(match[5]), errors)


def _result(printed: str) -> re.Match[str]:
    match = RESULT.search(printed)
    assert match, printed
    return match


def _run_wrk(server: Server, seconds: int) -> str:
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", server.script, f"http://127.0.0.1:{server.port}"]
    return run(command, os.environ | server.environment)


def _print(servers: Sequence[Server], measured: Sequence[Sequence[Round]]) -> None:
    print("| server | requests/s | ratio to hello, median (min to max) | processor, ms | to hello | switches ", end="")
    print("| p50, ms | p99, ms | refused |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    hello = measured[0]
    for server, rounds in zip(servers, measured, strict=True):
        # What is served by threads is compared with a hello that is, too.
        if server.name.startswith("Flask"):
            hello = rounds
        base = hello if server.script == "bench/get_widget.lua" else measured[0]
        ratios = [one.rate / other.rate for one, other in zip(rounds, base, strict=True)]
        costs = [one.processor / other.processor for one, other in zip(rounds, base, strict=True)]
        middle = {name: statistics.median(getattr(one, name) for one in rounds) for name in Round.__annotations__}
        print(
            f"| {server.name} | {middle['rate']:,.0f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"| {middle['processor']:.2f} | {statistics.median(costs):.1f} | {middle['switches']:.1f} "
            f"| {middle['p50']:.1f} | {middle['p99']:.1f} | {sum(one.refused for one in rounds)} |"
        )
    print()


if __name__ == "__main__":
    main()
