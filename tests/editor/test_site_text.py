"""Changing a value in the text of a site file changes that value, and nothing else of the text."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_server.core.errors import InvalidSiteFile
from consent_server.core.resources import ROOT
from consent_server.editor.site_text import moved_up, value_at, with_table, with_values, without

CALLBELL = (ROOT / "examples" / "callbell.toml").read_text("utf-8")
COMMENTS = [line for line in CALLBELL.splitlines() if line.startswith("#")]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
# What the form has of each form.
LINES = ("name", "controller.name", "controller.phone", "cookie_domain", "banner.corner", "texts.fr.title",
         "texts.it.intro", "banner.colours.dark.accent", "policy.privacy.version", "vendors[3].id",
         "authority.country", "experiment.key")  # fmt: skip
PAIRS = st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), WORDS, min_size=1, max_size=3)
CHANGES = st.one_of(
    st.dictionaries(st.sampled_from(LINES), st.one_of(st.none(), WORDS)),
    st.dictionaries(st.sampled_from(["origins", "vendors[0].purposes"]), st.lists(WORDS, min_size=1, max_size=4)),
    st.dictionaries(st.sampled_from(["choice_days", "banner.radius", "statistics.sample"]), st.integers(-9, 9)),
    st.dictionaries(st.sampled_from(["vendors[2].conversions", "policy.cookies.url"]), PAIRS),
)


@settings(max_examples=60)
@given(CHANGES)
def test_what_is_set_stands_there_and_no_comment_goes(changes: dict[str, Any]) -> None:
    text = with_values(CALLBELL, changes)
    document = tomllib.loads(text)
    for path, value in changes.items():
        assert value_at(document, path) == value
    kept = text.splitlines()
    assert [comment for comment in COMMENTS if comment not in kept] == []


def test_what_nobody_changed_keeps_its_bytes() -> None:
    assert with_values(CALLBELL, {}) == CALLBELL
    before, after = CALLBELL.splitlines(), with_values(CALLBELL, {"name": "Other"}).splitlines()
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ('name = "Callbell"', 'name = "Other"')
    ]


def test_a_list_keeps_the_comments_of_what_stays() -> None:
    text = 'origins = [\n  "https://a.example",  # the shop\n  "https://b.example",  # old\n]\n'
    changed = with_values(text, {"origins": ["https://a.example", "https://c.example"]})
    assert tomllib.loads(changed) == {"origins": ["https://a.example", "https://c.example"]}
    assert '"https://a.example",  # the shop' in changed


@pytest.mark.parametrize("number", range(10))
def test_a_table_that_goes_takes_its_own_lines_alone(number: int) -> None:
    expected = tomllib.loads(CALLBELL)
    del expected["vendors"][number]
    text = without(CALLBELL, f"vendors[{number}]")
    assert tomllib.loads(text) == expected
    assert set(text.splitlines()) <= set(CALLBELL.splitlines())


@pytest.mark.parametrize("number", range(10))
def test_a_table_moves_with_its_comments(number: int) -> None:
    tables = tomllib.loads(CALLBELL)["vendors"]
    if number:
        tables[number - 1 : number + 1] = reversed(tables[number - 1 : number + 1])
    text = moved_up(CALLBELL, f"vendors[{number}]")
    assert tomllib.loads(text)["vendors"] == tables
    assert sorted(text.splitlines()) == sorted(CALLBELL.splitlines())


def test_a_new_table_stands_after_its_like() -> None:
    text = with_table(CALLBELL, "vendors", "key", "microsoft-clarity")
    assert tomllib.loads(text)["vendors"][-1] == {"key": "microsoft-clarity"}
    assert text.index("microsoft-clarity") < text.index("# Recipients set no tag")
    assert tomllib.loads(with_table(CALLBELL, "regions", "key", "us"))["regions"] == [{"key": "us"}]


def test_a_text_that_the_form_cannot_change_says_so() -> None:
    with pytest.raises(InvalidSiteFile, match="Change it as a file"):
        with_values('texts = 5\nname = "x"\n', {"texts.fr.title": "Titre"})
    inline = 'vendors = [{ key = "youtube" }, { key = "vimeo" }]\n'
    for change in (moved_up, without):
        with pytest.raises(InvalidSiteFile, match="Change it as a file"):
            change(inline, "vendors[1]")
        # What is not there stays away.
        assert change(CALLBELL, "vendors[99]") == CALLBELL
        assert change(CALLBELL, "regions[1]") == CALLBELL
    with pytest.raises(InvalidSiteFile, match="line 1"):
        with_values("name = \n", {"name": "x"})
