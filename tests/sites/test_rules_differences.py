"""Operators are told of each difference between two notices in words, and nothing differs untold."""

from itertools import product

import pytest

from consent_server.sites.notice_titles import told_between
from tests.support.factories import ADS, ANALYTICS, META, TABLES, TOP, TYPEFORM, VENDORS, notice_of, site_file

RECIPIENT = (
    '[[recipients]]\nname = "Pay"\nkind = "payment"\n[recipients.operator]\nname = "P"\naddress = "A"\ncountry = "IE"\n'
)
DPO = f'{TABLES}[dpo]\nname = "D"\ncontact = "d@d.example"\n'
COOKIE = '[[vendors.cookies]]\nname = "_more"\nstorage = "local"\nexpiry = "none"\npurpose = "test"\n'
FRENCH_TITLE = '[texts.fr]\ntitle = "Vos cookies"\n'
BEFORE = site_file()
# After each of these, exactly this is told.
TOLD = {
    "nothing": (BEFORE, []),
    "a vendor and its purpose": (
        site_file(vendors=VENDORS + TYPEFORM),
        ["+ Typeform (media)", "+ purpose Videos, maps and forms"],
    ),
    "vendors and their purpose less": (
        site_file(vendors=ANALYTICS),
        ["- Google Ads (advertising)", "- Meta pixel (advertising)", "- purpose Advertising"],
    ),
    "another purpose of a vendor": (
        site_file(vendors=f'{ANALYTICS}purposes = ["advertising"]\n{ADS}{META}'),
        ["purposes of Google Analytics changed (advertising; before: analytics)", "- purpose Audience measurement"],
    ),
    "an operator as the policy names it": (
        site_file(vendors=f'{ANALYTICS}declared = {{ name = "G", address = "A" }}\n{ADS}{META}'),
        ["operator as declared of Google Analytics changed"],
    ),
    "a cookie": (site_file(vendors=VENDORS + COOKIE), ["+ _more of Meta pixel"]),
    "a recipient": (site_file(vendors=VENDORS + RECIPIENT), ["+ recipient Pay"]),
    "an address": (
        site_file(tables=TABLES.replace("1 Main", "2 Main")),
        ["address of the controller changed (2 Main Street, Dublin, Ireland; before: 1 Main Street, Dublin, Ireland)"],
    ),
    "an officer": (site_file(tables=DPO), ["+ data protection officer"]),
    "mode": (site_file(f'{TOP}mode = "advanced"\n'), ["mode changed (advanced; before: basic)"]),
    "days": (site_file(f"{TOP}choice_days = 90\n"), ["choices last 90 days (before: 180)"]),
    "policy": (
        site_file(tables=TABLES.replace("2026-03-01", "2026-04-01")),
        ["privacy policy of 2026-04-01 (before: 2026-03-01)"],
    ),
    "a language": (site_file(TOP.replace('["en", "fr"]', '["en", "fr", "de"]')), ["+ German"]),
    "a word": (site_file(f"{TOP}{FRENCH_TITLE}"), ["title changed in French"]),
    "a word everywhere": (site_file(f'{TOP}{FRENCH_TITLE}[texts.en]\ntitle = "Cookies"\n'), ["title changed"]),
    "layout": (site_file(f'{TOP}[banner]\nlayout = "box"\n'), ["layout changed (box; before: bar)"]),
    "colours": (site_file(f'{TOP}[banner.colours]\naccent = "#008000"\n'), ["colours changed"]),
    "corner": (site_file(f'{TOP}[banner]\ncorner = "end"\n'), ["corner changed (end; before: none)"]),
    "order": (site_file(vendors=META + ANALYTICS + ADS), ["order of what is shown changed"]),
    "name": (
        site_file(TOP.replace("Example Shop", "Other Shop")),
        ["name of the site changed (Other Shop; before: Example Shop)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", TOLD)
def test_each_change_is_told_in_words_and_no_other(change: str) -> None:
    after, told = TOLD[change]
    assert [str(one) for one in told_between(notice_of(BEFORE).body, notice_of(after).body)] == told


def test_of_any_two_that_differ_something_is_told() -> None:
    bodies = [notice_of(text).body for text, _ in TOLD.values()]
    assert all(bool(told_between(one, other)) == (one != other) for one, other in product(bodies, bodies))


def test_a_member_that_nobody_foresaw_is_told_by_its_name() -> None:
    body = notice_of(BEFORE).body
    assert [str(one) for one in told_between(body, {**body, "novelty": 1})] == ["novelty changed"]


def test_a_text_that_a_new_version_brings_is_told_as_such() -> None:
    body = notice_of(BEFORE).body
    texts = {language: {**said, "banner": {**said["banner"], "new": "x"}} for language, said in body["texts"].items()}
    assert [str(one) for one in told_between(body, {**body, "texts": texts})] == ["built-in texts changed"]
