"""The table of places, and the place that a proxy names."""

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from consent_server.sites import catalogue
from consent_server.sites.commands import place
from consent_server.sites.rules_places import (
    COUNTRIES,
    EU,
    GROUPS,
    REGIONS,
    UNKNOWN,
    Place,
    Rule,
    covers,
    is_code,
    members,
    parse_place,
)

LINES = (Path(__file__).parents[1] / "data" / "iso-3166.txt").read_text("utf-8").splitlines()
CODES = " ".join(line for line in LINES if not line.startswith("#")).split()
TABLE = catalogue.places()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(place, arguments)


def test_the_codes_are_those_of_iso_3166() -> None:
    parts = {f"{country}-{part}" for country, known in REGIONS.items() for part in known}
    # Proxies name Kosovo by a code that ISO leaves to its users.
    assert COUNTRIES - {"XK"} | parts == set(CODES)
    assert (len(EU), len(members("EEA")), {code for group in GROUPS.values() for code in group} - COUNTRIES) == (
        34, 37, set()
    )  # fmt: skip


@pytest.mark.parametrize("code", [*CODES, "XK"])
def test_every_code_has_one_rule(code: str) -> None:
    where = parse_place(code)
    rows = [row for row in TABLE.rows if code in row.places]
    # A country whose law is another in each part has no row of its own.
    expected = rows if code not in REGIONS else [row for row in TABLE.rows if where.region in row.places]
    assert len(rows) <= 1
    assert [TABLE.of(where)] == (expected or [TABLE.elsewhere])
    assert code not in REGIONS or not rows
    assert where.region is None or where.country not in REGIONS or TABLE.of(where) is not TABLE.elsewhere


def test_each_row_names_places_that_are_there_and_says_what_it_knows() -> None:
    for row in TABLE.rows:
        assert all(map(is_code, row.places)), row.name
        assert row.source in ("primary", "secondary", "unconfirmed"), row.name
        assert row.statistics in ("", "objection"), row.name
        assert row.signal in ("", "must", "may"), row.name
        assert row.law, row.name
        assert row.url.startswith("https://") or not row.url, row.name
        assert isinstance(row.reviewed, date), row.name
        # Own statistics by objection are an exception from asking first.
        assert row.rule is Rule.OPT_IN or not row.statistics, row.name


def test_where_consent_comes_first_nothing_else_is_proposed() -> None:
    assert {TABLE.of(Place(country)).rule for country in members("EEA") | {"GB"}} == {Rule.OPT_IN}
    assert TABLE.of(UNKNOWN).rule is Rule.OPT_IN


@pytest.mark.parametrize(
    ("header", "country", "region"),
    [
        *[(said, "US", "US-TX") for said in ("US-TX", "us_tx", "US:TX", " US / TX ", "US TX", "US-USTX", "US-ustx")],
        # The state is not known, or is none.
        *[(said, "US", "US-CA") for said in ("US", "us", "US-", "US-XY", "US-?", "US-NO REGION", "US--", "US:")],
        ("CA", "CA", "CA-QC"),
        ("CA-ON", "CA", "CA-ON"),
        ("CA-US", "CA", "CA-QC"),
        ("FR", "FR", None),
        ("FR-IDF", "FR", "FR-IDF"),
        ("FR-NO REGION", "FR", None),
        ("GB-GBENG", "GB", "GB-ENG"),
        ("XK", "XK", None),
        *[
            (said, None, None)
            for said in (
                None, "", "XX", "T1", "ZZ", "EU", "A1", "AP", "UK", "USA", "-", "-CA", "US,CA", "FR, US", "US;CA",
                "US-CA,XX", "US-a much longer word", "ÜS", "U S", "null", "undefined", "US\nCA", "١٢",
            )
        ],
    ],
)  # fmt: skip
def test_the_place_that_a_proxy_names(header: str | None, country: str | None, region: str | None) -> None:
    assert parse_place(header) == Place(country, region)


@given(st.text(max_size=12) | st.from_regex(r"[A-Za-z]{2}[-_:/ ]?[A-Za-z0-9]{0,5}", fullmatch=True))
def test_whatever_is_sent_is_a_place_with_a_code_or_unknown(header: str) -> None:
    where = parse_place(header)
    assert where == UNKNOWN or (where.country in COUNTRIES and header.strip()[:2].upper() == where.country)
    assert where.region is None or (is_code(where.region) and where.region.startswith(f"{where.country}-"))
    assert where.country not in REGIONS or where.region is not None


def test_codes_cover_a_place_its_country_and_its_group() -> None:
    texas, reunion = parse_place("US-TX"), parse_place("RE")
    assert covers(["US-TX"], texas)
    assert covers(["DE", "US"], texas)
    assert covers(["EEA"], reunion)
    assert covers(["EU"], reunion)
    assert not covers(["US-CA", "EEA"], texas)
    assert not covers(["FR"], reunion)
    assert not covers([], texas)
    # A state that is not known is California.
    assert covers(["US-CA"], parse_place("US"))
    assert not covers(["US-TX"], parse_place("US"))
    # Unknown is in no list, however long.
    assert not covers([*GROUPS, *COUNTRIES], UNKNOWN)


@pytest.mark.parametrize(
    ("code", "known"),
    [("EEA", True), ("GB", True), ("US-CA", True), ("FR-IDF", True), ("UK", False), ("US-XY", False), ("us", False),
     ("EU-DE", False), ("FR-", False), ("FR-ABCD", False), ("", False), ("XX", False)],
)  # fmt: skip
def test_what_a_site_file_may_name(code: str, known: bool) -> None:
    assert is_code(code) is known


def test_a_row_is_old_a_year_after_somebody_looked() -> None:
    row = TABLE.elsewhere
    assert not row.is_old(row.reviewed.replace(year=row.reviewed.year + 1))
    assert row.is_old(date(row.reviewed.year + 1, 12, 31))


def test_each_rule_has_a_line() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [row.rule.value for row in (*TABLE.rows, TABLE.elsewhere)]


def test_what_is_proposed_for_a_place_is_shown_with_its_source() -> None:
    shown = run("show", "US-CA").stdout
    row = TABLE.of(Place("US", "US-CA"))
    for said in (row.law, row.url, row.source, f"{row.reviewed}", *row.links, row.note):
        assert said in shown
    assert "Washington" not in shown
    assert run("show", "EEA").stdout.count("Rule") == len([row for row in TABLE.rows if EU & {*row.places}])
    assert run("show", "US").stdout.count("Rule") > 20
    assert TABLE.elsewhere.name in run("show", "TH").stdout


def test_what_is_no_code_is_refused() -> None:
    refused = run("show", "UK")
    assert refused.exit_code == 2
    assert "UK" in refused.stderr
