"""Who promotes an arm or applies a file decides by what the site shows and runs: one at a time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from consent_server.core.context import Context
from consent_server.core.errors import ExperimentConflict
from consent_server.rates.promote_arm import promote_arm
from consent_server.sites import store_experiments as experiments
from tests.support.experiment_files import BOX, TITLE, hashes, in_force, stored, with_experiment
from tests.support.factories import ANALYTICS, META, Clock, site_file
from tests.support.sites import Apply

pytestmark = [pytest.mark.on_both_databases, pytest.mark.slow]


def at_once(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], object]) -> list[str]:
    """What becomes of actions that would all decide by the same state, if they were not kept from it."""
    together = threading.Barrier(len(actions))

    def read(*args: Any) -> experiments.StoredExperiment | None:
        found = get(*args)
        # Whoever is kept waiting does not come; then the one who is here goes on alone.
        with suppress(threading.BrokenBarrierError):
            together.wait(1)
        return found

    def run(action: Callable[[], object]) -> str:
        try:
            action()
        except ExperimentConflict:
            return "conflict"
        return "done"

    get = experiments.get
    with monkeypatch.context() as patched, ThreadPoolExecutor(len(actions)) as pool:
        patched.setattr(experiments, "get", read)
        return sorted(pool.map(run, actions))


def test_of_two_who_promote_at_once_one_is_told_that_it_is_over(
    services: Context, apply_site: Apply, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_site(with_experiment(BOX, TITLE))
    promotions = [partial(promote_arm, services.database, "shop", "look", arm, clock()) for arm in ("box", "title")]
    assert at_once(monkeypatch, *promotions) == ["conflict", "done"]
    found = stored(services)
    assert found
    assert found.promoted
    assert in_force(services) == hashes(services)[found.promoted]


def test_a_file_applied_at_the_moment_of_a_promotion_does_not_undo_it(
    services: Context, apply_site: Apply, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = apply_site(with_experiment(BOX))
    promote = partial(promote_arm, services.database, "shop", "look", "box", clock())
    old = partial(apply_site.publish, site_file(vendors=META))
    assert at_once(monkeypatch, promote, old) == ["conflict", "done"]
    # Whichever was first: what is in force is the arm that is said to be promoted, or there is none.
    found = stored(services)
    assert found
    assert (in_force(services) == hashes(services)["box"]) is (found.promoted == "box")
    assert in_force(services) != own


def test_two_files_applied_at_once_start_one_experiment(
    services: Context, apply_site: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_site(site_file())
    files = (with_experiment(BOX), with_experiment(TITLE))
    assert at_once(monkeypatch, *(partial(apply_site.publish, text) for text in files)) == ["conflict", "done"]
    found = stored(services)
    assert found
    assert len(found.arms) == 2


def test_a_site_that_two_make_at_once_is_made_once(services: Context, apply_site: Apply) -> None:
    together = threading.Barrier(2)

    def make(number: int) -> bool:
        together.wait(30)
        return apply_site.publish(site_file(vendors=(ANALYTICS, META)[number])).plan.previous is None

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(make, range(2))).count(True) == 1
