"""Move what visitors counted into the roll-ups that are read."""

from consent_server.core.database import Database
from consent_server.decisions import store_tallies as tallies

# Cells moved in one transaction: few enough that a visitor never waits noticeably behind it.
BATCH = 500


def fold_tallies(database: Database) -> int:
    """Empty the inbox; return how many cells went. Two at once share the work, and count nothing twice."""
    folded = 0
    with database.reading() as session:
        if tallies.empty(session):
            return 0
    while True:
        with database.transaction() as session:
            moved = tallies.fold(session, BATCH)
        folded += moved
        if moved < BATCH:
            return folded
