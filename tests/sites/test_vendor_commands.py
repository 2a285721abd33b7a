"""`consent vendor list` and `show`: what the catalogue knows, and a block that a site file takes as it is."""

import textwrap

import pytest
from click.testing import CliRunner, Result

from consent_server.sites import catalogue
from consent_server.sites.commands import vendor
from consent_server.sites.site_file import read_site_file
from tests.support.factories import site_file

VENDORS = catalogue.vendors()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(vendor, arguments)


def test_each_vendor_has_a_line() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(VENDORS)
    listed = {line.split()[0]: line for line in lines}
    assert listed["hubspot"].split("  ")[-1].strip() == "widget"
    assert listed["vimeo"].split("  ")[-1].strip() == "page's markup"
    # As a table: names begin in one column.
    assert {line.index(VENDORS[key]["name"], len(key)) for key, line in listed.items()} == {
        len(max(VENDORS, key=len)) + 2
    }


@pytest.mark.parametrize("key", VENDORS)
def test_the_entry_each_are_shown_and_its_block_is_a_site_files(key: str) -> None:
    shown = run("show", key)
    assert shown.exit_code == 0, shown.output
    said, _, block = shown.stdout.partition("\nIn a site file\n")
    entry = VENDORS[key]
    words = said.split()
    assert set(entry["hosts"]) <= set(words)
    assert {source for sources in entry.get("csp", {}).values() for source in sources} <= set(words)
    for text in (entry["name"], entry["operator"]["address"], entry["policy_url"]):
        assert text in said
    for cookie in entry["cookies"]:
        assert f"  {cookie['name']}" in said
    applied = read_site_file(site_file(vendors=textwrap.dedent(block)))
    assert [one["key"] for one in applied["vendors"]] == [key]


def test_a_key_that_is_not_there_is_answered_by_those_that_are_near() -> None:
    result = run("show", "linkedin")
    assert result.exit_code == 2
    assert "linkedin-insight" in result.stderr
    assert "vendor list" in run("show", "0000").stderr
