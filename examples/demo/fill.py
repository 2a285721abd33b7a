"""Fill the example site with a made-up year, through the use cases that real visitors go through.

`consent demo --year` does it. By itself: python examples/demo/fill.py, after `consent migrate` in CONSENT_INSTANCE.
Settled, signed, counted and sealed as ever; only the clock is told what time it is. The site is marked as a
demonstration in its settings, and every page that tells of it says so. It must not be there before.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from consent_server.app import create_app
from consent_server.core.canonical import encode
from consent_server.core.context import Context
from consent_server.core.hashes import sha256_hex
from consent_server.core.times import utc_now
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.record_conversions import RecordConversions
from consent_server.decisions.record_page_load import RecordPageLoad
from consent_server.decisions.record_shown import RecordShown
from consent_server.decisions.rules import Action, Answer, AskedAs, Method
from consent_server.decisions.rules_receipt import uuid7
from consent_server.ledger.seal import seal_ledger
from consent_server.rates.close_days import close_days
from consent_server.rates.promote_arm import promote_arm
from consent_server.rates.tell_today import tell_today
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.find import list_sites
from consent_server.sites.publish import notice_body, publish_notice
from consent_server.sites.rules_notice import Notice
from consent_server.sites.site_file import read_site_file
from examples.demo.year import ZONE, Event, Year

# The site's own notice, a box, against a bar: layout alone, so the bar's notice is the year's second.
EXPERIMENT: dict[str, Any] = {
    "key": "box-or-bar",
    "arms": [{"name": "bar", "weight": 50, "banner": {"layout": "bar", "colours": {}}, "texts": {}}],
}
SITE_FILE = ROOT / "examples" / "callbell.toml"
# So many events of today.
TOLD_AFTER = 10
METHODS = {Action.SAVE: Method.PREFERENCES, Action.WITHDRAW: Method.PREFERENCES, Action.GPC: Method.SIGNAL}


@dataclass
class Clock:
    """The time, as the year goes by."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


def main(days: int = 365) -> None:
    """Fill the days up to now, and say how far it is."""
    now = utc_now()
    clock = Clock(now)
    app = create_app(now=clock)
    our: Context = app.extensions["consent"]
    key = declarations()[-1]["key"]
    if any(stored.site.key == key for stored in list_sites(our.database)):
        sys.exit(f"The site {key} is there already. A demonstration never goes into a site that may be real.")
    for day, done in fill(our, clock, now, days):
        if sys.stderr.isatty():
            print(f"\r  Made-up visitors until {day}: {done:,} events", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    our.database.engine.dispose()


def fill(our: Context, clock: Clock, now: datetime, days: int = 365) -> Iterator[tuple[date, int]]:
    """Play the days that end now; tell of each day how many events there were so far. `our` goes by `clock`."""
    year, declared = Year(now.astimezone(ZONE).date(), days), declarations()
    notices = [_notice(one) for one in declared]
    current, known, done = None, Known(), 0
    for day, events in year:
        clock.at = datetime.combine(day, time(0), ZONE).astimezone(UTC)
        if day == year.trial:
            _publish(our, {**declared[0], "experiment": EXPERIMENT})
        elif day == year.published[1]:
            promote_arm(our.database, declared[0]["key"], EXPERIMENT["key"], EXPERIMENT["arms"][0]["name"], clock.at)
        elif day in year.published:
            _publish(our, declared[year.notice_of(day)])
        if current is None or day in (year.trial, *year.published):
            # New, since the application's own is a quarter of a second behind a publication.
            current = CurrentSites(our.database, our.settings.public_url, our.now).get(declared[0]["key"])
        play = Play(our, clock, current, notices, known)
        for event in events:
            if event.at < now:
                play(event)
                done += 1
            if day == year.days[-1] and done % TOLD_AFTER == 0:
                # As a server does every few seconds, so that of today something is told.
                fold_tallies(our.database)
                tell_today(our.database)
        fold_tallies(our.database)
        close_days(our.database, our.random, clock.at)
        seal_ledger(our.database, our.keys.ring, clock)
        yield day, done


def declarations() -> list[dict[str, Any]]:
    """The site as it was declared under each notice of the year (year.NOTICES), the last as its file has it."""
    found = [read_site_file(SITE_FILE.read_text("utf-8")) for _ in range(3)]
    for before in found[:2]:
        before["vendors"] = [vendor for vendor in before["vendors"] if vendor["key"] != "meta-pixel"]
    found[0]["banner"]["layout"] = "box"
    return found


def _publish(our: Context, declared: dict[str, Any]) -> None:
    publish_notice(our.database, declared, our.settings.public_url, our.now(), demo=True)


def _notice(declared: dict[str, Any]) -> Notice:
    body = notice_body(declared)
    return Notice(sha256_hex(encode(body)), body)


class Known:
    """What a browser keeps of its owner's choice: the visitor's identifier, if there is one, and what was granted."""

    def __init__(self) -> None:
        self.visitors: dict[int, str | None] = {}
        self.granted: dict[int, frozenset[str]] = {}


class Play:
    """Does what an event says, at its time."""

    def __init__(self, our: Context, clock: Clock, current: CurrentSite, notices: list[Notice], known: Known) -> None:
        self._our, self._clock, self._current, self._notices, self._known = our, clock, current, notices, known

    def __call__(self, event: Event) -> None:
        """Raises what the use cases raise: a year with holes is none."""
        self._clock.at = event.at
        if event.action is not None:
            self._decide(event, event.action)
        elif event.converts:
            self._convert(event)
        elif event.sampled:
            self._load(event)
        else:
            hash_ = self._notices[event.notice].hash
            self._our[RecordShown](self._current, hash_, event.language, event.visit, arrival=event.arrival)

    def _decide(self, event: Event, action: Action) -> None:
        notice = self._notices[event.notice]
        answer = Answer(
            decision_id=uuid7(event.at, self._our.random(10)),
            notice=notice.hash,
            action=action,
            method=METHODS.get(action, Method.BANNER),
            grants=_grants(notice, event, action),
            vendors={},
            visitor=self._known.visitors.get(event.person),
            change=event.change,
            language=event.language,
            page=self._current.site.home(""),
            gpc=event.gpc,
            widget=None,
            asked=None if event.change else AskedAs.FIRST,
        )
        recorded = self._our[RecordDecision](self._current, answer, event.visit)
        vendors = recorded.decision.vendors
        self._known.visitors[event.person] = recorded.visitor
        self._known.granted[event.person] = frozenset(key for key, granted in vendors.items() if granted)

    def _convert(self, event: Event) -> None:
        counting = {tag.vendor for tag in self._current.site.tags if tag.conversions}
        granted = self._known.granted.get(event.person, frozenset())
        counts = {"sent": dict.fromkeys(counting & granted, 1), "blocked": dict.fromkeys(counting - granted, 1)}
        hash_ = self._notices[event.notice].hash
        self._our[RecordConversions](self._current, hash_, event.language, counts, event.visit)

    def _load(self, event: Event) -> None:
        notice, granted = self._notices[event.notice], self._known.granted.get(event.person)
        state = (granted is not None, granted or ())
        self._our[RecordPageLoad](self._current, notice.hash, event.language, *state, event.visit)


def _grants(notice: Notice, event: Event, action: Action) -> dict[str, bool]:
    off = notice.gpc_purposes if action is Action.GPC else ()
    granted = notice.purposes if action is Action.ACCEPT_ALL else [key for key in event.grants if key not in off]
    return {key: key in granted for key in notice.purposes}


if __name__ == "__main__":
    main()
