"""Requests that wait at the same moment share a commit, and none pays for another."""

import errno
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consent_server.core import database, group_commit
from consent_server.core.context import Context
from consent_server.core.errors import StorageUnavailable
from consent_server.core.group_commit import GroupCommit
from consent_server.sites.rows import PublicationRow, WidgetRow
from tests.support.postgresql import PostgreSQL

pytestmark = pytest.mark.on_both_databases

AT = datetime(2026, 11, 23, tzinfo=UTC)
COMPANY = 20


class Desk:
    """Inserts names; holds the first one's transaction open until told, so that the others gather."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, session: Session, names: Sequence[str]) -> list[str]:
        self.batches.append(len(names))
        if names[0] == "first":
            self.entered.set()
            assert self.go_on.wait(10)
        if "away" in names:
            raise StorageUnavailable("away")
        for name in names:
            session.add(WidgetRow(hash=name, code="", created_at=AT))
            session.flush()
            if name.startswith("bad"):
                raise ValueError(name)
        return [name.upper() for name in names]


def stored(services: Context) -> set[str]:
    with services.database.reading() as session:
        return set(session.scalars(select(WidgetRow.hash)))


def crowd(services: Context, desk: Desk, names: Sequence[str]) -> dict[str, object]:
    """What each is answered when all come while the first one's commit is under way."""
    commit: GroupCommit[str, str] = GroupCommit(services.database, desk)

    def ask(name: str) -> object:
        try:
            return commit(lambda: name)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(names) + 1) as pool:
        first = pool.submit(ask, "first")
        assert desk.entered.wait(10)
        others = {name: pool.submit(ask, name) for name in names}
        deadline = time.monotonic() + 10
        while len(commit._waiting) < len(names):
            assert time.monotonic() < deadline
        desk.go_on.set()
        return {"first": first.result(20)} | {name: found.result(20) for name, found in others.items()}


NAMES = [f"n{number}" for number in range(COMPANY)]


def test_each_is_answered_for_itself(services: Context) -> None:
    answers = crowd(services, Desk(), NAMES)
    assert answers == {name: name.upper() for name in ["first", *NAMES]}
    assert stored(services) == {"first", *NAMES}


def test_those_who_wait_share_one_commit(services: Context) -> None:
    commits: list[object] = []
    event.listen(services.database.engine, "commit", commits.append)
    desk = Desk()
    crowd(services, desk, NAMES)
    assert desk.batches == [1, COMPANY]
    assert len(commits) == 2


def test_a_bad_one_harms_nobody_else(services: Context) -> None:
    names = [*NAMES[:3], "bad1", *NAMES[3:6], "bad2", *NAMES[6:]]
    answers = crowd(services, Desk(), names)
    for name in names:
        if name.startswith("bad"):
            assert isinstance(answers[name], ValueError)
            assert str(answers[name]) == name
        else:
            assert answers[name] == name.upper()
    assert stored(services) == {"first", *NAMES}


def test_a_database_that_is_away_is_asked_once_for_all(services: Context) -> None:
    desk = Desk()
    answers = crowd(services, desk, [*NAMES, "away"])
    assert answers.pop("first") == "FIRST"
    assert all(isinstance(answer, StorageUnavailable) for answer in answers.values())
    assert desk.batches == [1, COMPANY + 1]
    assert stored(services) == {"first"}


def test_a_commit_that_fails_answers_nobody_and_stores_nothing(
    services: Context, request: pytest.FixtureRequest
) -> None:
    def break_the_commit(session: Session, names: Sequence[str]) -> list[str]:
        answers = Desk()(session, names)
        connection = session.connection()
        if services.database.embedded:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            session.add(PublicationRow(site_id=404, notice_id=404, published_at=AT))
            session.flush()
        else:
            server: PostgreSQL = request.getfixturevalue("postgresql")
            backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            server.execute(f"SELECT pg_terminate_backend({backend})")
        return answers

    broken: GroupCommit[str, str] = GroupCommit(services.database, break_the_commit)
    with pytest.raises((StorageUnavailable, IntegrityError)):
        broken(lambda: "n1")
    assert stored(services) == set()
    sound: GroupCommit[str, str] = GroupCommit(services.database, Desk())
    assert sound(lambda: "n1") == "N1"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_who_is_interrupted_while_leading_leaves_nobody_waiting(services: Context) -> None:
    class Interrupted(Desk):
        def __call__(self, session: Session, names: Sequence[str]) -> list[str]:
            if names and names[0] == "last words":
                self.entered.set()
                assert self.go_on.wait(10)
                raise SystemExit
            return super().__call__(session, names) if names else []

    desk = Interrupted()
    desk.go_on.set()
    commit: GroupCommit[str, str] = GroupCommit(services.database, desk)
    with pytest.raises(SystemExit):
        commit(lambda: "last words")
    answers: list[str] = []
    # Not of a pool: a thread that waits for ever must not keep the whole run from ending.
    visitor = threading.Thread(target=lambda: answers.append(commit(lambda: "n1")), daemon=True)
    visitor.start()
    visitor.join(timeout=3)
    assert answers == ["N1"]


def test_a_whole_company_is_let_go_when_its_leader_is_interrupted(services: Context) -> None:
    class Interrupted(Desk):
        def __call__(self, session: Session, names: Sequence[str]) -> list[str]:
            answers = super().__call__(session, names)
            if len(names) > 1:
                raise SystemExit
            return answers

    desk = Interrupted()
    commit: GroupCommit[str, str] = GroupCommit(services.database, desk)
    left: list[str] = []

    def ask(name: str) -> None:
        try:
            commit(lambda: name)
        except BaseException as error:
            left.append(type(error).__name__)
        else:
            left.append(name)

    visitors = [threading.Thread(target=ask, args=[name], daemon=True) for name in ("first", "n1", "n2", "n3")]
    visitors[0].start()
    assert desk.entered.wait(10)
    for visitor in visitors[1:]:
        visitor.start()
    deadline = time.monotonic() + 10
    while len(commit._waiting) < 3:
        assert time.monotonic() < deadline
    desk.go_on.set()
    for visitor in visitors:
        visitor.join(timeout=2)
    assert len(left) == 4, "somebody waits for ever"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def refused(commit: GroupCommit[str, str], name: str) -> bool:
    """Whether it was refused, and without waiting."""
    begun = time.monotonic()
    try:
        commit(lambda: name)
    except StorageUnavailable:
        assert time.monotonic() - begun < 1
        return True
    return False


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_who_waits_fails_with_the_batch_and_who_comes_then_does_not_wait(
    services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REST", 60)
    answers: list[object] = []
    away = Desk()

    def fail_late(session: Session, names: Sequence[str]) -> list[str]:
        away.batches.append(len(names))
        away.entered.set()
        assert away.go_on.wait(10)
        raise StorageUnavailable("away")

    commit: GroupCommit[str, str] = GroupCommit(services.database, fail_late)

    def ask(name: str) -> None:
        try:
            commit(lambda: name)
        except StorageUnavailable as error:
            answers.append(error.detail)

    visitors = [threading.Thread(target=ask, args=[name], daemon=True) for name in ("n1", "n2", "n3")]
    visitors[0].start()
    assert away.entered.wait(10)
    for visitor in visitors[1:]:
        visitor.start()
    wait_until(lambda: len(commit._waiting) == 2)
    away.go_on.set()
    for visitor in visitors:
        visitor.join(10)
    assert answers == ["away"] * 3
    assert away.batches == [1], "Nobody asks again for those who waited."
    assert refused(commit, "n4")
    assert away.batches == [1]
    assert commit.failing(60)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_after_a_rest_one_at_a_time_tries_until_one_succeeds(
    services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REST", 0)
    desk = Desk()
    commit: GroupCommit[str, str] = GroupCommit(services.database, desk)
    with pytest.raises(StorageUnavailable):
        commit(lambda: "away")
    trying = threading.Thread(target=commit, args=[lambda: "first"], daemon=True)
    trying.start()
    assert desk.entered.wait(10)
    assert refused(commit, "n1")
    desk.go_on.set()
    trying.join(10)
    assert commit(lambda: "n2") == "N2"
    assert stored(services) == {"first", "n2"}
    assert not commit.failing(60)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_cannot_be_prepared_for_want_of_the_database_counts_as_a_failure(
    services: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REST", 60)
    commit: GroupCommit[str, str] = GroupCommit(services.database, Desk())

    def read() -> str:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        commit(read)
    assert refused(commit, "n1")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_few_wait_behind_a_slow_leader(services: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "SLOW", 0)
    desk = Desk()
    commit: GroupCommit[str, str] = GroupCommit(services.database, desk)
    company = [threading.Thread(target=commit, args=[lambda: "first"], daemon=True)]
    company[0].start()
    assert desk.entered.wait(10)
    for name in ("n1", "n2", "n3"):
        company.append(threading.Thread(target=commit, args=[lambda name=name: name], daemon=True))
        company[-1].start()
    wait_until(lambda: len(commit._waiting) == 3)
    assert refused(commit, "n4")
    desk.go_on.set()
    for visitor in company:
        visitor.join(10)
    assert stored(services) == {"first", "n1", "n2", "n3"}
    assert commit(lambda: "n4") == "N4"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_cannot_be_measured_is_recorded_all_the_same(services: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def observe(self, seconds: float) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(group_commit, "COMMIT_WAIT", Full())
    monkeypatch.setattr(database, "DATABASE_WAIT", Full())
    commit: GroupCommit[str, str] = GroupCommit(services.database, Desk())
    assert commit(lambda: "n1") == "N1"
    assert stored(services) == {"n1"}
