"""The fixed cast: two sites, a clock, and what a visitor's browser sends."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from consent_server.core.canonical import encode
from consent_server.core.hashes import sha256_hex
from consent_server.core.resources import ROOT
from consent_server.core.settings import Settings
from consent_server.decisions.rules import Action, Answer, Method
from consent_server.sites.publish import notice_body
from consent_server.sites.rules_notice import Notice
from consent_server.sites.site_file import read_site_file

START = datetime(2026, 11, 23, 17, 0, 0, 250_000, tzinfo=UTC)
PUBLIC_URL = "https://consent.example"
SHOP, RIVAL = "https://shop.example", "https://rival.example"
CALLBELL = ROOT / "examples" / "callbell.toml"

TOP = """\
key = "shop"
name = "Example Shop"
origins = ["https://shop.example", "http://127.0.0.1:*"]
languages = ["en", "fr"]
"""
TABLES = """\
[controller]
name = "Example Shop Ltd"
address = "1 Main Street, Dublin, Ireland"
contact = "privacy@shop.example"

[policy.privacy]
url = "https://shop.example/privacy"
version = "2026-03-01"
[policy.cookies]
url = "https://shop.example/cookies"
version = "2026-03-02"
"""
# With what a controller may add about itself.
FULL = TABLES.replace(
    'contact = "privacy@shop.example"', 'contact = "privacy@shop.example"\ncountry = "IE"\nphone = "+353 1 234 5678"'
)
ANALYTICS = """\
[[vendors]]
key = "google-analytics"
id = "G-ABCD123456"
"""
ADS = """\
[[vendors]]
key = "google-ads"
id = "AW-123456789"
conversions = { signup = "AbC-D_efGhIjKlMnOp" }
"""
META = """\
[[vendors]]
key = "meta-pixel"
id = "1234567890123456"
"""
TYPEFORM = """\
[[vendors]]
key = "typeform"
"""
VENDORS = f"{ANALYTICS}{ADS}{META}"


def site_file(top: str = TOP, tables: str = TABLES, vendors: str = VENDORS) -> str:
    """The text of the shop's site file."""
    return f"{top}\n{tables}\n{vendors}"


RIVAL_FILE = site_file(
    TOP.replace("shop.example", "rival.example").replace('"shop"', '"rival"'),
    TABLES.replace("Example Shop Ltd", "Rival GmbH"),
)


def notice_of(text: str) -> Notice:
    """The notice that a site file would publish."""
    body = encode(notice_body(read_site_file(text)))
    return Notice(sha256_hex(body), json.loads(body))


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        """Go on by days, hours, minutes, seconds …"""
        self.at += timedelta(**by)


def settings_for(instance: Path, database_url: str, **changes: Any) -> Settings:
    """The real settings of a server in this folder, with a limit that only its own test reaches."""
    environ = {
        "CONSENT_INSTANCE": str(instance),
        "CONSENT_SECRET_KEY": "a secret of at least thirty-two characters",
        "CONSENT_PUBLIC_URL": PUBLIC_URL,
        "CONSENT_RATE_LIMIT": "1000000 per minute",
    }
    return replace(Settings.from_env(environ), database_url=database_url, **changes)


@dataclass
class Body:
    """What a visitor's browser posts as a decision, unless told otherwise: everything accepted on the banner."""

    notice: str
    changes: dict[str, Any] = field(default_factory=dict)

    def __call__(self, **changes: Any) -> dict[str, Any]:
        body = {
            "decision_id": str(uuid4()),
            "notice": self.notice,
            "action": "accept_all",
            "method": "banner",
            "grants": {"analytics": True, "advertising": True},
            "vendors": {},
            "visitor": None,
            "change": False,
            "language": "en",
            "page": "https://shop.example/pricing",
            "gpc": False,
        }
        return body | self.changes | changes

    def refusal(self, **changes: Any) -> dict[str, Any]:
        """Everything refused."""
        return self(action="refuse_all", grants={"analytics": False, "advertising": False}, **changes)

    def choice(self, analytics: bool, advertising: bool, **changes: Any) -> dict[str, Any]:
        """A choice for each purpose."""
        given = {"action": "save", "method": "preferences"} | changes
        return self(grants={"analytics": analytics, "advertising": advertising}, **given)


def answer(notice: Notice, **changes: Any) -> Answer:
    """An answer to a notice: a choice that mentions nothing, unless told otherwise."""
    values: dict[str, Any] = {
        "decision_id": UUID("0190b5e0-0000-4000-8000-000000000001"),
        "notice": notice.hash,
        "action": Action.SAVE,
        "method": Method.PREFERENCES,
        "grants": {},
        "vendors": {},
        "visitor": None,
        "change": False,
        "language": "en",
        "page": "https://shop.example/",
        "gpc": False,
        "widget": None,
    }
    return Answer(**values | changes)
