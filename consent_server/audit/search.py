"""Find records of a site, page by page."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consent_server.audit import store as search
from consent_server.audit.rules_search import Filter, Place, unchecked_claims
from consent_server.audit.store import FoundRecord
from consent_server.core.database import Database
from consent_server.sites.notice_titles import notice_titles
from consent_server.sites.rules_notice import readable_language


@dataclass(frozen=True, slots=True)
class Item:
    """A record in a list. `notice_title` is what the notice is called.

    Grants and vendors are as its receipt says them, None when it cannot be read.
    """

    receipt_id: UUID
    decision_id: UUID
    recorded_at: datetime
    action: str
    method: str
    change: bool
    language: str
    gpc: bool
    stale: bool
    notice: str
    notice_title: str
    grants: dict[str, bool] | None
    vendors: dict[str, bool] | None
    visitor: UUID | None
    leaf_index: int | None
    rule: str | None = None
    objections: dict[str, dict[str, bool]] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where the next page begins; None after the last."""

    items: list[Item]
    next: Place | None


def search_records(database: Database, site_id: int, wanted: Filter, after: Place | None, limit: int) -> Page:
    """A page of records, newest first."""
    with database.reading() as session:
        records = search.page(session, site_id, wanted, after, limit + 1)
        shown, more = records[:limit], len(records) > limit
        titles = notice_titles(session, site_id) if shown else {}
        following = (shown[-1].row.recorded_at, shown[-1].row.id) if more else None
        return Page([item(record, titles) for record in shown], following)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the records of a site are told with: titles of purposes and names of vendors by key, as the newest notice
    that has them says, and what the notices are called by hash, newest first.
    """

    purposes: dict[str, str]
    vendors: dict[str, str]
    notices: dict[str, str]


def site_vocabulary(database: Database, site_id: int) -> Vocabulary:
    """Everything that a notice of the site ever named."""
    purposes: dict[str, str] = {}
    vendors: dict[str, str] = {}
    with database.reading() as session:
        notices = search.notices_of(session, site_id)
        titles = notice_titles(session, site_id)
    for _, _, text in notices:
        # A notice that somebody altered is told of where it is checked; here it must not hide what else is found.
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            body = json.loads(text)
            told = body["texts"][readable_language(body, "en")]["purposes"]
            purposes |= {purpose["key"]: told[purpose["key"]]["title"] for purpose in body["purposes"]}
            vendors |= {vendor["key"]: vendor["name"] for vendor in body["vendors"]}
    return Vocabulary(purposes, vendors, {name: titles.get(name, "") for _, name, _ in reversed(notices)})


def item(record: FoundRecord, titles: Mapping[str, str]) -> Item:
    """A record as lists show it, `titles` being those of its site; its own page checks the signature and says so."""
    row, claims = record.row, unchecked_claims(record.row.receipt)
    return Item(
        receipt_id=row.receipt_id,
        decision_id=row.decision_id,
        recorded_at=row.recorded_at,
        action=row.action,
        method=row.method,
        change=row.change,
        language=row.language,
        gpc=row.gpc,
        stale=row.stale,
        notice=record.notice,
        notice_title=titles.get(record.notice, ""),
        grants=claims.get("grants"),
        vendors=claims.get("vendors"),
        rule=claims.get("rule"),
        objections=claims.get("objections"),
        visitor=row.visitor,
        leaf_index=record.leaf_index,
    )
