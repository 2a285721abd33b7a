"""Errors of other consent managers, each with the test here that would catch it."""

import re
from pathlib import Path

import pytest

from consent_server.core.errors import InvalidSiteFile
from consent_server.sites import catalogue
from consent_server.sites.site_file import read_site_file
from tests.support.factories import ANALYTICS, site_file
from tests.support.vendors import IDS

ROOT = Path(__file__).parents[2]

# Error: file and test.
CAUGHT_BY = {
    "a refusal still loads the tag or the container": (
        "browser/test_vendor_matrix.py",
        "test_nothing_else_is_asked_in_any_state",
    ),
    "a picture or frame for browsers without script": (
        "contract/test_peer_errors.py",
        "test_no_page_has_a_vendor_in_noscript",
    ),
    "a plain array in the data layer": ("browser/test_consent_mode.py", "test_accepting_is_default_update_js_config"),
    "an update before the default, or after config": (
        "browser/test_consent_mode.py",
        "test_only_analytics_grants_one_type",
    ),
    "one update for each category": ("browser/test_consent_mode.py", "test_refusing_is_one_update_and_no_more"),
    "a tag that always loads, said to hold back": (
        "contract/test_peer_errors.py",
        "test_nothing_loads_before_a_choice_unless_the_operator_says_so",
    ),
    "Analytics writes its cookies again": (
        "browser/test_withdrawal.py",
        "test_after_a_withdrawal_the_vendors_cookies_are_gone_and_the_site_s_are_there",
    ),
    "cookies of a parent domain are left": (
        "browser/test_withdrawal.py",
        "test_after_a_withdrawal_nothing_loads_any_more",
    ),
    "names of cookies read as patterns": (
        "widget/page/deletion.test.ts",
        "a star at the end is a prefix, all else is literal",
    ),
    "the site's own cookies are deleted": (
        "browser/test_vendor_matrix.py",
        "test_after_a_withdrawal_the_site_has_all_of_its_own",
    ),
    "proof in the browser alone, by its clock": (
        "browser/test_peer_errors.py",
        "test_the_record_has_the_server_s_time_whatever_the_browser_s_clock_says",
    ),
    "a yes lives longer than a no": (
        "browser/test_choices.py",
        "test_the_cookie_lives_six_months_for_yes_and_no_alike",
    ),
    "Safari forgets the choice after a week": (
        "decisions/test_decisions_recorded.py",
        "test_a_page_on_the_same_host_gets_the_cookie_by_header",
    ),
    "code from strings": ("browser/test_strict_pages.py", "test_a_strict_policy_is_met_without_a_violation"),
    "a container classed as necessary": (
        "contract/test_peer_errors.py",
        "test_a_container_is_not_necessary",
    ),
    "a vendor added without a new consent": (
        "browser/test_new_notice.py",
        "test_another_vendor_is_asked_for_again_and_nothing_loads_until_then",
    ),
    "closing counts as accepting": ("browser/test_choices.py", "test_to_close_or_press_escape_is_a_refusal"),
    "refusing is a link, accepting a button": ("browser/test_layers.py", "test_accept_and_refuse_look_the_same"),
    "the banner hides what has the focus": (
        "browser/test_criteria.py",
        "test_what_has_the_focus_is_never_hidden",
    ),
    "repeated keys in a receipt": ("core/test_keys.py", "test_a_header_with_a_repeated_key"),
    "milliseconds where seconds are meant": ("receipts/test_forms.py", "test_what_was_granted_is_valid"),
    "a newline after an id": ("contract/test_peer_errors.py", "test_an_id_is_matched_as_a_whole"),
    "the token names the algorithm": ("core/test_keys.py", "test_the_token_does_not_choose_how_it_is_checked"),
}


@pytest.mark.parametrize("error", CAUGHT_BY)
def test_each_error_has_its_test(error: str) -> None:
    path, name = CAUGHT_BY[error]
    text = (ROOT / "tests" / path).read_text("utf-8")
    assert f'test("{name}"' in text if path.endswith(".ts") else f"\ndef {name}(" in text


def test_no_page_has_a_vendor_in_noscript() -> None:
    """It would be asked without a choice: by a browser that runs no script there is none."""
    looked = 0
    for folder in ("static/widget/dist", "examples", "consent_server", "docs"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix not in (".html", ".js", ".md", ".toml"):
                continue
            text = path.read_text("utf-8")
            looked += 1
            assert "ns.html" not in text, path
            assert "noscript=1" not in text, path
            for inside in re.findall(r"<noscript>(.*?)</noscript>", text, re.S):
                assert not re.search(r"src\s*=|url\(", inside), path
    assert looked > 20


def test_nothing_loads_before_a_choice_unless_the_operator_says_so() -> None:
    assert read_site_file(site_file())["mode"] == "basic"
    # Whoever looks is told that the tag loads and sends, not that it holds back.
    said = catalogue.locales()["en"]["notice_page"]["mode_advanced"]
    assert "loads before a choice and sends" in said


def test_a_container_is_not_necessary() -> None:
    with pytest.raises(InvalidSiteFile) as refused:
        read_site_file(
            site_file(vendors='[[vendors]]\nkey = "google-tag-manager"\nid = "GTM-AB12"\npurposes = ["necessary"]\n')
        )
    assert [fault.pointer for fault in refused.value.faults] == ["vendors[0].purposes[0]"]


@pytest.mark.parametrize("key", [key for key, own in IDS.items() if own])
@pytest.mark.parametrize("more", [r"\n", " ", "'", r"\u0000"])
def test_an_id_is_matched_as_a_whole(key: str, more: str) -> None:
    with pytest.raises(InvalidSiteFile) as refused:
        read_site_file(site_file(vendors=f'[[vendors]]\nkey = "{key}"\nid = "{IDS[key]}{more}"\n'))
    assert [fault.pointer for fault in refused.value.faults] == ["vendors[0].id"]
    assert read_site_file(site_file(vendors=ANALYTICS))
