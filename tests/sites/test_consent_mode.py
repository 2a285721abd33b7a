"""Consent Mode in a site file: what the widget is told, what the notice says, and what nobody can ask for."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.sites.configure_widget import revision
from consent_server.sites.rules_signals import CONSENT_TYPES
from tests.support.factories import META, TOP, notice_of, site_file
from tests.support.sites import Apply, faults
from tests.support.visitor import config

ADVANCED = 'mode = "advanced"\n'
GRANTED = (
    '[[consent_mode.defaults]]\nregion = ["US-CA", "US-VA"]\nanalytics_storage = "granted"\nad_storage = "denied"\n'
)


def with_mode(text: str, top: str = "") -> str:
    return site_file(f"{TOP}{top}{text}")


DENIED = {kind: "denied" for kind in CONSENT_TYPES} | {"security_storage": "granted"}
RIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": (with_mode(""), {}),
    "signals": (with_mode("", "signals = true\n"), {}),
    "no signals": (with_mode('[consent_mode]\nlayer = "myLayer"\n', "signals = false\n"),
                   {"signals": False, "layer": "myLayer"}),
    "switches": (with_mode("[consent_mode]\nurl_passthrough = true\nads_data_redaction = false\n"),
                 {"calls": [["set", "url_passthrough", True], ["set", "ads_data_redaction", False]]}),
    "advanced": (with_mode("", ADVANCED), {"calls": [["set", "ads_data_redaction", True]]}),
    "denied in a region": (with_mode('[[consent_mode.defaults]]\nregion = ["FR"]\nad_storage = "denied"\n'),
                           {"calls": [["consent", "default", DENIED | {"region": ["FR"]}]]}),
    "granted in a region": (
        with_mode(GRANTED, ADVANCED),
        {"calls": [
            ["consent", "default", DENIED | {
                "wait_for_update": 500, "region": ["US-CA", "US-VA"], "analytics_storage": "granted",
            }],
            ["set", "ads_data_redaction", True],
        ]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), RIGHT.values(), ids=RIGHT)
def test_the_widget_is_told_what_the_file_says(
    client: FlaskClient, apply_site: Apply, text: str, told: dict[str, Any]
) -> None:
    apply_site(text)
    assert config(client.get("/widget/shop.js").text).get("google", {}) == told


def test_a_site_without_google_is_told_nothing_of_it(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(site_file(f"{TOP}signals = false\n", vendors=META))
    assert "google" not in config(client.get("/widget/shop.js").text)


def region(*codes: str, more: str = 'ad_storage = "denied"\n') -> str:
    return f"[[consent_mode.defaults]]\nregion = {json.dumps(codes)}\n{more}"


WRONG: list[tuple[str, str, str]] = [
    (with_mode("", 'signals = "no"\n'), "signals", "true or false"),
    (with_mode("", ADVANCED + "signals = false\n"), "signals", "advanced"),
    (with_mode("[consent_mode]\nurl_passthrough = true\n", "signals = false\n"),
     "consent_mode.url_passthrough", "signals"),
    (with_mode(region("US"), "signals = false\n"), "consent_mode.defaults", "signals"),
    (with_mode("[consent_mode]\nurl_passthrough = 1\n"), "consent_mode.url_passthrough", "true or false"),
    (with_mode("[consent_mode]\nwait = 1\n"), "consent_mode.wait", "is not known"),
    *((with_mode(f'[consent_mode]\nlayer = "{name}"\n'), "consent_mode.layer", name)
      for name in ("dataLayer", "1a", "a b", "a-b", "a;alert(1)")),
    (with_mode('[consent_mode]\nlayer = "a\\n"\n'), "consent_mode.layer", ""),
    (with_mode(GRANTED), "consent_mode.defaults[0]", '"basic"'),
    *((with_mode(GRANTED.replace("US-VA", place), ADVANCED), "consent_mode.defaults[0].region[1]", "(ask-first)")
      for place in ("FR", "DE-BY", "NO", "GB", "GB-ENG")),
    (with_mode(region("UK")), "consent_mode.defaults[0].region[0]", '"UK"'),
    (with_mode(region("EU")), "consent_mode.defaults[0].region[0]", '"EU"'),
    (with_mode(region("us-ca")), "consent_mode.defaults[0].region[0]", "us-ca"),
    (with_mode(region("US", "US")), "consent_mode.defaults[0].region[1]", "twice"),
    (with_mode(region("US") + region("BR", "US")), "consent_mode.defaults[1].region[1]", "twice"),
    (with_mode(region()), "consent_mode.defaults[0].region", ""),
    (with_mode(region("US", more="")), "consent_mode.defaults[0]", "grants and denies nothing"),
    (with_mode(region("US", more='ad_storage = true\n')), "consent_mode.defaults[0].ad_storage", ""),
    (with_mode(region("US", more='ad_storage = "maybe"\n')), "consent_mode.defaults[0].ad_storage", "maybe"),
    (with_mode(region("US", more='ads = "denied"\n')), "consent_mode.defaults[0].ads", "is not known"),
    (with_mode('[[consent_mode.defaults]]\nad_storage = "denied"\n'), "consent_mode.defaults[0].region", "is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "says"), WRONG, ids=[f"{n}-{case[1]}" for n, case in enumerate(WRONG)])
def test_what_cannot_be_is_refused_at_its_place(text: str, place: str, says: str) -> None:
    found = faults(text)
    assert place in found, found
    assert says in found[place]


def test_a_grant_before_a_choice_is_part_of_the_notice_and_of_the_question() -> None:
    plain, granted = notice_of(with_mode("", ADVANCED)), notice_of(with_mode(GRANTED, ADVANCED))
    assert granted.body["regional_grants"] == [{"region": ["US-CA", "US-VA"], "types": ["analytics_storage"]}]
    assert "regional_grants" not in plain.body
    assert revision(plain.body) != revision(granted.body)


def test_what_no_visitor_is_allowed_by_makes_no_notice() -> None:
    plain = notice_of(site_file())
    for text in (RIGHT["no signals"][0], RIGHT["switches"][0], RIGHT["denied in a region"][0]):
        assert notice_of(text).hash == plain.hash


@pytest.mark.parametrize("language", ["en", "fr"])
def test_visitors_can_read_it(client: FlaskClient, apply_site: Apply, language: str) -> None:
    notice = apply_site(with_mode(GRANTED, ADVANCED))
    for path in (f"/v1/notices/{notice}?format=html&", "/sites/shop/declaration?format=html&"):
        assert "US-CA, US-VA" in client.get(f"{path}lang={language}").text
        assert "analytics_storage" in client.get(f"{path}lang={language}").text
    facts = client.get("/sites/shop/declaration?format=json").get_json()
    assert facts["regional_grants"] == [{"region": ["US-CA", "US-VA"], "types": ["analytics_storage"]}]
