"""What a site declares: the page, the JSON and the elements say what the notice says, in each language."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.sites import catalogue
from tests.support.factories import CALLBELL, PUBLIC_URL, TOP, TYPEFORM, VENDORS, Clock, site_file
from tests.support.sites import Apply

PATH = "/sites/callbell/declaration"


@pytest.fixture
def callbell(apply_site: Apply) -> str:
    """The notice of the example site."""
    return apply_site(CALLBELL.read_text("utf-8"))


@pytest.fixture
def facts(client: FlaskClient, callbell: str) -> dict[str, Any]:
    """The declaration for programs."""
    found: dict[str, Any] = json.loads(client.get(f"{PATH}?format=json&lang=en").data)
    return found


def test_it_says_what_the_notice_says(client: FlaskClient, callbell: str, facts: dict[str, Any]) -> None:
    notice = json.loads(client.get(f"/v1/notices/{callbell}").data)
    assert facts["notice"] == callbell
    for member in ("site", "name", "languages", "mode", "controller", "dpo", "authority", "policy"):
        assert facts[member] == notice[member], member
    assert [one["key"] for one in facts["purposes"]] == [one["key"] for one in notice["purposes"]]
    for told, vendor in zip(facts["vendors"], notice["vendors"], strict=True):
        assert {key: told[key] for key in vendor if key != "cookies"} == {
            key: value for key, value in vendor.items() if key != "cookies"
        }
        assert [cookie["name"] for cookie in told["cookies"]] == [cookie["name"] for cookie in vendor["cookies"]]
    (analytics,) = (one for one in facts["vendors"] if one["key"] == "google-analytics")
    assert analytics["words"]["declared"].endswith(
        "Google Inc, 1600 Amphitheatre Pkwy, Mountain View, CA 94043-1501, USA"
    )
    assert analytics["cookies"][0]["words"] == {
        "storage": "Cookie",
        "lifetime": "2 years",
        "purpose": "Recognises your browser on a later visit",
    }
    assert (facts["retention"], facts["rights"]["reply"]) == ({"choice": "P180D", "record": "P3Y"}, "P30D")
    assert facts["necessary"][0] == {"name": "eu-consent", "storage": "cookie", "lifetime": 180 * 86_400}


def test_every_recipient_of_the_real_declaration_is_named(facts: dict[str, Any]) -> None:
    tags = {"Google Analytics", "Google Tag Manager", "Google Ads", "Meta pixel", "Brevo", "Sentry", "Drift", "Zendesk",
            "Typeform", "Livestorm"}  # fmt: skip
    others = {"WhatsApp", "Facebook Messenger", "Instagram", "Telegram", "Gupshup", "Twilio", "Amazon Web Services",
              "Cloudflare", "Google Cloud", "DigitalOcean", "Stripe"}  # fmt: skip
    assert {one["name"] for one in facts["vendors"]} == tags
    assert {one["name"] for one in facts["recipients"]} == others


@pytest.mark.parametrize("language", ["en", "fr", "es", "it"])
def test_the_page_is_whole_in_each_language(client: FlaskClient, callbell: str, language: str) -> None:
    page = client.get(f"{PATH}?lang={language}")
    assert page.mimetype == "text/html"
    assert page.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in page.text
    texts = catalogue.locales()[language]["declaration"]
    for key in ("title", "who", "purposes_text", "recipients", "retention", "right_complain", "history", "first"):
        assert texts[key] in page.text, key
    assert "{" not in page.text
    # Twice: under what was shown, and in the link to it.
    assert f"/v1/notices/{callbell}?format=html" in page.text


def test_the_language_is_asked_for_or_the_browser_s(client: FlaskClient, callbell: str) -> None:
    asked = client.get(PATH, headers={"Accept-Language": "it-IT,it;q=0.9"})
    assert asked.headers["Content-Language"] == "it"
    assert {"Accept", "Accept-Language"} <= set(asked.headers["Vary"].split(", "))
    assert client.get(f"{PATH}?lang=es", headers={"Accept-Language": "it"}).headers["Content-Language"] == "es"


def test_accept_decides_where_no_format_is_asked_for(client: FlaskClient, callbell: str) -> None:
    assert client.get(PATH, headers={"Accept": "application/json"}).is_json
    assert client.get(PATH, headers={"Accept": "*/*"}).mimetype == "text/html"
    assert client.get(f"{PATH}?format=html", headers={"Accept": "application/json"}).mimetype == "text/html"


def test_the_elements_are_the_body_of_the_page_with_addresses_that_hold_elsewhere(
    client: FlaskClient, callbell: str
) -> None:
    answer = client.get(f"{PATH}?format=elements&lang=fr")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found = answer.json
    assert found is not None
    assert (found["language"], found["direction"]) == ("fr", "ltr")
    assert {name for name, _, _ in found["elements"]} == {"section"}
    links: list[str] = []

    def collect(made: Any) -> None:
        if not isinstance(made, str):
            links.extend([made[1]["href"]] if made[0] == "a" else [])
            for child in made[2]:
                collect(child)

    for section in found["elements"]:
        collect(section)
    assert f"{PUBLIC_URL}/sites/callbell/choice?lang=fr" in links
    assert [link for link in links if not link.startswith(("https://", "mailto:"))] == []


@pytest.mark.parametrize(("mode", "key"), [("basic", "purposes_text"), ("advanced", "purposes_text_advanced")])
def test_it_says_what_loads_before_a_choice(client: FlaskClient, apply_site: Apply, mode: str, key: str) -> None:
    apply_site(site_file(f'{TOP}mode = "{mode}"\n'))
    texts = catalogue.locales()["en"]["declaration"]
    page = client.get("/sites/shop/declaration?lang=en").text
    assert {one for one in ("purposes_text", "purposes_text_advanced") if texts[one] in page} == {key}


@pytest.mark.parametrize(("sample", "tells"), [(50, True), (1, True), (0, False)])
def test_it_tells_of_the_sample_of_page_loads_where_that_is_on(
    client: FlaskClient, apply_site: Apply, sample: int, tells: bool
) -> None:
    apply_site(site_file(f"{TOP}[statistics]\nsample = {sample}\n"))
    facts = client.get("/sites/shop/declaration?format=json").json
    assert facts is not None
    assert facts["sample"] == sample
    told = catalogue.locales()["en"]["declaration"]["sample"].format(n=sample)
    assert (told in client.get("/sites/shop/declaration?lang=en").text) is tells


def test_a_version_keeps_its_order_among_words_from_right_to_left(client: FlaskClient, apply_site: Apply) -> None:
    # Arabic letters before "2026-01-01" would have it read "01-01-2026".
    apply_site(site_file(TOP.replace('"fr"]', '"fr", "ar"]')))
    facts = client.get("/sites/shop/declaration?format=json&lang=ar").json
    assert facts is not None
    page = client.get("/sites/shop/declaration?lang=ar").text
    assert f"<bdi>{facts['policy']['privacy']['version']}</bdi>" in page
    assert f"<bdi>{facts['controller']['name']}</bdi>" in page


def test_each_version_says_what_it_changed(client: FlaskClient, apply_site: Apply, clock: Clock) -> None:
    first = apply_site(site_file())
    clock.advance(days=7)
    second = apply_site(site_file(f"{TOP}choice_days = 90\n", vendors=VENDORS + TYPEFORM))
    clock.advance(days=2)
    assert apply_site(site_file()) == first
    found = client.get("/sites/shop/declaration?format=json&lang=fr").json
    assert found is not None
    days = {"what": "choice_days", "names": []}
    assert found["history"] == [
        {
            "notice": first,
            "since": "2026-12-02T17:00:00.250Z",
            "changes": [
                {"what": "purposes_removed", "names": ["Vidéos, cartes et formulaires"]},
                {"what": "vendors_removed", "names": ["Typeform"]},
                days,
            ],
        },
        {
            "notice": second,
            "since": "2026-11-30T17:00:00.250Z",
            "changes": [
                {"what": "purposes_added", "names": ["Vidéos, cartes et formulaires"]},
                {"what": "vendors_added", "names": ["Typeform"]},
                days,
            ],
        },
        {"notice": first, "since": "2026-11-23T17:00:00.250Z", "changes": []},
    ]
    page = client.get("/sites/shop/declaration?lang=fr").text
    texts = catalogue.locales()["fr"]["declaration"]
    assert texts["change_vendors_added"].format(names="Typeform") in page
    assert texts["first"] in page


def test_what_is_not_there_is_refused(client: FlaskClient, callbell: str) -> None:
    assert client.get("/sites/nobody/declaration").status_code == 404
    refused = client.get(f"{PATH}?format=pdf")
    assert refused.status_code == 400
    assert refused.json is not None
    assert refused.json["errors"] == [{"pointer": "#/format", "detail": "Must be one of html, json, elements."}]


def test_it_is_cached_until_something_changes(client: FlaskClient, callbell: str, apply_site: Apply) -> None:
    first = client.get(f"{PATH}?lang=en")
    again = client.get(f"{PATH}?lang=en", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    apply_site(CALLBELL.read_text("utf-8").replace("choice_days = 180", "choice_days = 150"))
    assert client.get(f"{PATH}?lang=en", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_script_of_the_element_is_served_as_the_tag_is(client: FlaskClient, callbell: str) -> None:
    script = client.get("/widget/callbell/declaration.js", headers={"Accept-Encoding": "br"})
    assert script.content_type == "text/javascript; charset=utf-8"
    assert script.headers["Content-Encoding"] == "br"
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(script.data) < 500
    assert client.get("/widget/nobody/declaration.js").status_code == 404


def test_what_a_site_file_says_is_text_and_never_markup(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(site_file(TOP.replace("Example Shop", "<b>Shop</b>")))
    assert "<b>Shop</b>" not in client.get("/sites/shop/declaration").text
