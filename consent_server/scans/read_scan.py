"""Read a scan that is kept, and what changed since the one before."""

import json
from dataclasses import dataclass

from consent_server.core.database import Database
from consent_server.core.errors import UnknownScan
from consent_server.scans import store as scans
from consent_server.scans.read_json import read_scan
from consent_server.scans.rules import Scan
from consent_server.scans.rules_kept import Difference, Json, KeptScan, difference
from consent_server.sites import store as sites


@dataclass(frozen=True, slots=True)
class ReadScan:
    """A scan, how it is kept, and its difference from the `earlier` one."""

    kept: KeptScan
    body: Json | None
    scan: Scan | None
    earlier: KeptScan | None
    changed: Difference | None


def read_kept_scan(database: Database, key: str, number: int) -> ReadScan:
    """Raises UnknownSite, UnknownScan."""
    with database.reading() as session:
        site_id = sites.get(session, key).id
        found, before = scans.find(session, site_id, number), scans.before(session, site_id, number)
    if found is None:
        raise UnknownScan(f"This site has no scan {number}: only the newest are kept.")
    kept, text, pictures = found
    if text is None:
        return ReadScan(kept, None, None, None, None)
    body = json.loads(text)
    earlier, changed = (before[0], difference(json.loads(before[1]), body)) if before else (None, None)
    return ReadScan(kept, body, read_scan(body, pictures), earlier, changed)
