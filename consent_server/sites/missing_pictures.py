"""The pictures that a notice still lacks."""

from consent_server.core.database import Database
from consent_server.sites import store as sites
from consent_server.sites import store_pictures as pictures
from consent_server.sites.store_pictures import Motif

# CSS pixels of a desktop's window and of a phone's: width to height.
SIZES = {1280: 800, 390: 844}


def missing_pictures(database: Database, key: str) -> list[Motif]:
    """What a site served and no picture shows yet, newest first. Raises UnknownSite."""
    with database.reading() as session:
        return pictures.missing(session, sites.get(session, key).id, list(SIZES))
