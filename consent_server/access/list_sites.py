"""The sites that a person or a program may be let see."""

from dataclasses import dataclass

from consent_server.access import store_sites as sites
from consent_server.core.database import Database


@dataclass(frozen=True, slots=True)
class ListedSite:
    """A site by its key and name. `demo`: nothing on its record ever happened."""

    key: str
    name: str
    demo: bool


def list_sites(database: Database) -> list[ListedSite]:
    """All sites, by key."""
    with database.reading() as session:
        return [ListedSite(row.key, row.name, row.settings.get("demo", False)) for row in sites.every(session)]
