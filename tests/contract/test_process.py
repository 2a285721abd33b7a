"""The product as it is shipped: gunicorn with its committed configuration, killed and started again."""

import http.client
import json
import os
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import text

from consent_server.access.rules import Role
from consent_server.core.context import Context
from consent_server.decisions.read_refused import refused_lately
from consent_server.people.tokens import create_token
from consent_server.sites.find import find_site
from tests.support.factories import SHOP, Body
from tests.support.served import VISITOR, Server, Start

pytestmark = pytest.mark.slow
MEMORY = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir())
ELSEWHERE = "https://elsewhere.example"


@pytest.mark.on_both_databases
def test_what_was_answered_survives_a_kill(start: Start, body: Body) -> None:
    server = start()
    bodies = [body() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(server.post, bodies[:-1]))
    answers.append(server.post(bodies[-1]))
    server.kill()
    assert [status for status, _ in answers] == [201] * 12

    server = start()
    for sent, (_, answer) in zip(bodies, answers, strict=True):
        said = json.loads(answer)
        link = urlsplit(said["receipt_url"]).path
        assert server.ask("GET", link, Accept="application/jose") == (200, said["receipt"].encode())
        assert server.post(sent) == (200, answer)


@pytest.mark.on_both_databases
def test_a_record_is_covered_within_five_seconds_with_no_command(start: Start, body: Body) -> None:
    server = start()
    server.post(body())
    answer = json.loads(server.post(body())[1])
    recorded = time.monotonic()
    path = urlsplit(answer["receipt_url"]).path + "/proof"
    while (proof := server.ask("GET", path))[0] != 200:
        assert proof[0] == 409
        assert time.monotonic() < recorded + 5, "No checkpoint covers the record after 5 s."
        time.sleep(0.05)
    assert json.loads(proof[1])["leaf_index"] == 1


def test_refused_posts_of_all_workers_are_counted_also_those_of_the_last_moment(
    start: Start, services: Context, body: Body
) -> None:
    def refuse(times: int) -> None:
        for _ in range(times):
            sent = json.dumps(body()).encode()
            answer = server.ask("POST", "/v1/sites/shop/decisions", sent, Content_Type="text/plain", Origin=ELSEWHERE)
            assert answer[0] == 403

    def counted() -> int:
        return sum(posts for _, _, posts in refused_lately(services.database, shop, datetime.now(UTC), days=2))

    server, shop = start(), find_site(services.database, "shop")
    refuse(12)
    begun = time.monotonic()
    while counted() < 12:
        assert time.monotonic() < begun + 15, "What was refused is not written after 15 s."
        time.sleep(0.05)
    refuse(7)
    server.stop()
    assert counted() == 19


def test_a_log_line_says_what_was_asked_and_never_who(start: Start, body: Body) -> None:
    server = start()
    answer = json.loads(server.post(body(page="https://shop.example/?q=TELLTALE"))[1])
    link = urlsplit(answer["receipt_url"]).path
    server.ask("GET", link)
    server.ask("GET", f"{link}?format=TELLTALE")
    script = "/widget/shop.js?lang=TELLTALE"
    server.ask("GET", script, Referer="https://TELLTALE.example/", Cookie="eu-consent=TELLTALE")
    server.ask("GET", "/v1/receipts/%2e" + link.rpartition("/")[2], X_Forwarded_For="203.0.113.9")
    server.ask("GET", "/%1b%5b2J%9b2J%7f%c2%9b2J%e2%80%ae")
    lines, errors = server.stop()
    asked = [json.loads(line) for line in lines]
    assert [line["status"] for line in asked[:1]] == [201]
    assert len(asked) == 6
    # Nothing that a path says draws on the terminal of who reads the log.
    assert all(line.isascii() and line.isprintable() for line in lines)
    for line in asked:
        assert line.keys() == {"at", "method", "path", "status", "bytes", "ms"}
    signature = link.rpartition(".")[2]
    for trace in (VISITOR, "203.0.113.9", "TELLTALE", signature, answer["visitor"]):
        assert trace not in "\n".join(lines), trace
        assert trace not in errors, trace


BROKEN = {
    "sqlite": "CREATE TRIGGER broken BEFORE INSERT ON decisions WHEN NEW.language = 'fr' BEGIN"
    " SELECT RAISE(ABORT, 'broken'); END",
    "postgresql": "ALTER TABLE decisions ADD CONSTRAINT broken CHECK (language <> 'fr')",
}


MENDED = {"sqlite": "DROP TRIGGER broken", "postgresql": "ALTER TABLE decisions DROP CONSTRAINT broken"}


@pytest.mark.on_both_databases
def test_an_incident_in_the_log_says_nothing_of_the_visitor(
    start: Start, services: Context, body: Body, dialect: str
) -> None:
    with services.database.transaction() as session:
        session.execute(text(BROKEN[dialect]))
    server = start()
    sent = body(language="fr", page="https://shop.example/TELLTALE")
    try:
        status, answer = server.post(sent)
    finally:
        # The tables of this PostgreSQL are other tests' too.
        with services.database.transaction() as session:
            session.execute(text(MENDED[dialect]))
    assert status == 500
    lines, errors = server.stop()
    assert f"incident {json.loads(answer)['incident']}" in errors
    assert "IntegrityError" in errors
    said = errors + "\n".join(lines)
    own = UUID(str(sent["decision_id"]))
    # Receipts and their parts begin with eyJ; bytes are written in either of these ways.
    for trace in ("eyJ", "TELLTALE", VISITOR, str(own), own.hex, repr(own.bytes)[2:-1]):
        assert trace not in said, trace


def test_what_all_workers_measure_is_in_the_answer_of_each(start: Start, services: Context, body: Body) -> None:
    bearer = create_token(services.database, Role.OPERATOR, None, "prometheus", datetime.now(UTC))
    server = start()
    with ThreadPoolExecutor(6) as pool:
        assert [status for status, _ in pool.map(server.post, [body() for _ in range(30)])] == [201] * 30
    for _ in range(6):
        figures = server.ask("GET", "/metrics", Authorization=f"Bearer {bearer}")[1].decode()
        assert "\nconsent_commit_wait_seconds_count 30.0\n" in figures
    killed = start()
    (left,) = MEMORY.glob(f"consent-measures-{killed.pid}-*")
    killed.kill()
    assert left.exists()
    server.stop()
    assert not list(MEMORY.glob(f"consent-measures-{server.pid}-*"))
    # The next server takes away what one that was killed could not.
    start()
    assert not left.exists()


def test_a_misspelt_setting_is_warned_of_once(start: Start) -> None:
    server = start(CONSENT_PUBLIC_ULR="https://x.example")
    assert server.ask("GET", "/healthz")[0] == 200
    assert server.stop()[1].count("CONSENT_PUBLIC_ULR is no setting of this server and has no effect") == 1


def test_a_request_that_is_none_is_not_logged_with_its_address(start: Start) -> None:
    server = start()
    with socket.create_connection(("127.0.0.1", server.port), 20, source_address=(VISITOR, 0)) as connection:
        connection.sendall(b"NOT A REQUEST TELLTALE\r\n\r\n")
        while connection.recv(4096):
            pass
    lines, errors = server.stop()
    assert VISITOR not in "\n".join(lines)
    assert VISITOR not in errors


@pytest.mark.parametrize("path", ["/v1/sites/shop/decisions", "/sign-in"])
@pytest.mark.parametrize("sent", [b"zz\r\n{}\r\n", b"2\r\n{}TELLTALE\r\n"])
def test_a_body_in_chunks_that_are_none(start: Start, notice: str, path: str, sent: bytes) -> None:
    server = start()
    kind = b"application/x-www-form-urlencoded" if path == "/sign-in" else b"application/json"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        head = b"POST %b HTTP/1.1\r\nHost: x\r\nOrigin: %b\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head % (path.encode(), SHOP.encode(), kind) + sent)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 400
        assert b"/problems/malformed-body" in answer.read()


def test_a_body_in_chunks(start: Start, body: Body) -> None:
    server = start()

    def chunks(text: str) -> Iterator[bytes]:
        yield text[:100].encode()
        yield text[100:].encode()

    sent = json.dumps(body())
    path, headers = "/v1/sites/shop/decisions", {"Content_Type": "application/json"}
    assert server.ask("POST", path, chunks(sent), **headers)[0] == 201
    assert server.ask("POST", path, chunks(sent), **headers)[0] == 200
    status, answer = server.ask("POST", path, chunks(sent.ljust(8193)), **headers)
    assert (status, json.loads(answer)["type"]) == (413, "/problems/body-too-large")


@pytest.fixture
def cores(request: pytest.FixtureRequest) -> Iterator[set[int]]:
    """What this process and those that it starts may run on: at most as many cores as the test says."""
    before = os.sched_getaffinity(0)
    chosen = set(sorted(before)[: request.param])
    os.sched_setaffinity(0, chosen)
    yield chosen
    os.sched_setaffinity(0, before)


def spread(server: Server, workers: int, without: set[int]) -> list[int]:
    """How many workers each core has, once all are there and pinned and those without whom are gone."""
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, "The workers are not there, each on one core, after a minute."
        living = server.workers
        try:
            pinned = [os.sched_getaffinity(pid) for pid in living]
        except ProcessLookupError:
            continue
        if len(living) == workers and living.isdisjoint(without) and all(len(cores) == 1 for cores in pinned):
            return sorted(Counter(core for cores in pinned for core in cores).values())
        time.sleep(0.02)


@pytest.mark.parametrize(("workers", "cores"), [(2, 2), (3, 2), (2, 1)], indirect=["cores"])
def test_a_worker_that_takes_the_place_of_another_runs_on_a_free_core(
    start: Start, workers: int, cores: set[int]
) -> None:
    evenly = sorted(len(range(core, workers, len(cores))) for core in range(len(cores)))
    server = start(WEB_CONCURRENCY=str(workers))
    assert spread(server, workers, set()) == evenly
    # Not in the order in which they came.
    for victim in sorted(server.workers, reverse=True):
        os.kill(victim, signal.SIGKILL)
        assert spread(server, workers, {victim}) == evenly
    before = server.workers
    server.reload()
    assert spread(server, workers, before) == evenly


@pytest.mark.parametrize(
    "system",
    [
        "del os.sched_getaffinity, os.sched_setaffinity",  # as on macOS and the BSDs
        "def refused(*_): raise PermissionError\nos.sched_setaffinity = refused",  # as in a sandbox
    ],
)
def test_where_processes_cannot_be_pinned_the_server_works_unpinned(start: Start, tmp_path: Path, system: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import os\n{system}\n")
    assert start(PYTHONPATH=str(tmp_path)).ask("GET", "/healthz")[0] == 200


def test_no_proxy_is_believed_that_the_settings_do_not_count(start: Start) -> None:
    port = start(CONSENT_PUBLIC_URL="http://127.0.0.1:1").port
    for said in ({}, {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"}):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/sign-in", headers=said)
        answer = connection.getresponse()
        assert "Secure" not in answer.headers["Set-Cookie"]
        connection.close()


def test_a_worker_has_no_part_in_what_its_master_opened(start: Start, body: Body) -> None:
    server = start()
    assert server.post(body())[0] == 201
    # A connection that is open at a fork looks to SQLite, in the copy, as if it held its locks for good.
    assert not [link for link in open_files(server.pid) if "consent.sqlite3" in link]
    assert any("consent.sqlite3" in link for pid in server.workers for link in open_files(pid))


def open_files(pid: int) -> list[str]:
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(os.readlink(descriptor))
    return found
