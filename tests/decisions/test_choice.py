"""A choice by a form, for browsers that run no script: recorded as any other, and only from the page itself."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.decisions import store_tallies as tallies
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.decisions.read_refused import refused_lately
from consent_server.decisions.rules_tally import CounterName, Measure
from consent_server.sites import store as sites
from consent_server.sites.find import find_site
from tests.support import jose
from tests.support.factories import PUBLIC_URL, SHOP, TOP, site_file
from tests.support.sites import Apply
from tests.support.visitor import rows

PATH = "/sites/shop/choice"
OWN, ON_SITE = {"Origin": PUBLIC_URL}, {"Origin": SHOP, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(client: FlaskClient) -> FlaskClient:
    """A client that keeps cookies."""
    return client.application.test_client()


def fields(page: TestResponse) -> dict[str, str]:
    """What the page would send whichever button is pressed."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


def choose(
    client: FlaskClient,
    action: str,
    *grants: str,
    headers: dict[str, str] | None = None,
    path: str = PATH,
    **changes: str,
) -> TestResponse:
    """Open the page and press a button of it."""
    sent: MultiDict[str, str] = MultiDict(fields(client.get(path)) | {"action": action})
    sent.setlist("grant", list(grants))
    return client.post(path, data=sent, headers=OWN if headers is None else headers)


def claims(services: Context) -> list[dict[str, object]]:
    return [jose.claims(row.receipt) for row in rows(services)]


def test_the_form_asks_evenly_and_nothing_is_ticked(client: FlaskClient, notice: str) -> None:
    page = client.get(PATH)
    assert page.status_code == 200
    assert "checked" not in page.text
    assert "<script" not in page.text
    first = page.text.partition("</form>")[0]
    buttons = re.findall(r"<button ([^>]*)>([^<]*)</button>", first)
    assert buttons == [('class="button" name="action" value="refuse_all"', "Reject all"),
                       ('class="button" name="action" value="accept_all"', "Accept all")]  # fmt: skip
    assert fields(page)["notice"] == notice
    for said in (
        "2 third parties",
        "6 months",
        "Google Ireland Limited",
        "_gcl_au",
        "_fbp",
        "https://shop.example/privacy",
    ):
        assert said in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "fr-FR,fr;q=0.9,en;q=0.5", "fr"),
        ("?lang=en", "fr", "en"),
        ("?lang=de", "de", "en"),
        ("?lang=fr-CA", "en", "fr"),
    ],
)
def test_it_speaks_the_visitor_s_language(client: FlaskClient, query: str, accepted: str, language: str) -> None:
    page = client.get(PATH + query, headers={"Accept-Language": accepted})
    assert f'<html lang="{language}" dir="ltr">' in page.text
    assert ("Tout refuser" in page.text) is (language == "fr")


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("action", "ticked", "granted"),
    [("accept_all", [], {"analytics", "advertising"}), ("refuse_all", ["analytics"], set()),
     ("save", ["advertising"], {"advertising"}), ("save", [], set())],
)  # fmt: skip
def test_what_is_chosen_is_recorded(
    client: FlaskClient, services: Context, action: str, ticked: list[str], granted: set[str]
) -> None:
    page = choose(client, action, *ticked)
    assert page.status_code == 200
    (said,) = claims(services)
    assert (said["action"], said["method"], said["page"]) == (action, "form", "http://localhost/sites/shop/choice")
    assert said["grants"] == {key: key in granted for key in ("analytics", "advertising")}
    assert page.text.count('class="state granted"') == len(granted)
    assert page.text.count('class="state denied"') == 2 - len(granted)


def test_the_answer_leads_to_the_receipt(client: FlaskClient, services: Context) -> None:
    page = choose(client, "refuse_all", path=f"{PATH}?lang=fr")
    link = re.search(rf'href="{PUBLIC_URL}(/v1/receipts/[^"]+)"', page.text)
    assert link
    receipt = client.get(link[1], headers={"Accept": "text/html"})
    assert receipt.status_code == 200
    assert '<html lang="fr"' in receipt.text
    assert "Vous avez tout refusé" in unescape(receipt.text)
    assert "sub" not in claims(services)[0]


def test_elsewhere_no_cookie_is_set_and_the_page_says_so(client: FlaskClient) -> None:
    page = choose(client, "accept_all")
    assert "Set-Cookie" not in page.headers
    assert "not on the address of <bdi>Example Shop</bdi>" in page.text


def test_on_the_site_s_own_host_the_cookie_is_set_and_the_next_choice_is_a_change(
    browser: FlaskClient, services: Context
) -> None:
    referrer = {"Referer": f"{SHOP}/_consent{PATH}?lang=en"}
    page = choose(browser, "save", "analytics", headers=ON_SITE | referrer)
    assert "not on the address" not in page.text
    cookie = browser.get_cookie("eu-consent")
    assert cookie is not None
    kept = parse_qs(cookie.decoded_value)
    assert (kept["p.analytics"], kept["p.advertising"]) == (["1"], ["0"])
    assert choose(browser, "accept_all", headers=ON_SITE).status_code == 200
    assert choose(browser, "refuse_all", headers=ON_SITE).status_code == 200
    first, second, third = claims(services)
    assert first["page"] == f"{SHOP}/_consent{PATH}"
    assert [one["change"] for one in (first, second, third)] == [False, True, True]
    assert second["sub"] == first["sub"] == kept["i"][0].partition(".")[0]
    assert "sub" not in third
    last = browser.get_cookie("eu-consent")
    assert last is not None
    assert {"i", "s"} & parse_qs(last.decoded_value).keys() == set()


@pytest.mark.parametrize("cookie", ["", "i=x", "i=%00", "%ff", "v=1&i=01a20959-a77a-7518-936b-f2062a57b346"])
def test_a_cookie_that_is_not_ours_names_nobody(browser: FlaskClient, services: Context, cookie: str) -> None:
    browser.set_cookie("eu-consent", cookie)
    assert choose(browser, "accept_all", headers=ON_SITE).status_code == 200
    (said,) = claims(services)
    assert UUID(str(said["sub"])) != UUID("01a20959-a77a-7518-936b-f2062a57b346")


def test_below_the_domain_that_a_choice_is_kept_for_the_cookie_is_set(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(site_file(f'{TOP}cookie_domain = "shop.example"\n'))
    headers = {"Origin": "https://consent.shop.example", "Sec-Fetch-Site": "same-origin"}
    page = choose(client, "accept_all", headers=headers)
    assert any("Domain=shop.example" in one for one in page.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": "null"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}, {"Origin": SHOP, "Sec-Fetch-Site": "same-site"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"},
    ],
)  # fmt: skip
def test_a_form_of_another_page_is_refused(client: FlaskClient, services: Context, headers: dict[str, str]) -> None:
    refused = choose(client, "accept_all", headers=headers)
    assert refused.status_code == 403
    assert "Set-Cookie" not in refused.headers
    assert rows(services) == []


NO_REFERRER = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}


def test_under_a_policy_of_no_referrer_the_browser_still_says_whose_form_it_is(
    browser: FlaskClient, services: Context
) -> None:
    behind_a_proxy = {"base_url": f"{SHOP}/", "headers": NO_REFERRER}
    sent = fields(browser.get(PATH)) | {"action": "accept_all"}
    page = browser.post(PATH, data=sent, **behind_a_proxy)
    assert page.status_code == 200
    assert "not on the address" not in page.text
    kept = browser.get_cookie("eu-consent", domain="shop.example")
    assert kept is not None
    assert kept.secure
    assert claims(services)[0]["page"] == f"{SHOP}{PATH}"
    # On a host of the server's own the choice is recorded too, and the page says that it cannot be kept.
    elsewhere = choose(browser, "refuse_all", headers=NO_REFERRER)
    assert (elsewhere.status_code, "not on the address" in elsewhere.text) == (200, True)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, "from another site's page"),
        ({"Origin": "https://evil.example"}, "from another site's page"),
        ({"Origin": "null"}, "Referrer-Policy: no-referrer"), ({}, "Referrer-Policy: no-referrer"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong(client: FlaskClient, headers: dict[str, str], said: str) -> None:
    assert said in choose(client, "accept_all", headers=headers).get_json()["detail"]


def test_a_refused_form_is_counted_as_any_post(client: FlaskClient, services: Context) -> None:
    choose(client, "accept_all", headers={"Origin": "https://evil.example"})
    choose(client, "nothing")
    services[RefusedPosts].write()
    shop = find_site(services.database, "shop")
    assert refused_lately(services.database, shop, services.now()) == [
        ("foreign-origin", "https://evil.example", 1), ("malformed-body", PUBLIC_URL, 1),
    ]  # fmt: skip


def test_a_language_that_was_never_offered_loses_no_choice(client: FlaskClient, services: Context) -> None:
    sent = fields(client.get(PATH)) | {"action": "refuse_all", "language": "de"}
    page = client.post(PATH, data=sent, headers=OWN)
    assert (page.status_code, claims(services)[0]["language"]) == (200, "und")
    assert '<html lang="en"' in page.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"action": "withdraw"}, 400), ({"action": ""}, 400), ({"notice": "0" * 64}, 422), ({"notice": "\0"}, 422),
        ({"grant": "everything"}, 422), ({"form": "x" * 9000}, 413),
    ],
)  # fmt: skip
def test_what_the_page_would_not_send_is_refused(
    client: FlaskClient, services: Context, changes: dict[str, str], status: int
) -> None:
    sent = fields(client.get(PATH)) | {"action": "save"} | changes
    assert client.post(PATH, data=sent, headers=OWN).status_code == status
    assert rows(services) == []


def test_a_form_of_another_kind_and_an_unknown_site_are_refused(client: FlaskClient, services: Context) -> None:
    assert client.post(PATH, data=b"{}", content_type="text/plain", headers=OWN).status_code == 415
    assert client.get("/sites/nobody/choice").status_code == 404
    assert client.post("/sites/nobody/choice", headers=OWN).status_code == 404
    assert rows(services) == []


def test_a_form_sent_twice_is_one_decision_and_with_another_answer_another(
    client: FlaskClient, services: Context
) -> None:
    sent = fields(client.get(PATH))
    for action in ("refuse_all", "refuse_all", "accept_all"):
        assert client.post(PATH, data=sent | {"action": action}, headers=OWN).status_code == 200
    assert [said["action"] for said in claims(services)] == ["refuse_all", "accept_all"]


def test_the_signal_is_said_and_recorded(client: FlaskClient, services: Context) -> None:
    assert "Global Privacy Control" in client.get(PATH, headers={"Sec-GPC": "1"}).text
    choose(client, "save", "analytics", headers=OWN | {"Sec-GPC": "1"})
    assert claims(services)[0]["gpc"] is True


def test_a_superseded_notice_is_recorded_as_shown(client: FlaskClient, services: Context, apply_site: Apply) -> None:
    sent = fields(client.get(PATH)) | {"action": "refuse_all"}
    apply_site(site_file(f"{TOP}choice_days = 90\n"))
    assert client.post(PATH, data=sent, headers=OWN).status_code == 200
    assert claims(services)[0]["notice"] == sent["notice"]


OPENED = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}


def views(services: Context) -> int:
    with services.database.snapshot() as session:
        counts = tallies.read(session, sites.get(session, "shop").id, "day", "2026-01-01", "2027-01-01")
        return sum(count.events.get(CounterName(Measure.SHOWN), 0) for count in counts)


def test_a_view_is_counted_for_who_opens_the_page_and_for_nobody_elses_picture(
    client: FlaskClient, services: Context
) -> None:
    for headers in (
        {}, {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "script"}, {"Sec-Fetch-Dest": "Document"}, {"Sec-Fetch-Dest": "document, image"},
    ):  # fmt: skip
        assert client.get(PATH, headers=headers).status_code == 200
    assert client.head(PATH, headers=OPENED).status_code == 200
    assert client.get(f"{PATH}?lang=fr", headers=OPENED | {"Cookie": "eu-consent=v=1"}).status_code == 200
    assert views(services) == 0
    # From the site's own link, and from an address that somebody typed.
    for site in ("cross-site", "none"):
        assert client.get(PATH, headers=OPENED | {"Sec-Fetch-Site": site}).status_code == 200
    assert views(services) == 2


def test_views_of_one_network_are_counted_up_to_the_limit_and_the_page_is_shown_beyond(
    services: Context, notice: str
) -> None:
    settings = replace(services.settings, rate_limit="3 per minute")
    app = create_app(settings, now=services.now)
    client = app.test_client(use_cookies=False)
    for host in range(5):
        sent = {"REMOTE_ADDR": f"2001:db8:0:1::{host + 1}"}
        assert client.get(PATH, headers=OPENED, environ_overrides=sent).status_code == 200
    assert views(services) == 3
    app.extensions["consent"].database.engine.dispose()
