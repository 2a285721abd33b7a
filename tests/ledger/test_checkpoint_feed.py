"""Checkpoints for whoever keeps them: the feed that somebody outside appends to a file."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.core.notes import open_checkpoint
from consent_server.ledger.seal import seal_ledger
from tests.support.factories import Body, Clock
from tests.support.visitor import post

FEED = "/ledger/shop/checkpoints"


@pytest.fixture
def sealed(client: FlaskClient, body: Body, services: Context, clock: Clock) -> None:
    """Five records, each under a checkpoint of its own."""
    for _ in range(5):
        assert post(client, body()).status_code == 201
        clock.advance(seconds=5)
        seal_ledger(services.database, services.keys.ring, services.now)


def follow(client: FlaskClient, query: str) -> list[str]:
    """The lines of a page and of all that it leads on to."""
    response = client.get(FEED + query)
    assert response.status_code == 200
    assert response.content_type == "application/jsonl; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    lines = response.text.splitlines(keepends=True)
    if "Link" not in response.headers:
        return lines
    match = re.fullmatch(r'<(\?after=[0-9]+&limit=[0-9]+)>; rel="next"', response.headers["Link"])
    assert match
    return lines + follow(client, match[1])


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("sealed")
def test_all_checkpoints_oldest_first(client: FlaskClient, services: Context) -> None:
    found = [json.loads(line) for line in follow(client, "")]
    assert [list(line) for line in found] == [["size", "sealed_at", "note"]] * 5
    assert [line["size"] for line in found] == [1, 2, 3, 4, 5]
    assert [line["sealed_at"] for line in found] == [
        f"2026-11-23T17:00:{second:02}.250Z" for second in (5, 10, 15, 20, 25)
    ]
    keys = services.keys.ring.note_keys("consent.example/ledger/shop")
    assert [open_checkpoint(line["note"], keys).size for line in found] == [1, 2, 3, 4, 5]
    assert found[-1]["note"] == client.get("/ledger/shop/checkpoint").text


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1000])
def test_pages_lead_on_until_there_is_no_more(client: FlaskClient, limit: int) -> None:
    assert follow(client, f"?limit={limit}") == follow(client, "")
    assert len(client.get(f"{FEED}?limit={limit}").text.splitlines()) == min(limit, 5)


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("sealed")
def test_what_is_after_a_size(client: FlaskClient) -> None:
    everything = follow(client, "")
    assert [follow(client, f"?after={size}") for size in range(7)] == [everything[size:] for size in range(6)] + [[]]


def test_a_ledger_without_checkpoints_has_no_line(client: FlaskClient) -> None:
    assert follow(client, "") == []


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize(
    ("query", "pointer"),
    [("?after=-1", "#/after"), ("?after=01", "#/after"), ("?after=", "#/after"), ("?limit=0", "#/limit"),
     ("?limit=1001", "#/limit"), ("?after=1&after=2", "#/after"), ("?before=1", "#/before")],
)  # fmt: skip
def test_wrong_parameters_are_named(client: FlaskClient, query: str, pointer: str) -> None:
    response = client.get(FEED + query)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.get_json()["errors"]] == [pointer]


def test_the_feed_of_no_site(client: FlaskClient) -> None:
    assert client.get("/ledger/nobody/checkpoints").status_code == 404


@pytest.mark.usefixtures("sealed")
def test_what_was_kept_is_what_a_check_compares(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(follow(client, "?limit=2")), "utf-8")
    check = ["ledger", "check", "shop", "--checkpoint", str(kept)]
    done = app.test_cli_runner().invoke(args=check)
    assert done.exit_code == 0, done.output
    assert "5 kept" in done.stdout
    lines = kept.read_text("utf-8").splitlines()
    longer = json.loads(lines[-1])["note"].replace("\n5\n", "\n6\n", 1)
    kept.write_text(json.dumps({"note": longer}), "utf-8")
    assert app.test_cli_runner().invoke(args=check).exit_code == 1


@pytest.mark.parametrize(
    "line", ['{"size": 1}', "{bad", '{"note": 5}', "[1]", '{"note": "", "note": ""}', '{"note": NaN}']
)
def test_a_line_that_is_no_kept_checkpoint_is_named(app: Flask, tmp_path: Path, line: str) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text(f'{{"note": ""}}\n\n{line}\n')
    done = app.test_cli_runner().invoke(args=["ledger", "check", "shop", "--checkpoint", str(kept)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{kept} line 3: ")
