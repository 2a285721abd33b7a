"""What is made once an application, and kept where each room finds it: by its type, never by a name."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar, cast

from flask import current_app
from flask.sansio.app import App
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine

from consent_server.core.columns import Base
from consent_server.core.database import Database
from consent_server.core.keys import KeySource, LinkSigner
from consent_server.core.settings import Settings
from consent_server.core.times import utc_now

db = SQLAlchemy(model_class=Base)
migrate = Migrate()

T = TypeVar("T")


class Context:
    """One database, one set of keys, one clock, one source of randomness, and what the rooms made of them.

    A room that keeps something between requests (a cache, a group commit) makes it when it registers, and keeps it
    here: `context.keep(CurrentSites(…))`. Whoever needs it asks for its type: `context[CurrentSites]`.
    """

    def __init__(
        self, settings: Settings, engine: Engine, now: Callable[[], datetime] = utc_now, replica: Engine | None = None
    ) -> None:
        self.settings = settings
        self.database = Database(engine)
        # What reads much and need not be of this second: rates, search, samples. Never what a record is proved by.
        self.replica = self.database if replica is None else Database(replica)
        self.keys = KeySource(settings)
        self.now = now
        self.random: Callable[[int], bytes] = os.urandom
        self._kept: dict[type, object] = {}
        self._signers: dict[str, LinkSigner] = {}

    def disconnect(self) -> None:
        """Forget the connections that another process made: two processes never share one."""
        for database in {self.database, self.replica}:
            database.engine.dispose(close=False)

    def keep(self, made: object) -> None:
        """Keep what a room made, under its type."""
        self._kept[type(made)] = made

    def __getitem__(self, kind: type[T]) -> T:
        """What a room keeps under this type. Raises KeyError when no room made one."""
        return cast("T", self._kept[kind])

    def find(self, kind: type[T]) -> T | None:
        """The same, or None: for what only some settings bring into being."""
        return cast("T | None", self._kept.get(kind))

    def signer(self, purpose: str) -> LinkSigner:
        """Signs values for one purpose. A value signed for one is worth nothing for another."""
        if purpose not in self._signers:
            self._signers[purpose] = LinkSigner(self.settings.secret_key, purpose)
        return self._signers[purpose]


def context_of(app: App) -> Context:
    """That of an application."""
    return cast("Context", app.extensions["consent"])


def context() -> Context:
    """That of the application at work."""
    return context_of(current_app)
