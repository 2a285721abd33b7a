"""Start, keep or end a site's experiment as its file says; part of the transaction that applies the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent_server.core.database import Session
from consent_server.core.errors import ExperimentConflict, Fault, InvalidSiteFile
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.rules_notice import Notice
from consent_server.sites.rules_site import CONTROL
from consent_server.sites.store_experiments import StoredExperiment


@dataclass(frozen=True, slots=True)
class Arm:
    """A notice that a site file has take part, its bytes, and how many views of 100 it gets."""

    name: str
    weight: int
    notice: Notice
    stored_as: bytes

    def equals(self, stored: experiments.StoredArm) -> bool:
        """Whether this is the arm that runs."""
        return (self.name, self.weight, self.notice.hash) == (stored.name, stored.weight, stored.notice.notice.hash)


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """What applying a file does. `arms` has the control first and is empty without an experiment."""

    key: str | None
    arms: tuple[Arm, ...]
    starts: bool
    ends: str | None


def plan_experiment(session: Session, site_id: int | None, key: str | None, arms: Sequence[Arm]) -> ExperimentPlan:
    """Raises InvalidSiteFile for arms that show the same, ExperimentConflict for a key that stands for another one.

    A running experiment has one set of arms: changed in place, its counts would be of two. A new key ends it and
    starts anew.
    """
    _check_distinct(arms)
    running = experiments.running(session, site_id) if site_id is not None else None
    runs = running.key if running else None
    if key is None:
        return ExperimentPlan(None, (), False, runs)
    known = experiments.get(session, site_id, key) if site_id is not None else None
    if known is None:
        return ExperimentPlan(key, tuple(arms), True, runs)
    if known.ended_at is not None:
        raise ExperimentConflict(
            f'The experiment "{key}" has ended{_by_promotion(known)}. Take [experiment] out of the site file, or '
            "give it another key to start a new one."
        )
    same = len(arms) == len(known.arms) and all(map(Arm.equals, arms, known.arms))
    if not same:
        raise ExperimentConflict(
            f'The experiment "{key}" is running with other arms, weights or notices, and its figures would mix the '
            "two. Give [experiment] another key: that ends it and starts a new one. Without [experiment] it ends. "
            "Where the file says the same as before, an upgrade of the server words the notices anew."
        )
    return ExperimentPlan(key, tuple(arms), False, None)


def _check_distinct(arms: Sequence[Arm]) -> None:
    hashes = [arm.notice.hash for arm in arms]
    faults = [
        Fault(f"experiment.arms[{index - 1}]", f'shows the same as "{arms[hashes.index(one)].name}"')
        for index, one in enumerate(hashes)
        if hashes.index(one) < index
    ]
    if faults:
        raise InvalidSiteFile("The site file is refused.", faults)


def _by_promotion(known: StoredExperiment) -> str:
    if known.promoted is None:
        return ""
    return ", the site keeping its notice" if known.promoted == CONTROL else f' with "{known.promoted}" made the notice'


def check_promotion(session: Session, site_id: int, new: Notice) -> None:
    """Raises ExperimentConflict for a file that still says what the promoted arm in force replaced, with each place.

    Else a file from before the promotion would undo it in passing.
    """
    latest = experiments.get(session, site_id)
    if latest is None or latest.promoted is None:
        return
    control = latest.arms[0]
    promoted = next(arm for arm in latest.arms if arm.name == latest.promoted)
    if notices.in_force_id(session, site_id) != promoted.notice.id:
        return
    before, after, said = (dict(_look(one.body)) for one in (control.notice.notice, promoted.notice.notice, new))
    back = [place for place, value in before.items() if after.get(place) != value and said.get(place) == value]
    if back:
        raise ExperimentConflict(
            f'The arm "{promoted.name}" of the experiment "{latest.key}" is the notice of this site, and the file '
            "would undo what it changed. Move the arm's own values to these places, or apply the file with "
            "--undo-promotion:",
            [Fault(place, f'is as before the promotion of "{promoted.name}"') for place in back],
        )


def _look(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "banner.layout", body["layout"]
    yield "banner.colours.accent", body["colours"]
    for language, texts in body["texts"].items():
        yield from ((f"texts.{language}.{key}", text) for key, text in texts["banner"].items())


def run_experiment(session: Session, site_id: int, plan: ExperimentPlan, now: datetime) -> None:
    """Do what was planned, with the site's own notice in force already."""
    if plan.ends is not None:
        experiments.end(session, site_id, now)
    if plan.starts and plan.key is not None:
        stored = [
            (arm.name, arm.weight, notices.store(session, site_id, arm.notice.hash, arm.stored_as, now))
            for arm in plan.arms
        ]
        experiments.start(session, site_id, plan.key, stored, now)
