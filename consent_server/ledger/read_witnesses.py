"""Which witnesses have not cosigned what is sealed."""

from collections.abc import Sequence
from datetime import datetime

from consent_server.core.database import Database
from consent_server.core.witnesses import Witness
from consent_server.ledger import store_cosignatures as cosignatures


def witnesses_behind(database: Database, site_id: int, witnesses: Sequence[Witness], since: datetime) -> list[str]:
    """The names of those that have cosigned no checkpoint as long as the newest from before that time."""
    with database.reading() as session:
        expected = cosignatures.size_sealed_by(session, site_id, since)
        return [
            witness.name for witness in witnesses if cosignatures.newest_size(session, site_id, witness.key) < expected
        ]
