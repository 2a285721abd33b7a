"""Whoever publishes from the console, and what publishing needs of the server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.database import Database
from consent_server.sites.standing_grants import StandingGrants


@dataclass(frozen=True, slots=True)
class Publisher:
    """What `site apply` has of the context, and who asks in the place of a command."""

    database: Database
    public_url: str
    standing: StandingGrants | None
    now: Callable[[], datetime]
    who: str


def publisher_here() -> Publisher:
    """Whoever sent this request."""
    ctx = context()
    return Publisher(ctx.database, ctx.settings.public_url, ctx.find(StandingGrants), ctx.now, auth.caller().name)
