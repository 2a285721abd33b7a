"""How many visitors would be asked again: asked here, and answered by the room that counts decisions."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from consent_server.core.database import Session
from consent_server.sites.rules_site import StoredSite


@dataclass(frozen=True, slots=True)
class StandingGrants:
    """`count` has the grants under these notices (row ids) of the last so many days, less what was withdrawn."""

    count: Callable[[Session, StoredSite, Collection[int], int], int]
