"""What is made once an application: the database handle, and the services that web and commands call."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine

from consent_server.access.credentials import OneTimeLinks, ReportLinks, nobodys_hash
from consent_server.core.columns import Base
from consent_server.core.database import Database
from consent_server.core.keys import KeySource, LinkSigner
from consent_server.core.settings import Settings
from consent_server.decisions.count_events import CountEvents
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.record_conversions import RecordConversions
from consent_server.decisions.record_shown import RecordShown
from consent_server.ledger.timestamp import Authority
from consent_server.sites.current_site import CurrentSites
from consent_server.widget.declare import DeclareSite
from consent_server.widget.serve import ServeWidget

db = SQLAlchemy(model_class=Base)
migrate = Migrate()


def utc_now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """The use cases that keep something between requests, and what they share."""

    settings: Settings
    database: Database
    keys: KeySource
    receipt_links: LinkSigner
    address_keys: LinkSigner
    form_keys: LinkSigner
    sign_in_links: OneTimeLinks
    report_links: ReportLinks
    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    sites: CurrentSites
    record_decision: RecordDecision
    record_shown: RecordShown
    record_conversions: RecordConversions
    serve_widget: ServeWidget
    declare_site: DeclareSite
    authority: Authority | None

    @classmethod
    def make(cls, settings: Settings, engine: Engine, now: Callable[[], datetime] = utc_now) -> "Services":
        """Wire them to one database, one set of keys and one clock."""
        database, keys = Database(engine), KeySource(settings)
        sites, count = CurrentSites(database, now), CountEvents(database)
        nobodys_hash()
        return cls(
            settings=settings,
            database=database,
            keys=keys,
            receipt_links=LinkSigner(settings.secret_key, "receipt-link"),
            address_keys=LinkSigner(settings.secret_key, "rate-limit"),
            form_keys=LinkSigner(settings.secret_key, "form-token"),
            sign_in_links=OneTimeLinks(settings.secret_key, now),
            report_links=ReportLinks(settings.secret_key),
            now=now,
            random=os.urandom,
            sites=sites,
            record_decision=RecordDecision(database, sites, keys, settings.public_url, now, os.urandom),
            record_shown=RecordShown(count, sites, now),
            record_conversions=RecordConversions(count, sites, now),
            serve_widget=ServeWidget(),
            declare_site=DeclareSite(database),
            authority=_authority(settings),
        )


def _authority(settings: Settings) -> Authority | None:
    if settings.timestamp_url is None or settings.timestamp_roots is None:
        return None
    return Authority(settings.timestamp_url, settings.timestamp_roots, settings.timestamp_seconds)


def services() -> Services:
    """Those of the application at work."""
    return cast("Services", current_app.extensions["consent"])
