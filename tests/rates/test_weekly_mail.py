"""A week that is over is mailed once, with the numbers of the page's first screen, where the site file asks for it."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from consent_server.core.channels import Mail, mail_server
from consent_server.core.context import Context
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.rates.annotate import annotate
from consent_server.rates.close_days import close_days
from consent_server.rates.deliver_alerts import Attempt
from consent_server.rates.mail_weeks import mail_weeks
from consent_server.rates.read import RatesReader
from tests.support.alerts import History
from tests.support.factories import TOP, Clock, site_file
from tests.support.mail_server import MailServer
from tests.support.rates_page import quiet
from tests.support.sites import Apply

CONSOLE = "https://consent.example"
ASKING = site_file(f"{TOP}[statistics]\nweekly_mail = true\n")
# The clock stands on a Monday, 23 November 2026.
WEEK = [date(2026, 11, 16) + timedelta(days=step) for step in range(7)]
BEFORE = [day - timedelta(days=7) for day in WEEK]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as found:
        yield found


class Weeks:
    """What a worker does about weeks, and a history to tell of."""

    def __init__(self, services: Context, clock: Clock, server: MailServer) -> None:
        self.services = services
        self.history = History(services, clock)
        self.mail = Mail(mail_server(f"smtp://127.0.0.1:{server.port}"), "consent@shop.example", ("a@shop.example",))

    def run(self) -> list[Attempt]:
        """One run, with all days closed that are over."""
        fold_tallies(self.services.database)
        close_days(self.services.database, quiet, self.services.now())
        return list(mail_weeks(self.services[RatesReader], self.mail, CONSOLE))


@pytest.fixture
def weeks(services: Context, clock: Clock, server: MailServer) -> Weeks:
    return Weeks(services, clock, server)


@pytest.mark.on_both_databases
def test_a_week_is_told_once_with_its_numbers(
    weeks: Weeks, apply_site: Apply, server: MailServer, clock: Clock
) -> None:
    apply_site(ASKING)
    weeks.history.day(*BEFORE, accepted=60)
    weeks.history.day(*WEEK, accepted=90)
    annotate(weeks.services.database, "shop", WEEK[1], "campaign began")
    assert [attempt.ok for attempt in weeks.run()] == [True]
    assert weeks.run() == []
    (message,) = server.messages
    assert message["To"] == "a@shop.example"
    assert message["Subject"] == "Example Shop: consent in the week of 16 Nov 2026 to 22 Nov 2026"
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert set(parts) == {"text/plain", "text/html"}
    for said in parts.values():
        for told in (
            "75.0",
            "+25.0 points",
            "45.0",
            "campaign began",
            "1,400 banners shown",
            "840 first choices",
            " is allowed on ",
        ):
            assert told in said, told
        assert f"{CONSOLE}/console/sites/shop/rates?from=2026-11-16" in said
    assert not any(remote in parts["text/html"] for remote in ("<img", "<script", "src=", "url("))
    clock.advance(days=7)
    weeks.history.day(date(2026, 11, 24))
    assert len(weeks.run()) == 1
    assert len(server.messages) == 2


def test_nobody_is_told_who_did_not_ask(weeks: Weeks, apply_site: Apply, server: MailServer) -> None:
    apply_site(site_file())
    weeks.history.day(*WEEK)
    assert weeks.run() == []
    assert server.messages == []


def test_a_site_without_a_history_is_not_told_of(weeks: Weeks, apply_site: Apply) -> None:
    apply_site(ASKING)
    assert weeks.run() == []


def test_what_people_wrote_is_no_markup(weeks: Weeks, apply_site: Apply, server: MailServer) -> None:
    apply_site(ASKING)
    weeks.history.day(*WEEK)
    annotate(weeks.services.database, "shop", WEEK[0], "<b>campaign</b> & more")
    weeks.run()
    (message,) = server.messages
    page = message.get_body(("html",))
    assert page is not None
    assert "&lt;b&gt;campaign&lt;/b&gt; &amp; more" in page.get_content()


def test_a_mail_that_is_not_taken_is_tried_again_and_given_up(
    weeks: Weeks, apply_site: Apply, server: MailServer, clock: Clock
) -> None:
    apply_site(ASKING)
    weeks.history.day(*WEEK)
    server.refuse = "451 later"
    (attempt,) = weeks.run()
    assert (attempt.ok, attempt.given_up) == (False, False)
    assert "451" in attempt.detail
    assert weeks.run() == []
    clock.advance(minutes=2)
    server.refuse = ""
    assert [attempt.ok for attempt in weeks.run()] == [True]
    clock.advance(days=7)
    weeks.history.day(date(2026, 11, 24))
    server.refuse = "451 later"
    last: Attempt | None = None
    for _ in range(40):
        last = next(iter(weeks.run()), last)
        clock.advance(hours=6)
    assert last is not None
    assert last.given_up
    assert weeks.run() == []
