"""What happened on a site, told in numbers; and somebody who wants to be told of alerts."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import pytest
from sqlalchemy import select

from consent_server.core.channels import Channel
from consent_server.core.context import Context
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_tally import SHOWN, Kind, Outcome
from consent_server.decisions.store_tallies import Cell
from consent_server.rates.close_days import close_days
from consent_server.rates.read import RatesReader
from consent_server.rates.rules_alerts import Alert, RaisedAlert
from consent_server.rates.rules_filters import Filters, Span
from consent_server.rates.watch import watch_rates
from consent_server.sites import store as sites
from consent_server.sites.rows import NoticeRow
from tests.support.factories import Clock
from tests.support.rates_page import quiet

ACCEPTED = Outcome(Kind.FIRST, Action.ACCEPT_ALL, ("advertising", "analytics"))
REFUSED = Outcome(Kind.FIRST, Action.REFUSE_ALL)
YESTERDAY = date(2026, 11, 22)
# A fall of acceptance shows in each of these.
FALLEN = ["consent", "opt_in", "purpose advertising", "purpose analytics"]


@dataclass
class History:
    """Counts events as visitors' requests do."""

    services: Context
    clock: Clock
    site: str = "shop"

    def hour(self, hour: str, shown: int = 0, accepted: int = 0, refused: int = 0) -> None:
        """In one hour of the site's clock."""
        self._count([(hour, shown, accepted, refused)])

    def day(self, *days: date, accepted: int = 60) -> None:
        """200 views and 120 answers on each."""
        self._count([(f"{day}T12", 200, accepted, 120 - accepted) for day in days])

    def _count(self, hours: list[tuple[str, int, int, int]]) -> None:
        with self.services.database.transaction() as session:
            site = sites.get(session, self.site)
            notice = session.scalars(select(NoticeRow.id).where(NoticeRow.site_id == site.id)).first()
            assert notice
            cells = {
                Cell(site.id, notice, hour, "en", "desktop", "", outcome.text): count
                for hour, *counts in hours
                for outcome, count in zip((SHOWN, ACCEPTED, REFUSED), counts, strict=True)
                if count
            }
            tallies.add(session, Counter(cells))

    def usual(self, days: int = 30, last: date = YESTERDAY - timedelta(days=1)) -> None:
        """Days like any other."""
        self.day(*(last - timedelta(days=back) for back in range(days)))
        fold_tallies(self.services.database)

    def close(self) -> None:
        """What is over by the clock is told."""
        fold_tallies(self.services.database)
        close_days(self.services.database, quiet, self.services.now())

    def watch(self, *channels: Channel) -> list[str]:
        """What a look raises anew, in words: each rate of an alert by itself."""
        self.close()
        found = watch_rates(self.services[RatesReader], channels)
        return sorted(f"{name} {alert.period}" for key, alert in found if key == self.site for name in named(alert))

    def raised(self, site: str = "shop") -> Sequence[RaisedAlert]:
        """What an answer says of the last two weeks."""
        with self.services[RatesReader].site(site) as rates:
            return rates.rates(Filters(Span(rates.today, rates.today))).alerts

    def fall(self, *channels: Channel) -> None:
        """A day on which fewer accept, and somebody looks."""
        self.usual()
        self.day(YESTERDAY, accepted=20)
        assert self.watch(*channels) == [f"{subject} 2026-11-22" for subject in FALLEN]


def named(alert: Alert) -> list[str]:
    """The rates that an alert names, or what it is of."""
    return [rate["rate"] for rate in alert.detail.get("rates", ())] or [alert.kind]


@pytest.fixture
def history(notice: str, services: Context, clock: Clock) -> History:
    """The shop's."""
    return History(services, clock)


@dataclass
class Receiver:
    """An address that is told of alerts. `answers` are its next statuses; then 204 for ever."""

    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """At work."""
    with Receiver() as working:
        yield working
