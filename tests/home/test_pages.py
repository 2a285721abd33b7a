"""The first pages: what the server is, and whether all is well with a site, by who looks at it."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_server.core.context import Context
from consent_server.decisions.rows import TagSightingRow
from consent_server.decisions.rules_sightings import KEPT
from consent_server.decisions.tag_sightings import TagSightings
from consent_server.ledger.seal import seal_ledger
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.find import find_site
from tests.support.factories import SHOP, Body, Clock
from tests.support.people import OPENED, Person
from tests.support.visitor import post

HERE = "/console/sites/shop"
LOCAL = "http://localhost:8310"


def facts(page: str) -> dict[str, str]:
    """The figures of a site's page, by what they are called."""
    found = re.findall(r"<dt>([^<]+)</dt>\s*<dd>(.*?)</dd>", page, re.DOTALL)
    return {name: " ".join(re.sub("<[^>]+>", " ", value).split()) for name, value in found}


def tasks(page: str) -> list[str]:
    """What there is to do."""
    return re.findall(r"</svg><span>(.*?)</span>\s*(?:<a|</li>)", page)


def test_the_server_says_what_it_is_and_leads_on(client: FlaskClient, app: Flask, people: dict[str, Person]) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    for there in re.findall(r'<a href="([^"]+)"', page.text):
        assert client.get(there.removeprefix("https://consent.example"), headers=OPENED).status_code in (200, 303)
    # Whose sites these are is nobody's business who does not know them.
    assert "Example Shop" not in page.text
    led = people["olga"].open("/")
    assert (led.status_code, led.location) == (303, "/console")


@pytest.mark.on_both_databases
def test_all_is_well_once_the_tag_was_seen(
    app: Flask, client: FlaskClient, body: Body, services: Context, clock: Clock, people: dict[str, Person]
) -> None:
    olga = people["olga"]
    before = olga.open(HERE).text
    assert "1 thing to look at" in before
    assert tasks(before) == ["No page of this site has shown the banner yet."]
    assert facts(before)["Tag seen"] == "never"
    for _ in range(12):
        post(client, body())
    seal_ledger(services.database, services.keys.ring, services.now)
    clock.advance(minutes=3)
    page = olga.open(HERE).text
    assert "All is well" in page
    assert not tasks(page)
    assert facts(page)["Tag seen"] == f"3 minutes ago on {SHOP}"
    assert facts(page)["Sealed"] == "3 minutes ago no witness"


def test_each_role_is_told_what_is_its_own(
    app: Flask, client: FlaskClient, body: Body, services: Context, clock: Clock, people: dict[str, Person]
) -> None:
    receipt = post(client, body()).get_json()["receipt_url"].removeprefix("https://consent.example")
    client.post(f"{receipt}/erasure", headers={"Origin": "https://consent.example", "Sec-Fetch-Site": "same-origin"})
    post(client, body(), origin=LOCAL)
    clock.advance(minutes=6)
    pages = {name: people[name].open(HERE).text for name in ("olga", "max", "ada")}
    late = "The oldest record has waited 6 minutes for its seal: see the server's log.".replace("'", "&#39;")
    refused, erasure = tasks(pages["olga"])[:2]
    assert refused.startswith(f"Today 1 post refused from {LOCAL}")
    assert erasure == "1 request for erasure is open, 29 days left."
    assert tasks(pages["olga"])[2:] == [late]
    assert (tasks(pages["ada"]), tasks(pages["max"])) == ([late], [])
    assert set(facts(pages["max"])) == {"Tag seen", "Choices today"}
    assert set(facts(pages["ada"])) == {"Tag seen", "Sealed"}
    assert people["rita"].open(HERE).status_code == 403


def test_the_banner_on_the_page_is_the_very_one(client: FlaskClient, people: dict[str, Person]) -> None:
    client.get("/widget/shop.js")
    page = people["olga"].open(HERE)
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    (frame,) = re.findall(r'<iframe[^>]+src="([^"]+)"', page.text)
    shown = client.get(frame.replace("&amp;", "&"))
    assert shown.status_code == 200
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    for address in re.findall(r'<a target="banner"[^>]+href="([^"]+)"', page.text):
        assert client.get(address.replace("&amp;", "&")).status_code == 200


@pytest.mark.on_both_databases
def test_of_many_origins_the_last_are_remembered(services: Context, clock: Clock, client: FlaskClient) -> None:
    sightings, shop = services[TagSightings], find_site(services.database, "shop")
    current = services[CurrentSites].get("shop")
    for number in range(50):
        clock.advance(seconds=1)
        sightings.note(current, f"https://{number}.shop.example")
        sightings.write()
    with services.database.reading() as session:
        kept = session.scalars(select(TagSightingRow.origin)).all()
    assert set(kept) == {f"https://{number}.shop.example" for number in range(50 - KEPT, 50)}
    assert sightings.newest(shop.id) == ("https://49.shop.example", services.now())
