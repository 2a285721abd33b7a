"""Workers are replaced while visitors decide: nobody is turned away, nothing is lost."""

import time

import pytest

from tests.support.crowd import Crowd
from tests.support.factories import Body
from tests.support.served import Start


@pytest.mark.slow
def test_a_reload_turns_nobody_away(start: Start, body: Body) -> None:
    server = start()
    with Crowd(server.port, body, clients=8) as crowd:
        deadline = time.monotonic() + 60
        while len(crowd.acknowledged) < 50:
            assert time.monotonic() < deadline
        before = server.workers
        server.reload()
        while len(server.workers) != 2 or server.workers & before:
            assert time.monotonic() < deadline
        replaced = time.monotonic()
        while not crowd.recorded_since(replaced):
            assert time.monotonic() < deadline
    assert set(crowd.statuses()) == {201}, crowd.statuses()
    assert {look.status for looks in crowd.looks.values() for look in looks} == {200}
    assert crowd.lost() == []
