"""The records of a search as CSV (RFC 4180): one line a record, a column for each purpose and vendor of the site."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.audit.rules_search import Filter, Place
from consent_server.audit.search import Item, Vocabulary, search_records
from consent_server.core.database import Database
from consent_server.core.times import rfc3339

ROWS = 500
OWN = (
    "receipt_id", "decision_id", "recorded_at", "action", "method", "change", "language", "gpc", "stale", "notice",
    "notice_title", "visitor", "leaf_index",
)  # fmt: skip


def records_csv(database: Database, site_id: int, wanted: Filter, vocabulary: Vocabulary) -> Iterator[bytes]:
    """A page of lines at a time, newest first, so that any number of records fits. An empty cell: not asked."""
    columns = [*OWN, *(f"purpose.{key}" for key in vocabulary.purposes)]
    columns += [f"vendor.{key}" for key in vocabulary.vendors]
    out = io.StringIO()
    table = csv.DictWriter(out, columns, extrasaction="ignore")
    table.writeheader()
    following: Place | None = None
    while True:
        found = search_records(database, site_id, wanted, following, ROWS)
        table.writerows(map(_cells, found.items))
        yield out.getvalue().encode()
        out.seek(out.truncate(0))
        following = found.next
        if following is None:
            return


def _cells(item: Item) -> Mapping[str, Any]:
    cells = {name: _cell(getattr(item, name)) for name in OWN} | {"recorded_at": rfc3339(item.recorded_at)}
    for kind, said in (("purpose", item.grants), ("vendor", item.vendors)):
        cells |= {f"{kind}.{key}": _cell(granted) for key, granted in (said or {}).items()}
    return cells


def _cell(value: Any) -> Any:
    """True and false as in JSON. A text that a spreadsheet would take for a formula is marked as a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
