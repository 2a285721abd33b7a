"""What differs between two notices is told by kind, and nothing differs untold."""

from itertools import product

import pytest

from consent_server.sites.rules_changes import Change, What, changes
from tests.support.factories import ADS, ANALYTICS, META, TABLES, TOP, TYPEFORM, VENDORS, notice_of, site_file

RECIPIENT = (
    '[[recipients]]\nname = "Pay"\nkind = "payment"\n[recipients.operator]\nname = "P"\naddress = "A"\ncountry = "IE"\n'
)
DPO = f'{TABLES}[dpo]\nname = "D"\ncontact = "d@d.example"\n'
COOKIE = '[[vendors.cookies]]\nname = "_more"\nstorage = "local"\nexpiry = "none"\npurpose = "test"\n'
BEFORE = site_file()
# After each of these, exactly this is told.
TOLD = {
    "nothing": (BEFORE, []),
    "controller": (site_file(tables=TABLES.replace("1 Main", "2 Main")), [Change(What.CONTROLLER)]),
    "officer": (site_file(tables=DPO), [Change(What.CONTROLLER)]),
    "a purpose and its vendor": (
        site_file(vendors=VENDORS + TYPEFORM),
        [Change(What.PURPOSES_ADDED, ("Videos, maps and forms",)), Change(What.VENDORS_ADDED, ("Typeform",))],
    ),
    "a purpose and its vendors less": (
        site_file(vendors=ANALYTICS),
        [
            Change(What.PURPOSES_REMOVED, ("Advertising",)),
            Change(What.VENDORS_REMOVED, ("Google Ads", "Meta pixel")),
        ],
    ),
    "an operator as the policy names it": (
        site_file(vendors=f'{ANALYTICS}declared = {{ name = "G", address = "A" }}\n{ADS}{META}'),
        [Change(What.VENDORS, ("Google Analytics",))],
    ),
    "a cookie": (site_file(vendors=VENDORS + COOKIE), [Change(What.COOKIES, ("Meta pixel",))]),
    "a recipient": (site_file(vendors=VENDORS + RECIPIENT), [Change(What.RECIPIENTS)]),
    "mode": (site_file(f'{TOP}mode = "advanced"\n'), [Change(What.MODE)]),
    "days": (site_file(f"{TOP}choice_days = 90\n"), [Change(What.CHOICE_DAYS)]),
    "policy": (site_file(tables=TABLES.replace("2026-03-01", "2026-04-01")), [Change(What.POLICY)]),
    "languages": (site_file(TOP.replace('["en", "fr"]', '["en", "fr", "de"]')), [Change(What.LANGUAGES)]),
    "a word": (site_file(f'{TOP}[texts.fr]\ntitle = "Vos cookies"\n'), [Change(What.WORDS)]),
    "layout": (site_file(f'{TOP}[banner]\nlayout = "box"\n'), [Change(What.WORDS)]),
    "order": (site_file(vendors=META + ANALYTICS + ADS), [Change(What.WORDS)]),
    "a word and days": (
        site_file(f'{TOP}choice_days = 90\n[texts.fr]\ntitle = "Vos cookies"\n'),
        [Change(What.CHOICE_DAYS), Change(What.WORDS)],
    ),
}


@pytest.mark.parametrize("change", TOLD)
def test_each_kind_is_told_and_no_other(change: str) -> None:
    after, told = TOLD[change]
    assert list(changes(notice_of(BEFORE).body, notice_of(after).body, "en")) == told


def test_of_any_two_that_differ_something_is_told() -> None:
    bodies = [notice_of(text).body for text, _ in TOLD.values()]
    assert all(bool(changes(one, other, "fr")) == (one != other) for one, other in product(bodies, bodies))


def test_a_purpose_is_named_in_the_language_asked_for_where_the_notice_had_it() -> None:
    with_forms = notice_of(site_file(vendors=VENDORS + TYPEFORM)).body
    (added, _) = changes(notice_of(BEFORE).body, with_forms, "fr")
    assert added.names == ("Vidéos, cartes et formulaires",)
    (removed, *_) = changes(with_forms, notice_of(BEFORE).body, "de")
    assert removed.names == ("Videos, maps and forms",)
