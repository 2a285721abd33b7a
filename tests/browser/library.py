"""A consent server with everything on it that there is to look at, and the people who look."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

from playwright.sync_api import Browser, BrowserContext, Page

from consent_server.access.credentials import ReportLinks
from consent_server.decisions.rules_contents import DECISION, tag
from consent_server.decisions.store_tallies import MONTHS
from tests.support.experiment_files import BOX, TITLE, with_experiment
from tests.support.factories import SHOP, TABLES, TOP, site_file
from tests.support.people import PASSWORD

from .axe import DESKTOP
from .servers import ConsentServer

# Records of every kind; none at all; some that somebody altered, and some removed by the rule.
SITES = ("shop", "quiet", "broken")
# Three notices share the visitors: for three weeks, since now (twice), and until somebody ended it.
TRIALS = ("trial", "fresh", "keyed", "ended")
TRIAL_DAYS = 21
# A rate fell with a notice of a week ago; and a banner is shown that nobody answers.
TROUBLED = ("fallen", "silent")
WEEK = 7
PEOPLE: dict[str, tuple[str, ...]] = {
    "olga": ("--role", "operator"),
    "oscar": ("--role", "operator", "--site", "quiet"),
    "ada": ("--role", "auditor", "--site", "shop"),
    "max": ("--role", "marketer", "--site", "shop"),
}
PAGE_OF_RECORDS = 50
# Views in each language: enough for rates, and for no row to be too small to be told.
LOOKS = 60


@dataclass
class Library:
    """The server, what it answered to each visitor, and each reader's browser."""

    server: ConsentServer
    browser: Browser
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _signed_in: dict[str, Any] = field(default_factory=dict)
    _pages: dict[str, Page] = field(default_factory=dict)

    def stock(self) -> None:
        """Let visitors decide, and a rogue alter one record and an operator erase another."""
        grant = self.decide("grant", language="fr")
        self.decide("withdrawal", action="withdraw", method="preferences", visitor=grant["visitor"], change=True)
        self.decide("refusal", action="refuse_all")
        for site in ("shop", "broken"):
            self.decide(f"{site} choice", site, action="save", grants={"analytics": True})
        erased = self.decide("erased", "broken", action="save", grants={"advertising": True})
        for _ in range(PAGE_OF_RECORDS):
            self.decide("last", action="save", method="preferences", grants={"advertising": True})
        for language in ("en", "fr"):
            for _ in range(LOOKS):
                self.count("shown", language)
        self.count("conversions", "en", sent={"google-ads": 3}, blocked={"google-ads": 2})
        self.server.command("ledger", "seal")
        self.server.command("visitor", "erase", erased["visitor"])
        self.server.command("ledger", "seal")
        self._alter(self.receipts["broken choice"]["decision_id"])
        self.server.end_days()
        for site in ("trial", "ended"):
            self._let_days_pass(site)
        self._let_a_rate_fall()
        self._let_nobody_answer()

    def decide(self, name: str, site: str = "shop", **changes: Any) -> dict[str, Any]:
        """Decide as a visitor of a site; everything is accepted unless told otherwise."""
        granted = changes.get("action", "accept_all") == "accept_all"
        body = {
            "decision_id": str(uuid4()), "notice": self.notice(site), "action": "accept_all", "method": "banner",
            "grants": {"analytics": granted, "advertising": granted}, "language": "en", "page": f"{SHOP}/pricing",
        }  # fmt: skip
        url = f"{self.server.url}/v1/sites/{site}/decisions"
        sent = Request(url, json.dumps(body | changes).encode(), {"Origin": SHOP, "Content-Type": "text/plain"})
        with urlopen(sent) as answer:
            self.receipts[name] = json.load(answer)
        return self.receipts[name]

    def count(self, what: str, language: str, **more: Any) -> None:
        """Count on the shop what leaves no record: a banner shown, or conversions."""
        body = json.dumps({"notice": self.notice(), "language": language, **more}).encode()
        url = f"{self.server.url}/v1/sites/shop/{what}"
        with urlopen(Request(url, body, {"Origin": SHOP, "Content-Type": "text/plain"})) as answer:
            assert answer.status == 204

    def notice(self, site: str = "shop") -> str:
        """The notice in force."""
        return hashlib.sha256(self.server.get(f"/v1/sites/{site}/notice")[1]).hexdigest()

    def _alter(self, decision_id: str) -> None:
        with closing(sqlite3.connect(self.server.folder / "instance" / "consent.sqlite3")) as database, database:
            database.execute("DROP TRIGGER decisions_keep_update")
            database.execute("UPDATE decisions SET action = 'refuse_all' WHERE hex(decision_id) = ?",
                             [tag(DECISION, UUID(decision_id)).hex.upper()])  # fmt: skip

    def _let_days_pass(self, site: str) -> None:
        """As if the experiment of a site had begun three weeks ago, with one arm better than the control."""
        now = datetime.now(UTC)
        began = round((now - timedelta(days=TRIAL_DAYS)).timestamp() * 1000)
        days = [(now - timedelta(days=ago)).date().isoformat() for ago in range(TRIAL_DAYS)]
        accepted = {"control": 80, "box": 120, "title": 82}
        with closing(sqlite3.connect(self.server.folder / "instance" / "consent.sqlite3")) as database, database:
            (site_id,) = database.execute("SELECT id FROM sites WHERE key = ?", [site]).fetchone()
            database.execute("UPDATE experiment_arms SET started_at = ? WHERE site_id = ?", [began, site_id])
            arms = database.execute("SELECT arm, notice_id, weight FROM experiment_arms WHERE site_id = ?", [site_id])
            rows = [
                (site_id, _told(counter), day, "", notice, counter, count * weight // 50)
                for arm, notice, weight in arms.fetchall()
                for day in days
                for counter, count in _counters(accepted[arm]).items()
            ]
            _tell(database, rows)

    def _let_a_rate_fall(self) -> None:
        """As if the notice of a site had come a week ago, and an alert had been raised since."""
        now = datetime.now(UTC)
        days = [(now - timedelta(days=ago)).date() for ago in range(1, 1 + 2 * WEEK)]
        with self._database() as database:
            (site_id, notice) = _ids(database, "fallen")
            database.execute("DROP TRIGGER publications_keep_update")
            began = datetime.combine(days[WEEK - 1], datetime.min.time(), UTC) + timedelta(hours=9)
            came = [round(began.timestamp() * 1000), site_id]
            database.execute("UPDATE publications SET published_at = ? WHERE site_id = ?", came)
            for day in days:
                accepted = 50 if day >= began.date() else 90
                for counter, count in _counters(accepted, 140 - accepted).items():
                    rows = [(site_id, *one, notice, counter, count) for one in _margins(day, counter)]
                    _tell(database, rows)
            detail = {"value": 0.357, "usual": 0.643, "low": 0.52, "high": 0.76, "z": -7.1, "days": 28}
            _raise(database, site_id, "outside_band", "consent", days[0].isoformat(), detail)

    def _let_nobody_answer(self) -> None:
        """As if the banner of a site could not be clicked, and an alert had been raised."""
        now = datetime.now(UTC)
        with self._database() as database:
            (site_id, notice) = _ids(database, "silent")
            row = [site_id, now.date().isoformat(), notice, "shown", 620]
            database.execute("INSERT INTO roll_ups VALUES (?, 'today', ?, '', ?, ?, ?)", row)
            since = now.date().isoformat()
            _raise(database, site_id, "never_answered", "", since, {"shown": 620, "since": since})

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.server.folder / "instance" / "consent.sqlite3")) as database, database:
            yield database

    def expired_report(self) -> str:
        """The path of a report whose link has ended."""
        links = ReportLinks((self.server.folder / "instance" / "secret-key").read_text("utf-8").strip())
        subject = {"site": "shop", "by": "day", "notice": None, "days": 28}
        return f"/reports/{links.sign(subject, datetime.now(UTC) - timedelta(days=1))}"

    def pack(self) -> Path:
        """All the evidence of the shop."""
        path = self.server.folder / "shop.zip"
        self.server.command("evidence", "export", "shop", "-o", str(path))
        return path

    def invite(self, name: str, *options: str) -> str:
        """Make somebody a user; the path of their one-time link."""
        printed = self.server.command("user", "create", f"{name}@example.org", *options)
        found = re.search(r"/sign-in/link\?t=\S+", printed)
        assert found, printed
        return found[0]

    def reader(self, name: str = "", **options: Any) -> BrowserContext:
        """A browser in which this person is signed in; nobody, without a name."""
        if name and name not in self._signed_in:
            self._signed_in[name] = self._sign_in(name)
        context = self.browser.new_context(base_url=self.server.url, storage_state=self._signed_in.get(name), **options)
        context.set_default_timeout(8_000)
        return context

    def page(self, name: str) -> Page:
        """A tab of this person's that stays, for tests that leave nothing behind in it."""
        if name not in self._pages:
            self._pages[name] = self.reader(name).new_page()
        page = self._pages[name]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        return page

    def _sign_in(self, name: str) -> Any:
        context = self.browser.new_context(base_url=self.server.url, java_script_enabled=False)
        return signed_in_by(self.invite(name, *PEOPLE[name]), context)


def signed_in_by(link: str, context: BrowserContext) -> Any:
    """The session of who sets a password by a link; the context is closed with that."""
    page = context.new_page()
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set it and sign in").click()
    page.wait_for_url("**/console")
    state = context.storage_state()
    context.close()
    return state


def _ids(database: sqlite3.Connection, site: str) -> tuple[int, int]:
    """Row ids of a site and of its notice."""
    query = "SELECT sites.id, notices.id FROM sites JOIN notices ON notices.site_id = sites.id WHERE key = ?"
    found: tuple[int, int] = database.execute(query, [site]).fetchone()
    return found


def _margins(day: date, counter: str) -> Iterator[tuple[str, str, str]]:
    """Dimension, period and value of where a counter of a day that is over is told."""
    places = {_told(counter): "", "devices": "mobile", "languages": "en", "countries": "FR"}
    for dimension, value in places.items():
        yield dimension, day.isoformat(), value


def _tell(database: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Of days that are over, and so in the sums of their months."""
    months = [(site_id, MONTHS[dimension], day[:7], *rest) for site_id, dimension, day, *rest in rows]
    database.executemany(
        "INSERT INTO roll_ups VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [*rows, *months],
    )


def _told(counter: str) -> str:
    return "selections" if " " in counter else "days"


def _raise(
    database: sqlite3.Connection, site_id: int, kind: str, subject: str, period: str, detail: dict[str, Any]
) -> None:
    at = round(datetime.now(UTC).timestamp() * 1000)
    row = [site_id, kind, subject, period, json.dumps(detail), at]
    database.execute(
        "INSERT INTO alerts (site_id, kind, subject, period, detail, raised_at) VALUES (?, ?, ?, ?, ?, ?)", row
    )


def site_files() -> list[str]:
    """The sites, as an operator would declare them."""
    plain = {
        key: site_file(TOP.replace('"shop"', f'"{key}"').replace("Example Shop", f"The {key} shop"), TABLES)
        for key in (*SITES, *TRIALS, *TROUBLED)
    }
    return [with_experiment(BOX, TITLE, shop=text) if key in TRIALS else text for key, text in plain.items()]


def _counters(accepted: int, refused: int = 50) -> dict[str, int]:
    """Of 200 views."""
    granted = ("accept_all", "granted", "purpose advertising", "purpose analytics")
    return {"shown": 200, "decisions": accepted + refused, "refuse_all": refused, **dict.fromkeys(granted, accepted)}
