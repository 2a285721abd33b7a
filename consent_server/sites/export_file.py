"""Give the applied site file back, comments and all."""

from consent_server.core.database import Database
from consent_server.core.errors import InvalidSiteFile
from consent_server.sites import store as sites
from consent_server.sites import store_files as site_files


def export_file(database: Database, key: str) -> str:
    """The text that was applied last. Raises UnknownSite, and InvalidSiteFile where none is kept."""
    with database.reading() as session:
        text = site_files.text(session, sites.get(session, key).id)
    if text is None:
        raise InvalidSiteFile(
            f"The file of {key} is not kept: an earlier version, or a program, applied it. Apply the file once more."
        )
    return text
