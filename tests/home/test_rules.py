"""What there is to do, by figures alone."""

from datetime import UTC, datetime, timedelta

import pytest

from consent_server.home.rules import (
    Machine,
    Requests,
    Sealing,
    Tag,
    alert_tasks,
    ledger_tasks,
    machine_tasks,
    request_tasks,
    tag_tasks,
    verdict,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "published", "words"),
    [
        (Tag(None, None), False, ["Nothing is published yet, so no banner is shown."]),
        (Tag(None, None), True, ["No page of this site has shown the banner yet."]),
        (Tag("https://a.example", NOW - timedelta(hours=47)), True, []),
        (
            Tag("https://a.example", NOW - timedelta(days=3)),
            True,
            ["Nothing was heard from the tag for 3 days; it was last seen on https://a.example."],
        ),
    ],
)
def test_the_tag(tag: Tag, published: bool, words: list[str]) -> None:
    assert [task.words for task in tag_tasks(tag, published, NOW)] == words


@pytest.mark.parametrize(
    ("count", "hours", "words"),
    [
        (0, None, []),
        (1, 12 * 24 + 1, ["1 request for erasure is open, 12 days left."]),
        (2, 25, ["2 requests for erasure are open, 1 day left for the oldest."]),
        (1, 1, ["1 request for erasure is open, due today."]),
        (3, -1, ["3 requests for erasure are open, late for the oldest."]),
    ],
)
def test_requests_of_visitors(count: int, hours: int | None, words: list[str]) -> None:
    until = None if hours is None else NOW + timedelta(hours=hours)
    assert [task.words for task in request_tasks(Requests(count, until), NOW)] == words


def test_a_ledger_that_stands_still() -> None:
    well = Sealing(timedelta(seconds=2), NOW, "", ["a", "b"])
    assert ledger_tasks(well) == []
    late = Sealing(timedelta(minutes=7), NOW, "", ["a", "b"], ["b"])
    assert [task.words.split(":")[0] for task in ledger_tasks(late)] == [
        "The oldest record has waited 7 minutes for its seal",
        "Witness b has cosigned nothing new for over an hour",
    ]
    # What was stopped on purpose is not late besides.
    stopped = Sealing(timedelta(minutes=7), NOW, "The database is behind.", ["b"], ["b"])
    assert [task.words for task in ledger_tasks(stopped)] == ["Records are not sealed: The database is behind."]


def test_the_machine() -> None:
    assert machine_tasks(Machine(0.5, NOW - timedelta(days=365)), NOW) == []
    assert machine_tasks(Machine(0.5, None), NOW) == []
    assert [task.words for task in machine_tasks(Machine(0.04, NOW - timedelta(days=400)), NOW)] == [
        "Only 4% of the disk is free: nothing is recorded once it is full.",
        "The signing key is 400 days old: run `consent key rotate`.",
    ]


def test_alerts_and_the_verdict() -> None:
    assert [len(alert_tasks(count)) for count in (0, 1, 3)] == [0, 1, 1]
    assert [verdict(count) for count in range(3)] == ["All is well", "1 thing to look at", "2 things to look at"]
