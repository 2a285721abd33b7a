"""What every worker does by itself: by one of them where that is enough, and not all the time."""

from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from consent_server import worker
from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.worker import Task
from tests.support.factories import settings_for
from tests.support.sealing_worker import PROCESSES, start


def hold_every_task(database_url: str, instance: Path, ready: Connection) -> None:
    """Another worker of this machine, which has all tasks that one can do alone."""
    services: Context = create_app(settings_for(instance, database_url)).extensions["consent"]
    ready.send([task.name for task in worker.tasks(services) if worker._became_the_one(services, task)])
    ready.recv()


def test_another_worker_takes_over_as_soon_as_the_one_is_gone(
    services: Context, database_url: str, tmp_path: Path
) -> None:
    here, there = PROCESSES.Pipe()
    other = start(hold_every_task, database_url, services.settings.instance, there)
    try:
        assert here.poll(20)
        assert "sealer" in here.recv()
        alone = [task for task in worker.tasks(services) if task.alone]
        assert {"sealer", "counters", "days"} <= {task.name for task in alone}
        assert not [task.name for task in alone if worker._became_the_one(services, task)]
    finally:
        other.kill()
        other.join()
    assert all(worker._became_the_one(services, task) for task in alone)


@pytest.mark.parametrize(
    ("worked", "pause"), [(0.0, 1), (0.01, 1), (0.06, 2), (0.5, 3)], ids=["idle", "little", "much", "very much"]
)
def test_dear_work_is_done_less_often_but_never_later_than_it_may(worked: float, pause: float) -> None:
    assert Task("sealer", 1, lambda _: None, latest=3).pause(worked) == pytest.approx(pause)
    assert Task("sealer", 4, lambda _: None, latest=3).pause(worked) == 4


def test_a_record_is_sealed_within_the_five_seconds_of_the_contract(services: Context) -> None:
    (sealer,) = (task for task in worker.tasks(services) if task.name == "sealer")
    assert sealer.pause(60) <= 4
