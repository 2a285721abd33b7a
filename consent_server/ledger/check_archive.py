"""Check what visitors were shown and since when: against the hashes it is kept under, and the receipts that name it."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from consent_server.core.database import Session
from consent_server.core.errors import UnknownWidget
from consent_server.core.hashes import sha256_hex
from consent_server.ledger import store_archive as archive
from consent_server.ledger.check_leaves import TOLERANCE, CheckedLeaf, in_words
from consent_server.ledger.rules_report import Report
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.rows import NoticeRow
from consent_server.sites.rules_notice import Configuration

UNKNOWN_TIME = 1 << 53
ALTERED = "its content does not have the SHA-256 that it is kept under: it was altered"


@dataclass(slots=True)
class Named:
    """What the receipts of a ledger name: each notice with its earliest receipt (Unix time, leaf), each code's leaf."""

    notices: dict[str, tuple[int, int]] = field(default_factory=dict)
    widgets: dict[str, int] = field(default_factory=dict)

    def take(self, leaf: CheckedLeaf) -> None:
        """Take note of a leaf that holds. One that was dated by a wrong clock says nothing of when."""
        if leaf.claims is None or leaf.kind != "decision":
            return
        place = (int(leaf.claims["iat"]) if leaf.in_time else UNKNOWN_TIME, leaf.index)
        self.notices[leaf.claims["notice"]] = min(place, self.notices.get(leaf.claims["notice"], place))
        self.widgets.setdefault(leaf.claims["widget"], leaf.index)


def check_archive(session: Session, site_id: int, site: str, named: Named, report: Report) -> None:
    """Compare notices, code, configurations, pictures and publications of a site; each fault names its place.

    Only receipts bind: who can write here can also make a new hash for a configuration or a picture, and move a
    publication to any time between the notice's making and its first receipt.
    """
    checks = _Archive(session, site_id, site, named, report)
    checks.notices()
    checks.configurations()
    checks.pictures()
    checks.widgets()
    checks.publications()


class _Archive:
    def __init__(self, session: Session, site_id: int, site: str, named: Named, report: Report) -> None:
        self._session, self._site_id, self._site = session, site_id, site
        self._named, self._report = named, report
        # By notice, when it was made; the code that anything here names, and which.
        self._made: dict[str, datetime] = {}
        self._code = {widget: f"leaf {leaf}" for widget, leaf in named.widgets.items()}

    def notices(self) -> None:
        for row in archive.notices(self._session, self._site_id):
            self._report.counts["notices"] += 1
            self._made[row.hash] = row.created_at
            if fault := _fault_of(row, self._site):
                self._report.fail(f"notice {row.hash}", fault)
        for notice, (_, leaf) in self._named.notices.items():
            if notice not in self._made:
                self._report.fail(f"notice {notice}", f"leaf {leaf} names it, and it is not among the site's")

    def configurations(self) -> None:
        for notice, row in archive.configurations(self._session, self._site_id):
            self._report.counts["configurations"] += 1
            place = f"configuration {row.id} ({row.language}) of notice {notice.hash}"
            self._code.setdefault(row.widget, place)
            if configurations.hash_of(Configuration(row.language, row.main, row.preferences, row.details)) != row.hash:
                self._report.fail(place, ALTERED)
            self._require_after(place, row.served_at, notice)

    def pictures(self) -> None:
        for notice, row in archive.pictures(self._session, self._site_id):
            self._report.counts["pictures"] += 1
            place = f"picture {row.hash} of notice {notice.hash}"
            self._code.setdefault(row.widget, place)
            if sha256_hex(row.png) != row.hash:
                self._report.fail(place, ALTERED)
            self._require_after(place, row.taken_at, notice)

    def widgets(self) -> None:
        for widget, place in self._code.items():
            self._report.counts["widgets"] += 1
            try:
                code = notices.widget_code(self._session, widget)
            except UnknownWidget:
                self._report.fail(f"widget {widget}", f"{place} names it, and it is not here")
            else:
                if sha256_hex(code.encode()) != widget:
                    self._report.fail(f"widget {widget}", ALTERED)

    def publications(self) -> None:
        since: dict[str, datetime] = {}
        published = [(one.notice, one.published_at) for one in notices.publications(self._session, self._site_id)]
        arms = [(notice, at) for notice, _, at in experiments.shown(self._session, self._site_id)]
        latest: datetime | None = None
        for notice, at in published:
            if latest is not None and _seconds(at, latest) < -TOLERANCE:
                self._report.fail(f"publication of {notice}", f"{_dated(at)}, before the one before it")
            latest = at if latest is None else max(latest, at)
        for notice, at in [*published, *arms]:
            self._report.counts["publications"] += 1
            since[notice] = min(at, since.get(notice, at))
        for notice, at in since.items():
            if notice in self._made and _seconds(at, self._made[notice]) < -TOLERANCE:
                self._report.fail(f"publication of {notice}", f"{_dated(at)}, before the notice was made")
        for notice, (iat, leaf) in self._named.notices.items():
            first = since.get(notice)
            if first is None:
                self._report.fail(f"publication of {notice}", f"there is none, and leaf {leaf} names the notice")
            elif first.timestamp() > iat + TOLERANCE:
                too_late = f"{_dated(first)}, after the receipt of leaf {leaf} that names the notice"
                self._report.fail(f"publication of {notice}", too_late)

    def _require_after(self, place: str, at: datetime, notice: NoticeRow) -> None:
        if _seconds(at, notice.created_at) < -TOLERANCE:
            self._report.fail(place, f"{_dated(at)}, before the notice was made")


def _fault_of(row: NoticeRow, site: str) -> str | None:
    if sha256_hex(row.body) != row.hash:
        return ALTERED
    try:
        return None if json.loads(row.body)["site"] == site else "it is another site's"
    except (ValueError, LookupError, TypeError):
        return "it is no notice: it was put in"


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()


def _dated(at: datetime) -> str:
    return f"it is dated {in_words(at.timestamp())}"
