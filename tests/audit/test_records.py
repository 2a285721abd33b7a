"""Finding records: by every filter, page by page, however many there are."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text

from consent_server.audit import store as search
from consent_server.audit.rules_sampling import sample_indexes
from consent_server.audit.rules_search import Filter, Place
from consent_server.core.context import Context
from consent_server.decisions import store as decisions
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules import Action
from consent_server.decisions.supply_keys import KeySupply
from tests.support.cast import token
from tests.support.factories import TOP, Body, Clock, site_file
from tests.support.figures import Figure
from tests.support.sites import Apply
from tests.support.visitor import as_row, identifier, post

pytestmark = pytest.mark.on_both_databases

DECISIONS = "/v1/sites/shop/decisions"


class Reader:
    """A program with a token of the shop's auditor."""

    def __init__(self, app: Flask) -> None:
        self.client, self.headers = app.test_client(), token(app, "auditor", "shop")

    def __call__(self, **query: Any) -> dict[str, Any]:
        response = self.client.get(DECISIONS, query_string=query, headers=self.headers)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.get_json()
        return body

    def ids(self, **query: Any) -> list[str]:
        return [item["receipt_id"] for item in self(**query)["items"]]

    def faults(self, query: str) -> dict[str, str]:
        response = self.client.get(f"{DECISIONS}?{query}", headers=self.headers)
        assert response.status_code == 400, response.text
        problem = response.get_json()
        assert problem["type"] == "/problems/invalid-query"
        return {fault["pointer"]: fault["detail"] for fault in problem["errors"]}

    def every(self, **query: Any) -> Iterator[str]:
        following: str | None = ""
        while following is not None:
            page = self(**query, **({"cursor": following} if following else {}))
            yield from (item["receipt_id"] for item in page["items"])
            following = page["next"]


@pytest.fixture
def read(app: Flask) -> Reader:
    return Reader(app)


def test_an_item_says_all(read: Reader, recorded: list[dict[str, Any]], body: Body) -> None:
    said = read()
    assert said["next"] is None
    withdrawal, choice, refusal, grant = said["items"]
    assert grant == {
        "receipt_id": recorded[0]["receipt_id"],
        "decision_id": recorded[0]["decision_id"],
        "recorded_at": "2026-11-23T17:00:00.250Z",
        "action": "accept_all",
        "method": "banner",
        "change": False,
        "language": "en",
        "gpc": False,
        "stale": False,
        "notice": body.notice,
        "notice_title": "first notice",
        "grants": {"analytics": True, "advertising": True},
        "vendors": {"google-analytics": True, "google-ads": True, "meta-pixel": True},
        "visitor": str(identifier(recorded[0]["visitor"])),
        "leaf_index": 0,
        "rule": None,
        "objections": None,
    }
    assert (refusal["visitor"], refusal["leaf_index"]) == (None, 1)
    assert (choice["language"], choice["grants"]) == ("fr", {"analytics": True, "advertising": False})
    assert (withdrawal["change"], withdrawal["visitor"]) == (True, str(identifier(grant["visitor"])))


def test_every_filter(read: Reader, recorded: list[dict[str, Any]], body: Body) -> None:
    grant, refusal, choice, withdrawal, rivals = (answer["receipt_id"] for answer in recorded)
    everything = [withdrawal, choice, refusal, grant]
    kept = recorded[0]["visitor"]
    visitor = str(identifier(kept))
    for query, expected in (
        ({}, everything),
        ({"action": "refuse_all"}, [refusal]),
        ({"purpose": "analytics"}, [choice, grant]),
        ({"purpose": "advertising"}, [grant]),
        ({"purpose": "analytics", "action": "save"}, [choice]),
        ({"purpose": "analytics", "action": "refuse_all"}, []),
        ({"visitor": visitor}, [withdrawal, grant]),
        ({"visitor": kept}, [withdrawal, grant]),
        ({"visitor": visitor.upper(), "action": "withdraw"}, [withdrawal]),
        ({"visitor": str(uuid4())}, []),
        ({"visitor": recorded[-1]["visitor"]}, []),
        ({"notice": body.notice}, everything),
        ({"notice": body.notice[:8]}, everything),
        ({"notice": "First Notice"}, everything),
        ({"notice": "0" * 64}, []),
        ({"visitor": visitor, "notice": "0" * 64}, []),
        ({"from": "2026-11-23", "to": "2026-11-23"}, everything),
        ({"from": "2026-11-24"}, []),
        ({"to": "2026-11-22"}, []),
        ({"from": "2026-11-23T18:00:00.25Z", "to": "2026-11-23T19:00:00.25Z"}, [refusal]),
        ({"from": "2026-11-23T19:00:00.250+01:00", "to": "2026-11-23T14:00:00.250-05:00"}, [refusal]),
        ({"from": "0001-01-01", "to": "9999-12-30"}, everything),
        ({"limit": "2"}, [withdrawal, choice]),
    ):
        assert read.ids(**query) == expected, query
        assert rivals not in expected
    assert list(read.every(limit=1)) == everything
    assert list(read.every(limit=1, purpose="analytics")) == [choice, grant]
    assert list(read.every(limit=1, visitor=visitor)) == [withdrawal, grant]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=yesterday", "#/from"), ("from=2026-02-30", "#/from"), ("from=20261123", "#/from"),
        ("from=2026-W47-1", "#/from"), ("from=2026-11-23T17:00:00", "#/from"), ("to=2026-11-23%00", "#/to"),
        ("to=9999-12-31", "#/to"), ("from=2026-11-24&to=2026-11-22", "#/to"), ("from=", "#/from"),
        ("from=0001-01-01T00:00:00%2B14:00", "#/from"), ("from=2026-11-23%0A", "#/from"), ("from=%D9%A1", "#/from"),
        ("action=accept", "#/action"), ("action=ACCEPT_ALL", "#/action"), ("action=", "#/action"),
        ("purpose=nothing", "#/purpose"), ("purpose=%25", "#/purpose"), ("purpose=' OR 1=1--", "#/purpose"),
        ("purpose=%00", "#/purpose"), ("visitor=x", "#/visitor"), ("visitor={123}", "#/visitor"),
        ("visitor=0190b5e000004000800000000000000a", "#/visitor"), ("notice=abc", "#/notice"),
        ("notice=" + "A" * 64, "#/notice"), ("notice=" + "0" * 64 + "%0A", "#/notice"), ("limit=0", "#/limit"),
        ("limit=1001", "#/limit"), ("limit=-1", "#/limit"), ("limit=01", "#/limit"), ("limit=1e2", "#/limit"),
        ("limit=%C2%B2", "#/limit"), ("limit=" + "9" * 5000, "#/limit"), ("cursor=x", "#/cursor"),
        ("cursor=1-", "#/cursor"), ("cursor=999999999999999-1", "#/cursor"),
        ("cursor=1-9999999999999999999", "#/cursor"),
        ("offset=1", "#/offset"), ("a/b~=1", "#/a~1b~0"), ("limit=1&limit=2", "#/limit"), ("%00=1", "#/\x00"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_hostile_parameters(read: Reader, query: str, pointer: str) -> None:
    assert list(read.faults(query)) == [pointer]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_search_that_means_several_notices_names_them(read: Reader, recorded: Any, apply_site: Apply) -> None:
    for title in ("Ours", "Yours"):
        apply_site(site_file(f'{TOP}[texts.en]\ntitle = "{title}"\n'))
    said = read.faults("notice=title changed")["#/notice"]
    assert len(re.findall(r"\([0-9a-f]{8}\)", said)) == 2


def test_a_search_as_a_table(read: Reader, recorded: list[dict[str, Any]], body: Body) -> None:
    response = read.client.get(f"{DECISIONS}.csv?to=2026-11-30&notice={body.notice[:8]}", headers=read.headers)
    assert response.headers["Content-Disposition"] == 'attachment; filename="records-shop-2026-11-30.csv"'
    rows = list(csv.DictReader(io.StringIO(response.text)))
    listed = read()["items"]
    assert [row["receipt_id"] for row in rows] == [item["receipt_id"] for item in listed]
    for row, item in zip(rows, listed, strict=True):
        assert row["recorded_at"] == item["recorded_at"]
        assert (row["notice"], row["visitor"]) == (item["notice"], item["visitor"] or "")
        assert {name: row[f"purpose.{name}"] for name in item["grants"]} == {
            name: json.dumps(granted) for name, granted in item["grants"].items()
        }
        assert {name: row[f"vendor.{name}"] for name in item["vendors"]} == {
            name: json.dumps(granted) for name, granted in item["vendors"].items()
        }
    for query, status in (("purpose=nothing", 400), ("cursor=1-1", 400), ("limit=1", 400)):
        assert read.client.get(f"{DECISIONS}.csv?{query}", headers=read.headers).status_code == status


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_all_faults_at_once(read: Reader) -> None:
    assert set(read.faults("from=x&to=y&limit=z&page=2")) == {"#/from", "#/to", "#/limit", "#/page"}


def test_pages_stand_still_under_inserts(read: Reader, client: FlaskClient, body: Body, clock: Clock) -> None:
    before = []
    for _ in range(6):
        before.append(post(client, body()).get_json()["receipt_id"])
    # Six of one instant: the row id decides.
    seen = []
    following: str | None = None
    while True:
        page = read(limit=2, **({"cursor": following} if following else {}))
        seen += [item["receipt_id"] for item in page["items"]]
        following = page["next"]
        if following is None:
            break
        clock.advance(seconds=1)
        post(client, body.refusal())
    assert seen == before[::-1]


def fill(services: Context, count: int, body: Body, clock: Clock) -> None:
    """Many records, as an import would make them: every tenth a refusal, the last a withdrawal, two notices."""
    with services.database.transaction() as session:
        row = session.scalars(select(DecisionRow).order_by(DecisionRow.id)).first()
        assert row
        common, keys = as_row(decisions.opened(session, [row])[0]), KeySupply()
        start = int(row.recorded_at.timestamp() * 1000)
        for first in range(0, count, 5000):
            decisions.append(
                session,
                [
                    {
                        **common,
                        "decision_id": uuid4(),
                        "receipt_id": uuid4(),
                        "visitor": uuid4(),
                        "recorded_at": clock.at.fromtimestamp((start + 1000 * number) / 1000, clock.at.tzinfo),
                        "action": "withdraw" if not number else "save" if number % 10 else "refuse_all",
                        "granted": "" if number % 10 == 0 else " analytics google-analytics ",
                    }
                    for number in range(first, first + 5000)
                ],
                keys,
            )
        session.execute(text("ANALYZE"))


FILTERS: list[dict[str, Any]] = [
    {}, {"action": Action.WITHDRAW}, {"action": Action.GPC}, {"purpose": "analytics"},
    {"notice": "NOTICE"}, {"notice": "NOTICE", "action": Action.SAVE}, {"visitor": "VISITOR"}, {"before": "HALF"},
    {"since": "HALF"}, {"since": "START", "before": "HALF"}, {"visitor": "VISITOR", "action": Action.SAVE},
    {"purpose": "analytics", "notice": "NOTICE"}, {"purpose": "analytics", "before": "HALF"},
]  # fmt: skip


@pytest.mark.slow
def test_many_rows(
    services: Context,
    read: Reader,
    recorded: list[dict[str, Any]],
    body: Body,
    clock: Clock,
    dialect: str,
    figure: Figure,
) -> None:
    count = figure(20_000, release=50_000)
    fill(services, count, body, clock)
    with services.database.reading() as session:
        site_id = session.scalars(select(DecisionRow.site_id)).first()
        assert site_id is not None
        middle = session.scalars(select(DecisionRow).order_by(DecisionRow.id).offset(count // 2).limit(1)).one()
        (rows,) = decisions.opened(session, [middle])
        first = session.scalars(select(DecisionRow).order_by(DecisionRow.id).limit(1)).one()
        values = {"NOTICE": body.notice, "VISITOR": rows.visitor, "HALF": rows.recorded_at, "START": first.recorded_at}
        deep = (rows.recorded_at, rows.id)
        for chosen in FILTERS:
            wanted = Filter(**{name: values.get(value, value) for name, value in chosen.items()})
            for after in (None, deep):
                for plan in plans_of_page(services, session, site_id, wanted, after):
                    assert not re.search("SCAN decisions|Seq Scan on decisions", plan), (chosen, after, plan)
                for scan in search.scans(session, site_id, wanted, after):
                    plan = explain(session, scan.query.limit(51), dialect)
                    index = (
                        "ix_decisions_visitor" if wanted.visitor else "ix_decisions_((site|notice)_id_action|choices)"
                    )
                    assert re.search(index, plan), (chosen, after, plan)
                    if not wanted.visitor:
                        # In the index's own order: nothing is sorted, so the cost is that of the page.
                        assert "TEMP B-TREE" not in plan, (chosen, after, plan)
                        assert "Sort" not in plan, (chosen, after, plan)
    assert len(read(limit=1000)["items"]) == 1000
    assert sum(1 for _ in read.every(limit=1000, **{"from": "2026-11-23", "action": "refuse_all"})) == count // 10


def plans_of_page(services: Context, session: Any, site_id: int, wanted: Filter, after: Place | None) -> Iterator[str]:
    """How the database goes about each statement for a page, those that choose the scans included."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        heard.append((statement, parameters))

    event.listen(services.database.engine, "before_cursor_execute", hear)
    try:
        search.page(session, site_id, wanted, after, 51)
    finally:
        event.remove(services.database.engine, "before_cursor_execute", hear)
    how = "EXPLAIN QUERY PLAN " if services.database.embedded else "EXPLAIN "
    for statement, parameters in heard:
        rows = session.connection().exec_driver_sql(how + statement, parameters)
        yield "\n".join(" ".join(str(cell) for cell in row) for row in rows)


def explain(session: Any, query: Any, dialect: str) -> str:
    compiled = query.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
    how = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
    # Those of a list are numbered, and processed as the list is.
    own = compiled._bind_processors
    processors = {name: own.get(name) or own.get(name.rpartition("_")[0]) for name in compiled.params}
    processed = {
        name: process(value) if (process := processors[name]) else value for name, value in compiled.params.items()
    }
    values: Any = tuple(processed[name] for name in compiled.positiontup) if compiled.positional else processed
    rows = session.connection().exec_driver_sql(how + str(compiled), values)
    return "\n".join(" ".join(str(cell) for cell in row) for row in rows)


def test_a_sample_is_drawn_as_it_is_documented() -> None:
    first = int.from_bytes(hashlib.sha256(b"2026-audit:0").digest()[:16], "big") % 1000
    drawn = sample_indexes("2026-audit", 20, 1000)
    assert drawn[0] == first
    assert len(set(drawn)) == 20
    assert drawn == sample_indexes("2026-audit", 20, 1000)
    assert drawn[:10] == sample_indexes("2026-audit", 10, 1000)
    assert drawn != sample_indexes("another", 20, 1000)
    assert sorted(sample_indexes("x", 100, 7)) == list(range(7))
    assert sample_indexes("x", 5, 0) == []
    spread = sample_indexes("x", 1000, 1_000_000)
    assert 480_000 < sum(spread) / 1000 < 520_000
