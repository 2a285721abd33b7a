"""The marketer's page of rates, and the reports that they share: what they say, without any script."""

import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.resources import ROOT
from consent_server.decisions.rules_receipt import RECEIPT_LINK
from consent_server.decisions.rules_tally import ROBOT, of_conversion
from consent_server.rates.rules import AGAIN_RATES, CONVERSIONS, GPC_RATES, GRANT_RATES
from consent_server.rates.rules import RATES as DEFINED
from consent_server.rates.words import amount, percent, points
from tests.support.factories import ADS, ANALYTICS, PUBLIC_URL, TOP, Body, Clock, site_file
from tests.support.people import CAST, HTML, Person
from tests.support.rates_page import RATES, a_day, api, count, drawn, end_days, shared, text_of, undefined
from tests.support.sites import Apply
from tests.support.visitor import post

DEFINITIONS = (ROOT / "docs" / "rates.md").read_text("utf-8")


@pytest.mark.usefixtures("counted")
def test_the_figures_are_those_of_the_interface(marketer: Person) -> None:
    query = "?from=2026-11-01&to=2026-11-20&by=day"
    page, said = marketer.open(RATES + query).text, api(marketer, query)
    words = text_of(page)
    for name in ("shown", "decisions", "accept_all", "refuse_all", "save", "granted", "no_choice"):
        assert f"{name} {amount(said['totals'][name])}" in words
    for rate in said["rates"].values():
        assert text_of(percent(rate["value"])) in words
        assert rate["formula"] in words
    interaction = said["rates"]["interaction"]
    assert f"{interaction['low'] * 100:.1f} to {interaction['high'] * 100:.1f} %" in words
    for vendor in said["vendors"].values():
        assert text_of(percent(vendor["reach"]["value"])) in words
    series = drawn(page)["series"]
    assert len(series["labels"]) == 20
    assert series["lines"][0]["values"] == [round(row["rates"]["consent"]["value"], 4) for row in said["rows"]]
    for row in said["rows"]:
        shown, day = amount(row["totals"]["shown"]), date.fromisoformat(row["key"])
        assert f"{day.day} Nov 2026 {shown} " in words
    for by in ("device", "language", "country"):
        assert {one["key"] for one in api(marketer, f"{query}&by={by}".replace("by=day&", ""))["rows"]}
    assert "google-ads" not in words  # people read names
    assert "Google Ads" in words


@pytest.mark.usefixtures("counted")
def test_the_links_to_the_data_keep_the_filters(marketer: Person, notice: str) -> None:
    page = marketer.open(f"{RATES}?from=2026-11-02&to=2026-11-15&by=week&notice={notice}").text
    links = [unescape(link) for link in re.findall(r'href="(/v1/sites/shop/rates[^"]+)"', page)]
    assert len(links) == 15
    for link in links:
        assert "from=2026-11-02&to=2026-11-15&by=" in link
        assert f"notice={notice}" in link
        assert marketer.browser.get(link).status_code == 200
    assert 'value="2026-11-02"' in page
    assert '<option value="week" selected>' in page
    assert f'<option value="{notice}" selected>' in page
    assert [row["key"] for row in api(marketer, "?from=2026-11-04&to=2026-11-15&by=week")["rows"]] == [
        "2026-11-02", "2026-11-09",
    ]  # fmt: skip


@pytest.mark.usefixtures("counted")
def test_beside_each_number_stands_its_definition(marketer: Person, client: FlaskClient) -> None:
    for page in (marketer.open(RATES).text, client.get(shared(marketer), headers=HTML).text):
        assert len(re.findall("<table", page)) == 14
        assert undefined(page) == []
        told = re.findall(r'href="/docs/rates#([\w-]+)"><code>([^<]+)</code>', page)
        parts = set(re.findall('id="([^"]+)"', client.get("/docs/rates").text))
        assert {part for part, _ in told} <= parts
        ratios = (*DEFINED.values(), *AGAIN_RATES.values(), *GPC_RATES.values(), *GRANT_RATES.values(), CONVERSIONS)
        formulas = {*map(str, ratios), "blocked"}
        assert {formula for part, formula in told if part == "rates"} == formulas
        (compared,) = re.findall('<section aria-labelledby="compared-title">.*?</section>', page, re.DOTALL)
        assert all("<code>" in row for row in re.findall('<th scope="row".*?</th>', compared))


@pytest.mark.usefixtures("counted")
def test_small_groups_point_at_nobody(marketer: Person) -> None:
    words = text_of(marketer.open(RATES).text)
    assert "Malta" not in words
    assert "Others are merged so that no group under 10 can be told." in words
    assert "France" in words
    # On the last day it is merged, or Malta would be told.
    shown = {row["key"]: row["totals"]["shown"] for row in api(marketer, "?by=country")["rows"]}
    assert (shown["IE"], shown["other"]) == (27 * 60, 60 + 3)


def test_the_page_claims_no_more_than_was_counted(marketer: Person, services: Context, notice: str) -> None:
    day = "2026-11-23"
    count(services, notice, day, a_day(90, 40, 20) | {of_conversion("google-ads", False): 2, ROBOT: 3})
    words = text_of(marketer.open(RATES).text)
    assert "3 views and choices by robots, and 0 prefetches" in words
    assert "Views and choices by robots robots 3" in words
    assert "Conversions are calls of the site that were told to the vendor" in words
    assert "It is no share of visits" in words
    assert "the share of banners shown that ended with the vendor allowed" in words


def test_before_anything_was_shown(marketer: Person) -> None:
    page = marketer.open(RATES)
    assert page.status_code == 200
    assert "Nothing was counted yet" in page.text
    assert f"&lt;script async src=&#34;{PUBLIC_URL}/widget/shop.js&#34;&gt;&lt;/script&gt;" in page.text
    assert "data-chart" not in page.text


def test_before_anybody_chose(marketer: Person, client: FlaskClient, services: Context, notice: str) -> None:
    assert post(client, {"notice": notice, "language": "en"}, path="shown").status_code == 204
    end_days(services)
    words = text_of(marketer.open(RATES).text)
    assert "The banner was shown once, and nobody has chosen yet." in words
    assert "No choice of banners shown 100.0" in words


def test_with_few_choices_it_says_so(
    marketer: Person, client: FlaskClient, services: Context, notice: str, body: Body
) -> None:
    for _ in range(3):
        post(client, {"notice": notice, "language": "en"}, path="shown")
        post(client, body())
    end_days(services)
    words = text_of(marketer.open(RATES).text)
    assert "3 first choices so far: the intervals are wide" in words
    assert "Fewer than 10 in each" in words


@pytest.mark.usefixtures("counted")
def test_days_without_a_count(marketer: Person) -> None:
    page = marketer.open(f"{RATES}?from=2025-01-01&to=2025-01-02")
    assert "Nothing was counted in these days" in page.text
    assert "29 Sep 2026" in page.text


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("from=x", "Must be a day"), ("from=2026-11-02&to=2026-11-01", "Must not be before"),
        ("by=language", "day, week"), ("by=hour&from=2026-01-01&to=2026-03-01", "at most 31 days"),
        ("notice=abc", "64"), ("colour=red", "colour"),
        ("compare_to=2026-11-01&compare_from=2026-11-02", "Must not be before"), ("compare_from=x", "Must be a day"),
        ("from=2026-11-02&compare_from=2026-11-01&to=2026-11-03", "must not overlap"),
        ("compare_from=2020-01-01&compare_to=2026-01-01", "at most 1100 days"),
        (f"notice={'0' * 64}", "No notice of this site"), ("from=2020-01-01", "at most 1100 days"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_beside_its_field(marketer: Person, query: str, fault: str) -> None:
    page = marketer.open(f"{RATES}?{query}")
    assert page.status_code == 400
    assert fault in unescape(page.text)
    assert 'class="fault' in page.text


def test_a_drop_that_begins_with_a_notice_is_told(
    app: Flask, services: Context, apply_site: Apply, notice: str, clock: Clock
) -> None:
    clock.advance(days=14)
    new, begins = apply_site(site_file(vendors=f"{ANALYTICS}{ADS}")), clock().date()
    clock.advance(days=7)
    for ago in range(1, 22):
        day = clock().date() - timedelta(days=ago)
        later = day >= begins
        count(services, new if later else notice, day.isoformat(), a_day(200, 60, 80) if later else a_day(200, 90, 50))
    marketer = Person(app, "max")
    marketer.accept(marketer.invited(*CAST["max"]))
    page = marketer.open(RATES).text
    words = text_of(page)
    assert re.search(r"Consent rate 21\.4 points lower since “[^”]+” \(7 Dec 2026\)\.", words)
    assert "Consent rate: −21.4 points" in words
    assert "Interaction rate: −" not in words
    drops = {one["rate"]: one for one in api(marketer)["drops"]}
    assert set(drops) == {"consent", "opt_in"}
    assert (drops["consent"]["notice"], drops["consent"]["day"]) == (new, "2026-12-07")
    assert f"{points(drops['consent']['change']['value'])} points" in words
    assert api(marketer, f"?notice={new}")["drops"] == []
    marks = drawn(page)["series"]["marks"]
    assert [drawn(page)["series"]["labels"][mark["at"]] for mark in marks] == ["23 Nov", "7 Dec"]
    assert f'href="{RATES}/notice?notice={new}"' in page
    assert "lower since" not in marketer.open(f"{RATES}?notice={new}").text


def test_nothing_that_is_shown_is_markup(marketer: Person, services: Context, apply_site: Apply) -> None:
    script = "</script><script>alert(1)</script>"
    notice = apply_site(site_file().replace("Example Shop", script))
    count(services, notice, "2026-11-23", a_day(500, 200, 100), country="<b")
    for path in (RATES, f"{RATES}?from={script}", f"{RATES}?by={script}", f"{RATES}?{script}=1"):
        page = marketer.open(path)
        assert page.status_code in (200, 400)
        assert "&lt;script&gt;" in page.text
        assert "<script>alert" not in page.text
    assert '<th scope="row">&lt;b</th>' in marketer.open(RATES).text


# Reports


@pytest.mark.usefixtures("counted")
def test_a_report_shows_the_same_to_whoever_has_its_link(marketer: Person, client: FlaskClient) -> None:
    path, own = shared(marketer), marketer.open(RATES).text
    report = client.get(path, headers=HTML)
    assert report.status_code == 200
    assert drawn(report.text) == drawn(own)
    for section in ("funnel-title", "vendors-title", "compared-title", "counts-title"):
        same = [
            re.search(f'<section aria-labelledby="{section}">.*?</section>', page, re.DOTALL)
            for page in (report.text, own)
        ]
        assert same[0]
        assert same[1]
        assert same[0][0] == same[1][0]
    for way_in in ('"/console', '"/sign-', "/v1/sites/", "<form"):
        assert way_in not in report.text
    assert '<meta name="robots" content="noindex">' in report.text
    assert report.headers["X-Robots-Tag"] == "noindex"
    assert report.headers["Cache-Control"] == "private, no-store"
    assert "script-src 'self'" in report.headers["Content-Security-Policy"]
    assert report.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in report.headers
    assert "Shared until 23 Dec 2026, 17:00 UTC." in text_of(report.text)


@pytest.mark.usefixtures("counted")
def test_a_report_shows_its_own_days_and_no_others(marketer: Person, client: FlaskClient, clock: Clock) -> None:
    fixed, moving = shared(marketer), shared(marketer, days="latest")
    clock.advance(days=2)
    for path, days in ((fixed, "27 Oct 2026 to 23 Nov 2026"), (moving, "29 Oct 2026 to 25 Nov 2026")):
        for query in ("", "?from=2026-10-01&to=2026-11-01&notice=x"):
            assert days in text_of(client.get(path + query, headers=HTML).text)


def test_a_report_ends(marketer: Person, client: FlaskClient, clock: Clock) -> None:
    path = link(marketer)
    clock.advance(days=7, seconds=-1)
    assert client.get(path).status_code == 200
    clock.advance(seconds=1)
    ended = client.get(path, headers=HTML)
    assert ended.status_code == 410
    assert "Ask whoever sent it for a new link" in ended.text
    for way_in in ('"/console', '"/sign-'):
        assert way_in not in ended.text
    assert client.get(path).get_json()["type"] == "/problems/expired-report"


def link(marketer: Person) -> str:
    """A link made at a page that shows nothing yet."""
    form = re.search(r'name="form_token" value="([\w-]+)"', marketer.open("/console").text)
    assert form
    sent = {"form_token": form[1], "days": "latest", "lifetime": "7"}
    made = marketer.browser.post(f"{RATES}/link", data=sent, headers=HTML)
    found = re.search(r'readonly value="https://consent\.example(/reports/[^"]+)"', made.text)
    assert found
    return found[1]


def test_a_link_is_of_this_server_and_of_this_purpose(
    marketer: Person, client: FlaskClient, services: Context, clock: Clock
) -> None:
    path = link(marketer)
    receipt_link = services.signer(RECEIPT_LINK).sign("x")
    for wrong in (path[:-1], f"{path}x", path.replace(".", "", 1), f"/reports/{receipt_link}", "/reports/x.y.z"):
        refused = client.get(wrong, headers=HTML)
        assert refused.status_code == 404, wrong
        assert "Copy the whole link again" in refused.text
        assert "/console" not in refused.text
    for key, status in ((services.settings.secret_key, 200), ("another secret of thirty-two characters", 404)):
        other = create_app(replace(services.settings, secret_key=key), now=clock)
        assert other.test_client().get(path).status_code == status
        other.extensions["consent"].database.engine.dispose()


@pytest.mark.parametrize(
    "fields",
    [{"lifetime": "3650"}, {"lifetime": ""}, {"days": "all"}, {"from": "x"}, {"by": "language"}, {"notice": "x"}],
)
def test_only_what_the_form_offers_is_shared(marketer: Person, fields: dict[str, str]) -> None:
    sent = {"days": "these", "lifetime": "30", **fields}
    assert marketer.send(f"{RATES}/link", sent, at="/console").status_code == 400


def test_days_are_the_sites_own(marketer: Person, apply_site: Apply, clock: Clock) -> None:
    apply_site(site_file(f'{TOP}time_zone = "Asia/Kolkata"\n'))
    clock.advance(hours=3)
    assert "to 24 Nov 2026 · Days of Asia/Kolkata" in text_of(marketer.open(RATES).text)


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 24), ("2026-03-29", 23), ("2026-11-23", 24)])
def test_the_axis_has_the_hours_of_the_sites_clock(
    marketer: Person, services: Context, apply_site: Apply, day: str, hours: int
) -> None:
    notice = apply_site(site_file(f'{TOP}time_zone = "Europe/Paris"\n'))
    count(services, notice, day, a_day(90, 40, 20))
    series = drawn(marketer.open(f"{RATES}?by=hour&from={day}&to={day}").text)["counts"]
    assert len(series["labels"]) == len(set(series["labels"])) == hours
    # An hour that is to come, or told with another, has no count, and so none of 0.
    assert [count for count in series["lines"][0]["values"] if count is not None] == [90]


def test_the_definitions_are_a_page(client: FlaskClient) -> None:
    page = client.get("/docs/rates").text
    assert page.count("<h2") == len(re.findall("^## ", DEFINITIONS, re.MULTILINE))
    assert page.count("<tr>") == len(re.findall("^[|] ", DEFINITIONS, re.MULTILINE))
    words = text_of(page)
    for formula in (
        *DEFINED.values(),
        *AGAIN_RATES.values(),
        *GPC_RATES.values(),
        *GRANT_RATES.values(),
        "( p + z²/2n ± z·√( p(1−p)/n + z²/4n² ) ) / ( 1 + z²/n )",
    ):
        assert str(formula) in words
    for mark in ("**", "](", "`", "|--"):
        assert mark not in words
