"""Which rule holds in which place, and what a site shows there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.canonical import encode
from consent_server.core.hashes import sha256_hex
from consent_server.core.resources import ROOT
from consent_server.sites import catalogue
from consent_server.sites.publish import notice_body
from consent_server.sites.rules_notice import Asks
from consent_server.sites.rules_places import COUNTRIES, REGIONS, UNKNOWN, Place, Rule, parse_place
from consent_server.sites.rules_regions import Region, region_of
from consent_server.sites.site_file import read_site_file
from tests.support.factories import META, TABLES, TOP, site_file
from tests.support.regions import MATOMO, WORLD, shown_in
from tests.support.sites import faults

SITE = tuple(
    Region(key, rule, places)
    for key, rule, places in (
        ("group", Rule.OPT_IN, ("EEA",)),
        ("part", Rule.NOTICE, ("US-UT",)),
        ("country", Rule.OPT_OUT, ("US", "FR")),
        ("elsewhere", Rule.NONE, ("*",)),
    )
)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("US-UT", "part"), ("US-CA", "country"), ("US", "country"), ("US-??", "country"), ("FR", "country"),
        ("DE", "group"), ("JP", "elsewhere"), ("CA-QC", "elsewhere"),
        (None, None), ("XX", None), ("T1", None), ("EU", None), ("a, b", None),
    ],
)  # fmt: skip
def test_a_part_goes_before_its_country_and_that_before_a_group(said: str | None, key: str | None) -> None:
    region = region_of(SITE, parse_place(said))
    assert (region.key if region else None) == key


def test_every_code_resolves_to_exactly_one_region() -> None:
    codes = [*COUNTRIES, *(f"{country}-{part}" for country, parts in REGIONS.items() for part in parts)]
    for code in codes:
        place = parse_place(code)
        found = region_of(SITE, place)
        assert found is not None, code
        without = [region for region in SITE if region is not found]
        assert found in [region for region in SITE if region_of([region], place)], code
        assert region_of(without, place) is not found


@given(st.permutations(SITE), st.sampled_from(sorted(COUNTRIES)))
def test_the_order_of_regions_says_nothing_where_no_code_stands_twice(order: list[Region], country: str) -> None:
    assert region_of(order, Place(country)) == region_of(SITE, Place(country))


@given(st.permutations(SITE))
def test_an_unknown_place_is_in_no_region(order: list[Region]) -> None:
    assert region_of(order, UNKNOWN) is None


def test_a_place_that_no_region_names_is_asked_first() -> None:
    assert region_of(SITE[:3], Place("JP")) is None


def test_regions_change_nothing_of_the_site_s_own_notice() -> None:
    own = encode(notice_body(read_site_file(site_file(vendors=MATOMO + META))))
    assert encode(notice_body(read_site_file(WORLD))) == own
    assert shown_in("europe").hash == sha256_hex(own)


@pytest.mark.parametrize(
    ("key", "before", "asks"),
    [
        ("europe", set(), Asks.CHOICE), ("britain", {"analytics"}, Asks.CHOICE),
        ("america", {"analytics", "advertising"}, Asks.NOTHING), ("utah", {"analytics", "advertising"}, Asks.TOLD),
        ("elsewhere", {"analytics", "advertising"}, Asks.NOTHING),
    ],
)  # fmt: skip
def test_what_runs_before_a_choice_says_what_is_asked(key: str, before: set[str], asks: Asks) -> None:
    notice = shown_in(key)
    assert notice.on_before == before
    assert notice.asks is asks


def test_a_purpose_by_objection_grants_no_type_of_consent_mode() -> None:
    signals = {purpose["key"]: purpose["signals"] for purpose in shown_in("britain").body["purposes"]}
    assert signals["analytics"] == []
    assert "ad_storage" in signals["advertising"]


def test_a_notice_names_no_place_so_that_no_receipt_does() -> None:
    text = WORLD.replace('places = ["GB"]', 'places = ["GB", "FR"]')
    assert shown_in("britain", text).hash == shown_in("britain").hash


def test_the_link_has_the_words_of_the_place_or_the_site_s_own() -> None:
    said = {key: shown_in(key).body["texts"] for key in ("america", "utah", "elsewhere")}
    assert [said["america"][language]["banner"]["reopen"] for language in ("en", "fr")] == ["Your Privacy Choices"] * 2
    assert said["utah"]["en"]["banner"]["reopen"] == "Privacy"
    assert said["elsewhere"]["en"]["banner"]["reopen"] == "Cookie settings"


@pytest.mark.parametrize("language", sorted(catalogue.locales()))
def test_what_runs_without_consent_is_told_right_behind_what_is_asked_for(language: str) -> None:
    text = WORLD.replace('["en", "fr"]', f'["{language}"]').replace("[regions.texts.en]", f"[regions.texts.{language}]")
    locale, banner = catalogue.locales()[language], shown_in("britain", text).body["texts"][language]["banner"]
    question, _, rest = banner["intro"].partition(locale["purposes"]["analytics"]["phrase"])
    assert locale["purposes"]["advertising"]["phrase"] in question
    # Of the question, no more than its first sentence stands before it.
    assert locale["rules"]["without_consent"].partition("{")[0].strip() in question
    assert len(rest) > len(locale["purposes"]["analytics"]["phrase"])


def region(rule: str = "opt-in", places: str = '"GB"', more: str = "") -> str:
    return f'[[regions]]\nkey = "one"\nplaces = [{places}]\nrule = "{rule}"\n{more}'


BASIS = '[regions.purposes.analytics]\nbasis = "objection"\n'
GOOGLE = '[[vendors]]\nkey = "google-analytics"\nid = "G-ABCD123456"\n'
AUDIENCE = GOOGLE.replace("[[vendors]]", '[[vendors]]\npurposes = ["analytics", "functional"]')


@pytest.mark.parametrize(
    ("text", "place", "detail"),
    [
        (region(places='"GB", "GB"'), "regions[0].places[1]", "stands in regions[0] already"),
        (region(places='"UK"'), "regions[0].places[0]", "is no country"),
        (region(places='"US-ZZ"'), "regions[0].places[0]", "is no country"),
        (region(rule="ask"), "regions[0].rule", "is not one of"),
        (region() + region().replace('"GB"', '"FR"'), "regions[1].key", "appears twice"),
        (region(more='[regions.texts.de]\nlink = "Cookies"\n'), "regions[0].texts.de", "is not one of languages"),
        (region(rule="opt-out", more=BASIS), "regions[0].purposes.analytics.basis", 'is for the rule "opt-in"'),
        (region(more=BASIS.replace("analytics", "media")), "regions[0].purposes.media", "no vendor"),
        (region(more=BASIS.replace("analytics", "advertising")), "regions[0].purposes.advertising.basis", "never for"),
    ],
)  # fmt: skip
def test_a_wrong_region_is_refused_with_its_place(text: str, place: str, detail: str) -> None:
    assert detail in faults(site_file(vendors=MATOMO + META) + text)[place]


@pytest.mark.parametrize(("vendor", "detail"), [(GOOGLE, "own products"), (AUDIENCE, "own products")])
def test_a_vendor_that_cannot_meet_the_conditions_is_refused_with_the_reason(vendor: str, detail: str) -> None:
    found = faults(site_file(vendors=vendor) + region(more=BASIS))
    assert detail in found["regions[0].purposes.analytics.basis"]


def test_a_vendor_of_other_purposes_too_is_refused() -> None:
    vendor = MATOMO.replace("[[vendors]]", '[[vendors]]\npurposes = ["analytics", "functional"]')
    found = faults(site_file(TOP, TABLES, vendor) + region(more=BASIS))
    assert "has other purposes too" in found["regions[0].purposes.analytics.basis"]


def test_the_site_file_of_the_page_is_taken() -> None:
    page = (ROOT / "docs" / "regions.md").read_text("utf-8")
    block = page.partition("```toml\n")[2].partition("```")[0]
    assert faults(site_file(vendors=MATOMO + META) + block) == {}
    assert {rule.value for rule in Rule} == set(re.findall(r'rule = "([a-z-]+)"', block))
