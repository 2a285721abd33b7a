"""The marketer's page of rates: what is counted for it, and how a test reads it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from html import unescape
from typing import Any

from consent_server.core.context import Context
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.fold_tallies import fold_tallies
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_tally import ARRIVAL, SHOWN, Kind, Outcome, of_conversion
from consent_server.decisions.store_tallies import Cell
from consent_server.rates.close_days import close_days
from consent_server.sites import store as sites
from consent_server.sites import store_notices as notices
from tests.support.people import HTML, Person

RATES = "/console/sites/shop/rates"
ALL = ("advertising", "analytics")
VENDORS = ("google-ads", "google-analytics", "meta-pixel")
ACCEPTED = Outcome(Kind.ANSWER, Action.ACCEPT_ALL, ALL, VENDORS)
REFUSED = Outcome(Kind.ANSWER, Action.REFUSE_ALL)
SAVED = Outcome(Kind.ANSWER, Action.SAVE, ("analytics",), ("google-analytics",))


def quiet(size: int) -> bytes:
    """Randomness of which all noise is 0."""
    return b"\xff" * size


def end_days(services: Context, random: Callable[[int], bytes] = quiet) -> None:
    """What was counted so far is told as if its days were over."""
    fold_tallies(services.database)
    close_days(services.database, random, services.now() + timedelta(days=2))


def count(services: Context, notice: str, day: str, events: dict[Outcome, int], **cell: str) -> None:
    """Count events of the shop at noon of a day, which is over."""
    count_days(services, notice, [day], lambda _: events, True, **cell)


def count_days(
    services: Context, notice: str, days: Iterable[str], events: Callable[[str], dict[Outcome, int]],
    over: bool = True, **cell: str,
) -> None:  # fmt: skip
    """Count events of the shop at noon of each of these days, which are then over unless they are said not to be."""
    at = {"language": "en", "device": "desktop", "country": "IE"} | cell
    with services.database.transaction() as session:
        site = sites.get(session, "shop")
        stored = notices.of_site(session, site.id, notice)
        assert stored
        cells = {
            Cell(site.id, stored.id, f"{day}T12", outcome=outcome.text, **at): number
            for day in days
            for outcome, number in events(day).items()
        }
        tallies.add(session, Counter(cells))
    if over:
        end_days(services)


def a_day(views: int, accepted: int, refused: int, saved: int = 0) -> dict[Outcome, int]:
    # Of whom nobody answers, half are on another page of their visit.
    visits = (views + accepted + refused + saved) // 2
    return {ARRIVAL: visits, SHOWN: views - visits, ACCEPTED: accepted, REFUSED: refused} | (
        {SAVED: saved} if saved else {}
    )


def count_two_months(services: Context, notice: str) -> None:
    """Two months that are over, and some of today."""
    today = services.now().date()
    days = {(today - timedelta(days=ago)).isoformat(): ago for ago in range(56)}
    mobile = {"language": "fr", "device": "mobile", "country": "FR"}
    count_days(services, notice, days, lambda day: a_day(120 + days[day], 40, 22, 7), over=False, **mobile)
    desktop = a_day(60, 14, 9) | {of_conversion("google-ads", True): 2}
    count_days(services, notice, days, lambda _: desktop, over=False)
    count(services, notice, today.isoformat(), {SHOWN: 3, ACCEPTED: 2}, country="MT")


def text_of(page: str) -> str:
    """The words of a page, as one line."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def api(person: Person, query: str = "") -> Any:
    response = person.browser.get(f"/v1/sites/shop/rates{query}")
    assert response.status_code == 200, response.text
    return response.get_json()


def drawn(page: str) -> Any:
    """What the script of the charts gets."""
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def undefined(page: str) -> list[str]:
    """Heads of tables with no definition of the numbers below, unless each row has its own."""
    found = []
    for table in re.findall("<table.*?</table>", page, re.DOTALL):
        _, *heads = re.findall('<th scope="col".*?</th>', table)
        rows = re.findall('<th scope="row".*?</th>', table)
        found += [text_of(head) for head in heads if "<code>" not in head]
        assert heads
        assert rows
    return found


def shared(marketer: Person, **fields: str) -> str:
    """The path of a link that the form makes."""
    page = marketer.open(RATES).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    made = marketer.browser.post(
        f"{RATES}/link", data=hidden | {"days": "these", "lifetime": "30"} | fields, headers=HTML
    )
    assert made.status_code == 200, made.text
    found = re.search(r'readonly value="https://consent\.example(/reports/[^"]+)"', made.text)
    assert found
    return found[1]
