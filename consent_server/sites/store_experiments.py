"""Experiments: the notices that share a site's visitors, and since when."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consent_server.sites.rows import ExperimentArmRow, NoticeRow
from consent_server.sites.rules_notice import Notice
from consent_server.sites.rules_site import CONTROL
from consent_server.sites.store_notices import StoredNotice


@dataclass(frozen=True, slots=True)
class StoredArm:
    """A notice that takes part, and how many views of 100 it gets."""

    name: str
    weight: int
    notice: StoredNotice


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """`arms` has the control first. `promoted` is the arm that became the site's notice at the end, if one did."""

    key: str
    started_at: datetime
    ended_at: datetime | None
    arms: tuple[StoredArm, ...]
    promoted: str | None


def keys(session: Session, site_id: int) -> list[str]:
    """Every experiment of a site, oldest first."""
    found = session.scalars(
        select(ExperimentArmRow.experiment).where(ExperimentArmRow.site_id == site_id).order_by(ExperimentArmRow.id)
    )
    return list(dict.fromkeys(found))


def times(session: Session, site_id: int) -> list[tuple[str, datetime, datetime | None]]:
    """Every experiment of a site, when it began and when it ended, oldest first."""
    rows = session.execute(
        select(ExperimentArmRow.experiment, ExperimentArmRow.started_at, ExperimentArmRow.ended_at)
        .where(ExperimentArmRow.site_id == site_id, ExperimentArmRow.arm == CONTROL)
        .order_by(ExperimentArmRow.id)
    )
    return [(key, began, ended) for key, began, ended in rows]


def get(session: Session, site_id: int, key: str | None = None) -> StoredExperiment | None:
    """An experiment by its key; without one, the newest."""
    if key is None:
        every = keys(session, site_id)
        if not every:
            return None
        key = every[-1]
    rows = session.execute(
        select(ExperimentArmRow, NoticeRow)
        .join(NoticeRow, NoticeRow.id == ExperimentArmRow.notice_id)
        .where(ExperimentArmRow.site_id == site_id, ExperimentArmRow.experiment == key)
        .order_by(ExperimentArmRow.id)
    ).all()
    if not rows:
        return None
    first = rows[0][0]
    arms = tuple(
        StoredArm(row.arm, row.weight, StoredNotice(notice.id, Notice(notice.hash, json.loads(notice.body))))
        for row, notice in rows
    )
    promoted = next((row.arm for row, _ in rows if row.promoted), None)
    return StoredExperiment(first.experiment, first.started_at, first.ended_at, arms, promoted)


def running_key(session: Session, site_id: int) -> str | None:
    """The experiment that a site runs now."""
    running = (ExperimentArmRow.site_id == site_id, ExperimentArmRow.ended_at.is_(None))
    return session.scalar(select(ExperimentArmRow.experiment).where(*running).limit(1))


def running(session: Session, site_id: int) -> StoredExperiment | None:
    """The same with its arms."""
    key = running_key(session, site_id)
    return None if key is None else get(session, site_id, key)


def start(session: Session, site_id: int, key: str, arms: Sequence[tuple[str, int, int]], now: datetime) -> None:
    """Begin an experiment: name, weight and notice (row id) of each arm, the control first."""
    for name, weight, notice_id in arms:
        # One by one, so that the ids are in this order.
        session.add(
            ExperimentArmRow(
                site_id=site_id, experiment=key, arm=name, weight=weight, notice_id=notice_id, started_at=now
            )
        )
        session.flush()


def end(session: Session, site_id: int, now: datetime, promoted: str | None = None) -> None:
    """End what runs on a site, if anything does."""
    running = (ExperimentArmRow.site_id == site_id, ExperimentArmRow.ended_at.is_(None))
    values = {"ended_at": now, "promoted": ExperimentArmRow.arm == (promoted or "")}
    session.execute(update(ExperimentArmRow).where(*running).values(values))


def shown(session: Session, site_id: int) -> list[tuple[str, int, datetime]]:
    """Hash and row id of each notice that an experiment showed beside the site's own, and since when, oldest first."""
    rows = session.execute(
        select(NoticeRow.hash, NoticeRow.id, ExperimentArmRow.started_at)
        .join(NoticeRow, NoticeRow.id == ExperimentArmRow.notice_id)
        .where(ExperimentArmRow.site_id == site_id, ExperimentArmRow.arm != CONTROL)
        .order_by(ExperimentArmRow.id)
    )
    return [(notice_hash, notice_id, at) for notice_hash, notice_id, at in rows]


def names(session: Session, site_id: int) -> list[tuple[str, str, str]]:
    """Of each of these, its hash, its experiment and what it is called there."""
    rows = session.execute(
        select(NoticeRow.hash, ExperimentArmRow.experiment, ExperimentArmRow.arm)
        .join(NoticeRow, NoticeRow.id == ExperimentArmRow.notice_id)
        .where(ExperimentArmRow.site_id == site_id, ExperimentArmRow.arm != CONTROL)
        .order_by(ExperimentArmRow.id)
    )
    return [(notice_hash, experiment, arm) for notice_hash, experiment, arm in rows]
