"""Have destroyed keys be gone from the files too."""

from consent_server.core.database import Database
from consent_server.core.errors import StorageUnavailable
from consent_server.core.rewriting import rewrite_tables
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions import store_tallies as tallies


def forget_keys(database: Database) -> None:
    """Leave no copy of a destroyed key, nor of counters that were folded, in a file of the database.

    Nobody is refused meanwhile: these tables are small, however many records there are. Raises StorageUnavailable
    when somebody reads for too long; then call it again.
    """
    try:
        rewrite_tables(database, record_keys.TABLE, tallies.TALLIES)
    except StorageUnavailable as error:
        raise StorageUnavailable(
            "The records are removed, but the tables of their keys could not be rewritten, so the database's files may"
            " still hold copies of keys. Make sure that nothing reads for long, then run this again."
        ) from error
