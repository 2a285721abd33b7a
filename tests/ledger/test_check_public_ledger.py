"""A ledger checked from its public bytes: over HTTP, on a machine that has none of the server's records."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.ledger.check_public import check_public_ledger
from consent_server.ledger.recover import recover_ledger
from consent_server.ledger.remark import Remarker
from consent_server.ledger.rules_remark import RemarkRule
from tests.support.factories import PUBLIC_URL, Clock, settings_for
from tests.support.ledger_attacks import Attacker
from tests.support.ledger_shop import Shop
from tests.support.set_back import OlderCopy

Wsgi = Callable[..., Any]


@pytest.fixture
def shop(services: Context, notice: str, clock: Clock, tmp_path: Path) -> Shop:
    """Twelve records under checkpoints of 4, 8 and 12 leaves."""
    made = Shop(services, clock, tmp_path)
    made.decide_and_seal(3)
    return made


@pytest.fixture
def between() -> dict[str, Callable[[Response], None]]:
    """What happens to answers on their way, by path."""
    return {}


@pytest.fixture
def url(shop: Shop, bare_app: Flask, between: dict[str, Callable[[Response], None]]) -> Iterator[str]:
    """The server's address."""

    @Request.application
    def relay(request: Request) -> Response:
        answer = Response.from_app(bare_app.wsgi_app, request.environ)
        if change := between.get(request.path):
            change(answer)
        return answer

    server = make_server("127.0.0.1", 0, relay, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def attacker(shop: Shop, database_url: str) -> Iterator[Attacker]:
    """Somebody with write access, past the product and its triggers."""
    found = Attacker.on(database_url)
    yield found
    found.leave()


def faults(url: str, *kept: str) -> list[str]:
    return check_public_ledger(url, "shop", kept).faults


def elsewhere(folder: Path, *arguments: str) -> Result:
    """The command on a machine whose database has not even a table."""
    app = create_app(settings_for(folder / "auditor", f"sqlite:///{folder / 'auditor' / 'none.sqlite3'}"))
    return app.test_cli_runner().invoke(args=["ledger", "check", "shop", *arguments])


@pytest.mark.on_both_databases
def test_an_honest_ledger_holds_from_elsewhere(shop: Shop, url: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(json.dumps({"note": note}) + "\n" for note in shop.checkpoints()[:2]))
    done = elsewhere(tmp_path, "--from", url, "--checkpoint", str(kept))
    assert done.output == "12 leaves, 3 checkpoints, 2 kept\nok: nothing was altered, inserted, removed or moved\n"
    assert done.exit_code == 0


def test_tiles_of_every_level_are_fetched_and_compared(shop: Shop, url: str, attacker: Attacker) -> None:
    for _ in range(250):
        shop.decide()
    shop.seal()
    seen: list[int] = []
    report = check_public_ledger(url, "shop", shop.checkpoints(), seen.append)
    assert (report.faults, report.counts["leaves"], report.counts["checkpoints"], seen) == ([], 262, 4, [256, 262])
    attacker.alter_tile(0, level=1)
    assert faults(url) == ["tile/1/000.p/1: the stored tile/1/000.p/1 differs from the leaves from entry 0 on"]
    attacker.alter_tile(0, level=1)
    attacker.alter_tile(3)
    said = faults(url)
    assert "checkpoint 4: leaves 0 to 3 do not lead to its root" in said
    assert "the newest checkpoint: its 262 leaves do not lead to its root" in said


def test_a_ledger_that_was_cut_meets_a_kept_checkpoint(shop: Shop, url: str, attacker: Attacker) -> None:
    kept = shop.checkpoints()
    attacker.cut(8)
    assert faults(url) == []
    assert faults(url, *kept) == ["kept checkpoint 12: the ledger now has 8 signed leaves; it was cut"]


def test_a_ledger_that_was_rewritten_meets_kept_checkpoints(shop: Shop, url: str, attacker: Attacker) -> None:
    kept = shop.checkpoints()
    attacker.delete(5)
    attacker.empty_the_ledger()
    shop.services.keys.guard.signed.path.unlink()
    shop.seal()
    assert faults(url) == []
    said = faults(url, *kept[1:])
    assert "kept checkpoint 8: the ledger was rewritten since" in said
    assert "kept checkpoint 12: the ledger now has 11 signed leaves; it was cut" in said
    assert "consistency from 8 to 11: The consistency proof does not join the two roots." in said


def test_a_foreign_key_is_none_of_the_ledgers(shop: Shop, url: str, attacker: Attacker) -> None:
    kept = shop.checkpoints()
    attacker.rewrite_checkpoints()
    assert "the newest checkpoint: No known key signed the note." in faults(url)
    assert "checkpoint 8: No known key signed the note." in faults(url, *kept)


def test_a_checkpoint_that_was_taken_out_of_the_feed(shop: Shop, url: str, attacker: Attacker) -> None:
    kept = shop.checkpoints()
    attacker.drop_checkpoint(8)
    assert faults(url, *kept) == ["kept checkpoint 8: it is no longer among the ledger's: it was cut out"]


def shorten(answer: Response) -> None:
    answer.data = answer.data[:-1]


def say(text: bytes, status: int = 200) -> Callable[[Response], None]:
    def change(answer: Response) -> None:
        answer.data, answer.status_code = text, status

    return change


def twice(answer: Response) -> None:
    answer.data = answer.data + answer.data


JWKS, LEDGER = "/.well-known/jwks.json", "/ledger/shop"


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        (f"{LEDGER}/tile/0/000.p/12", shorten, "The tile tile/0/000.p/12 is cut short."),
        (f"{LEDGER}/tile/0/000.p/12", twice, "its answer is longer than 384 bytes"),
        (f"{LEDGER}/tile/0/000.p/12", say(b"", 302), "the server answered 302"),
        (f"{LEDGER}/checkpoint", say(b"", 404), "/ledger/shop/checkpoint: the server answered 404"),
        (f"{LEDGER}/checkpoint", say(b"\xff"), "The note has no blank line before its signatures."),
        (f"{LEDGER}/checkpoints", twice, "checkpoint 4: the feed is not in order of size"),
        (f"{LEDGER}/checkpoints", say(b'{"size": 4}\n'), "The feed has a line that is not a checkpoint."),
        (f"{LEDGER}/checkpoints", say(b"[1]\n"), "The feed has a line that is not a checkpoint."),
        (f"{LEDGER}/checkpoints", say(b""), "checkpoint 12: the feed does not hold the newest"),
        (f"{LEDGER}/consistency", say(b'{"hashes": []}'), "consistency from 4 to 12: The proof is too short."),
        (f"{LEDGER}/consistency", say(b'{"hashes": 1}'), "consistency from 4 to 12: the answer is not a proof"),
        (JWKS, say(b"{}"), "This is not a JWK Set of Ed25519 keys"),
    ],
)
def test_what_is_not_as_it_should_be_is_named(
    url: str, between: dict[str, Callable[[Response], None]], path: str, change: Callable[[Response], None], reason: str
) -> None:
    between[path] = change
    said = faults(url)
    assert any(reason in fault for fault in said), said


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    done = elsewhere(tmp_path, "--from", "http://127.0.0.1:9/")
    assert done.exit_code == 1
    assert "FAIL http://127.0.0.1:9/: /ledger/shop/checkpoint: it cannot be reached" in done.output


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("file:///etc/passwd", "must start with http:// or https://"),
        ("consent.example", "must start with http:// or https://"),
        ("http://", "names no host"),
        ("http://[", "has no host that can be read"),
        ("", "must start with http:// or https://"),
    ],
)
def test_what_is_no_address(tmp_path: Path, address: str, said: str) -> None:
    done = elsewhere(tmp_path, "--from", address)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_what_the_ledger_says_of_itself_is_read_and_held_to_its_leaf(shop: Shop, url: str, attacker: Attacker) -> None:
    our, kept = shop.services, shop.checkpoints()
    with our.database.transaction() as session:
        Remarker(our.keys.ring, PUBLIC_URL, our.random).remark(
            session, shop.site, RemarkRule.NOT_GENUINE, "A load test", [(2, 3)], shop.clock()
        )
    shop.seal()
    report = check_public_ledger(url, "shop", kept)
    assert report.faults == []
    assert report.counts["leaves marked as not genuine by a signed entry (leaf 12: A load test)"] == 2
    attacker.sql("UPDATE removals SET salt = :salt WHERE rule IS NOT NULL AND site_id = :site", salt=bytes(32))
    assert faults(url, *kept) == ["leaf 12: it is not the remark that the ledger is said to make there"]


def test_a_ledger_that_goes_on_after_a_restore(shop: Shop, url: str, tmp_path: Path) -> None:
    older = OlderCopy(shop.services, tmp_path)
    shop.decide()
    shop.seal()
    kept = shop.checkpoints()
    older.put_back()
    our = shop.services
    recover_ledger(our.database, Remarker(our.keys.ring, PUBLIC_URL, our.random), our.keys.guard, shop.clock, "shop")
    report = check_public_ledger(url, "shop", kept)
    assert report.faults == []
    assert report.counts["kept checkpoints of leaves that a restore lost, says a signed entry"] == 1
