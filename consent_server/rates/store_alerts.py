"""Alerts, and their way to those who want to be told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.core.channels import Channel, wait
from consent_server.core.rows import SiteRow
from consent_server.rates.rows import AlertRow, DeliveryRow
from consent_server.rates.rules_alerts import Alert, AlertKind, RaisedAlert
from consent_server.sites.rules_site import StoredSite
from consent_server.sites.store import by_id

ALERTS: Table = AlertRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Due:
    """An alert to be told now, by an attempt that is counted already."""

    alert_id: int
    channel: Channel
    attempts: int
    site: StoredSite
    alert: Alert
    raised_at: datetime


def raise_once(session: Session, site_id: int, alert: Alert, at: datetime, channels: Iterable[Channel]) -> bool:
    """Keep an alert and put it on its way; False when it was raised before, by whomever."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values: dict[str, Any] = {"site_id": site_id, "kind": alert.kind.value, "subject": alert.subject}
    values |= {"period": alert.period, "detail": dict(alert.detail), "raised_at": at}
    raised = session.scalar(dialect.insert(ALERTS).on_conflict_do_nothing().returning(AlertRow.id).values(values))
    if raised is not None:
        session.add_all(
            DeliveryRow(alert_id=raised, channel=channel.value, attempts=0, next_try_at=at) for channel in channels
        )
        session.flush()
    return raised is not None


def recent(session: Session, site_id: int, since: datetime) -> list[RaisedAlert]:
    """Alerts of a site, newest first."""
    lost = _given_up(select(DeliveryRow.alert_id, DeliveryRow.channel).join(AlertRow)).where(
        AlertRow.site_id == site_id, AlertRow.raised_at >= since
    )
    untold: dict[int, list[str]] = {}
    for alert_id, channel in session.execute(lost.order_by(DeliveryRow.channel)):
        untold.setdefault(alert_id, []).append(channel)
    query = select(AlertRow).where(AlertRow.site_id == site_id, AlertRow.raised_at >= since)
    ordered = query.order_by(AlertRow.raised_at.desc(), AlertRow.id)
    return [RaisedAlert(_alert(row), row.raised_at, untold.get(row.id, [])) for row in session.scalars(ordered)]


def raised_since(session: Session, since: datetime) -> dict[tuple[str, str], int]:
    """How many were raised, by the site's key and their kind."""
    query = (
        select(SiteRow.key, AlertRow.kind, func.count())
        .join(AlertRow, AlertRow.site_id == SiteRow.id)
        .where(AlertRow.raised_at >= since)
        .group_by(SiteRow.key, AlertRow.kind)
    )
    return {(key, kind): count for key, kind, count in session.execute(query)}


def given_up_since(session: Session, since: datetime) -> dict[str, int]:
    """How many alerts raised since then were given up, by channel."""
    query = _given_up(select(DeliveryRow.channel, func.count()).join(AlertRow)).where(AlertRow.raised_at >= since)
    return {channel: count for channel, count in session.execute(query.group_by(DeliveryRow.channel))}


def take_due(session: Session, channel: Channel, now: datetime, most: int) -> list[Due]:
    """Up to `most` deliveries that are due, those first that have been for the longest.

    The attempt is counted and the next one set before anything is sent: whoever dies on the way leaves it to
    that next attempt, and nobody else takes it meanwhile.
    """
    query = (
        select(DeliveryRow)
        .where(DeliveryRow.channel == channel.value, DeliveryRow.next_try_at <= now)
        .order_by(DeliveryRow.next_try_at, DeliveryRow.alert_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    due = []
    for row in session.scalars(query).all():
        row.attempts += 1
        row.next_try_at = now + wait(row.attempts)
        alert = session.get_one(AlertRow, row.alert_id)
        site = by_id(session, alert.site_id)
        due.append(Due(alert.id, channel, row.attempts, site, _alert(alert), alert.raised_at))
    session.flush()
    return due


def delivered(session: Session, due: Due, at: datetime) -> None:
    """It was taken: never again."""
    _settle(session, due, next_try_at=None, delivered_at=at, failure=None)


def failed(session: Session, due: Due, failure: str, now: datetime, longest: timedelta) -> bool:
    """It was not taken; True where it is given up: the next attempt would be later than `longest` after the alert."""
    over = now + wait(due.attempts) > due.raised_at + longest
    _settle(session, due, failure=failure, **({"next_try_at": None} if over else {}))
    return over


def _settle(session: Session, due: Due, **values: Any) -> None:
    # Whoever was slower than another who delivered it meanwhile changes nothing.
    open_still = (DeliveryRow.alert_id == due.alert_id, DeliveryRow.channel == due.channel.value)
    session.execute(update(DeliveryRow).where(*open_still, DeliveryRow.delivered_at.is_(None)).values(**values))


def _given_up(query: Select[Any, Any]) -> Select[Any, Any]:
    return query.where(DeliveryRow.next_try_at.is_(None), DeliveryRow.delivered_at.is_(None))


def _alert(row: AlertRow) -> Alert:
    return Alert(AlertKind(row.kind), row.subject, row.period, row.detail)
