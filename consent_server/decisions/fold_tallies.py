"""Move what visitors counted into the roll-ups that are read."""

from consent_server.core.database import Database
from consent_server.decisions import store_tallies as tallies

# Cells moved in one transaction. A decision adds to some fifty roll-ups: few enough that a visitor never waits
# noticeably behind it, even where each cell is of another site.
BATCH = 100


def fold_tallies(database: Database) -> int:
    """Empty the inbox; return how many cells went. Two at once share the work, and count nothing twice."""
    with database.reading() as session:
        waiting = tallies.waiting(session)
    folded = 0
    for start in range(0, len(waiting), BATCH):
        with database.transaction() as session:
            folded += tallies.fold(session, waiting[start : start + BATCH])
    return folded
