"""Silence is denied, and nobody is granted more than a visitor said."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.errors import InvalidDecision
from consent_server.decisions.rules import Action, Decision, Method, decide, exceptions
from consent_server.decisions.rules_cookie import cookie_value, withdrawn_value
from consent_server.decisions.rules_receipt import Issuer, receipt_claims, state_claims, uuid7, without_exceptions
from consent_server.sites.rules_notice import Notice, consent_basis
from tests.support.factories import START, answer, notice_of, site_file

# A tag manager serves two purposes, a form tool one of its own.
NOTICE: Notice = notice_of(
    site_file(vendors='[[vendors]]\nkey = "google-tag-manager"\nid = "GTM-ABC1234"\n')
    + '[[vendors]]\nkey = "meta-pixel"\nid = "1234567890123456"\n[[vendors]]\nkey = "typeform"\n'
)
PURPOSES, VENDORS = sorted(NOTICE.purposes), sorted(NOTICE.vendors)
SAID = st.dictionaries(st.sampled_from(PURPOSES), st.booleans())
SAID_OF_VENDORS = st.dictionaries(st.sampled_from(VENDORS), st.booleans())
ISSUER = Issuer("https://consent.example", "shop", "consent.example/ledger/shop")
SOMEBODY = uuid7(START, bytes(10))


@given(SAID, SAID_OF_VENDORS)
def test_every_purpose_and_vendor_is_settled_and_none_is_granted_unsaid(
    grants: dict[str, bool], vendors: dict[str, bool]
) -> None:
    decision = decide(NOTICE, answer(NOTICE, grants=grants, vendors=vendors))
    assert list(decision.grants) == list(NOTICE.purposes)
    assert list(decision.vendors) == list(NOTICE.vendors)
    for purpose, granted in decision.grants.items():
        assert granted is grants.get(purpose, False)
    for vendor, granted in decision.vendors.items():
        by_purpose = any(grants.get(purpose, False) for purpose in NOTICE.vendors[vendor])
        assert granted is vendors.get(vendor, by_purpose)
        assert (vendor in decision.exceptions) is (granted is not by_purpose)
        apart = exceptions(decision.grants, decision.vendors, NOTICE.vendors)
        told = {purpose for purpose, vendors in apart.items() if vendor in vendors}
        own = decision.grants.keys() & set(NOTICE.vendors[vendor])
        assert told == (own if vendor in decision.exceptions else set())
    assert decision.grants_anything is (True in decision.grants.values() or True in decision.vendors.values())


@given(st.sampled_from([Action.REFUSE_ALL, Action.WITHDRAW]), SAID, SAID_OF_VENDORS)
def test_a_refusal_never_grants(action: Action, grants: dict[str, bool], vendors: dict[str, bool]) -> None:
    asked = answer(NOTICE, action=action, grants=grants, vendors=vendors)
    if True in grants.values() or True in vendors.values():
        with pytest.raises(InvalidDecision):
            decide(NOTICE, asked)
    else:
        assert not decide(NOTICE, asked).grants_anything


@given(SAID, SAID_OF_VENDORS)
def test_accept_all_is_all_or_nothing(grants: dict[str, bool], vendors: dict[str, bool]) -> None:
    asked = answer(NOTICE, action=Action.ACCEPT_ALL, grants=grants, vendors=vendors)
    if all(grants.get(purpose) for purpose in PURPOSES) and False not in vendors.values():
        assert all(decide(NOTICE, asked).vendors.values())
    else:
        with pytest.raises(InvalidDecision):
            decide(NOTICE, asked)


@given(SAID, SAID_OF_VENDORS)
def test_global_privacy_control_never_lets_an_advertiser_in(grants: dict[str, bool], vendors: dict[str, bool]) -> None:
    try:
        decision = decide(NOTICE, answer(NOTICE, action=Action.GPC, grants=grants, vendors=vendors))
    except InvalidDecision:
        return
    assert not decision.grants["advertising"]
    assert not decision.vendors["meta-pixel"]


@given(SAID, SAID_OF_VENDORS)
def test_at_a_stand_in_what_was_not_asked_stays_undecided(grants: dict[str, bool], vendors: dict[str, bool]) -> None:
    decision = decide(NOTICE, answer(NOTICE, method=Method.PLACEHOLDER, grants=grants, vendors=vendors))
    whole = decide(NOTICE, answer(NOTICE, grants=grants, vendors=vendors))
    if len(grants) == len(PURPOSES) or not (grants or vendors):
        assert (decision.grants, decision.vendors, decision.partial) == (whole.grants, whole.vendors, False)
        return
    assert decision.partial
    assert decision.grants == grants
    for vendor, purposes in NOTICE.vendors.items():
        asked = vendor in vendors or any(grants.get(key) for key in purposes) or grants.keys() >= set(purposes)
        assert (vendor in decision.vendors) is asked
    # What is undecided is as shut as what is denied.
    assert all(granted is whole.vendors[vendor] for vendor, granted in decision.vendors.items())
    assert {key for key, yes in decision.vendors.items() if yes} == {key for key, yes in whole.vendors.items() if yes}
    assert lets_in(state_claims(ISSUER, NOTICE, decision, START)) == {k for k, yes in whole.vendors.items() if yes}
    kept = fields(cookie_value("0123456789abcdef", decision, None, None, START))
    assert {key for key in kept if key.startswith("p.")} == {f"p.{key}" for key in grants}


SHOPS = notice_of(site_file())
ALL = {"analytics": True, "advertising": True}


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"grants": {"analytics": True, "advertising": False}}, ["#/grants/advertising"]),
        ({"grants": {"analytics": True}}, ["#/grants/advertising"]),
        ({"grants": {}}, ["#/grants/analytics", "#/grants/advertising"]),
        ({"vendors": {"meta-pixel": False}}, ["#/vendors/meta-pixel"]),
        ({"grants": ALL | {"a/b~c": True}}, ["#/grants/a~1b~0c"]),
        ({"grants": ALL | {"necessary": True}}, ["#/grants/necessary"]),
        ({"vendors": {"hotjar": True}}, ["#/vendors/hotjar"]),
        ({"action": Action.REFUSE_ALL}, ["#/grants/analytics", "#/grants/advertising"]),
        ({"action": Action.REFUSE_ALL, "grants": {}, "vendors": {"meta-pixel": True}}, ["#/vendors/meta-pixel"]),
        ({"action": Action.WITHDRAW}, ["#/grants/analytics", "#/grants/advertising"]),
        ({"action": Action.WITHDRAW, "grants": {}, "vendors": {"google-ads": True}}, ["#/vendors/google-ads"]),
        ({"action": Action.GPC, "gpc": True}, ["#/grants/advertising"]),
        ({"action": Action.GPC, "gpc": True, "grants": {"analytics": True}, "vendors": {"meta-pixel": True}},
         ["#/vendors/meta-pixel"]),
    ],
)  # fmt: skip
def test_what_cannot_be_a_decision_is_refused_with_its_place(changes: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(InvalidDecision) as refused:
        decide(SHOPS, answer(SHOPS, **{"action": Action.ACCEPT_ALL, "grants": ALL} | changes))
    assert [fault.pointer for fault in refused.value.faults] == pointers


@pytest.mark.parametrize(
    ("said", "language"),
    [("fr", "fr"), ("FR", "fr"), ("fr-CA", "fr"), ("fr_CA", "fr"),
     ("de", "und"), ("und", "und"), ("en\n", "und"), ("", "und")],
)  # fmt: skip
def test_the_language_is_one_of_the_notice_or_unknown(said: str, language: str) -> None:
    assert decide(NOTICE, answer(NOTICE, language=said)).answer.language == language


@given(st.dictionaries(st.text(max_size=12), st.booleans(), max_size=4))
def test_an_unknown_key_is_named(extra: dict[str, bool]) -> None:
    unknown = [key for key in extra if key not in PURPOSES]
    asked = answer(NOTICE, grants=extra)
    if not unknown:
        assert decide(NOTICE, asked).answer == asked
        return
    with pytest.raises(InvalidDecision) as refused:
        decide(NOTICE, asked)
    named = {fault.pointer for fault in refused.value.faults}
    assert named == {"#/grants/" + key.replace("~", "~0").replace("/", "~1") for key in unknown}


def settled(grants: dict[str, bool], vendors: dict[str, bool], gpc: bool = False) -> Decision:
    return decide(NOTICE, answer(NOTICE, grants=grants, vendors=vendors, gpc=gpc))


@given(SAID, SAID_OF_VENDORS)
def test_a_receipt_names_a_visitor_only_with_a_grant(grants: dict[str, bool], vendors: dict[str, bool]) -> None:
    decision = settled(grants, vendors)
    claims = receipt_claims(ISSUER, NOTICE, decision, SOMEBODY, SOMEBODY, "0" * 64, START, "https://shop.example/")
    assert ("sub" in claims) is decision.grants_anything


def lets_in(state: dict[str, Any]) -> set[str]:
    """The vendors that a back end may send to, as docs/formats/cookie.md has it read."""
    return {
        vendor
        for vendor, purposes in NOTICE.vendors.items()
        if state.get("vendors", {}).get(vendor, any(state["grants"].get(purpose) for purpose in purposes))
    }


@given(SAID, SAID_OF_VENDORS)
def test_a_state_lets_in_who_was_granted_and_its_short_form_never_more(
    grants: dict[str, bool], vendors: dict[str, bool]
) -> None:
    decision = settled(grants, vendors)
    claims = state_claims(ISSUER, NOTICE, decision, START)
    granted = {vendor for vendor, yes in decision.vendors.items() if yes}
    assert lets_in(claims) == granted
    short = without_exceptions(NOTICE, claims)
    assert "vendors" not in short
    assert lets_in(short) <= granted


def fields(value: str) -> dict[str, str]:
    """The cookie as the specification of forms reads it."""
    found = parse_qs(value, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


@given(SAID, SAID_OF_VENDORS, st.booleans())
def test_the_cookie_says_the_decision_in_any_parser(
    grants: dict[str, bool], vendors: dict[str, bool], gpc: bool
) -> None:
    decision = settled(grants, vendors, gpc)
    named = decision.grants_anything
    visitor, state = (f"{SOMEBODY}.{'A' * 22}", "eyJ-_.eyJ-_.c2ln") if named else (None, None)
    value = cookie_value("0123456789abcdef", decision, visitor, state, START)
    wanted = {"v": "1", "t": "1795453200" if named else "1795392000", "n": "0123456789abcdef"}
    wanted |= {f"p.{key}": "01"[granted] for key, granted in decision.grants.items()}
    wanted |= {f"v.{key}": "01"[granted] for key, granted in decision.exceptions.items()}
    wanted |= {"g": "1"} if gpc else {}
    wanted |= {"i": str(visitor), "s": str(state)} if named else {}
    assert fields(value) == wanted
    assert not set(value) & set(' ",;\\')


@given(st.booleans(), st.integers(0, 86_399))
def test_nothing_in_a_cookie_tells_one_refusal_from_another(gpc: bool, second: int) -> None:
    midnight = START.replace(hour=0, minute=0, second=0, microsecond=0)
    refusal = settled({}, {}, gpc)
    values = {
        value
        for now in (midnight, midnight + timedelta(seconds=second))
        for value in (
            cookie_value("0123456789abcdef", refusal, None, None, now),
            withdrawn_value("0123456789abcdef", refusal.grants, gpc, now),
        )
    }
    assert len(values) == 1


def test_a_consent_rests_on_who_asks_for_what_and_who_receives() -> None:
    basis = consent_basis(NOTICE.body)
    assert basis["controller"] == "Example Shop Ltd"
    assert basis["purposes"] == sorted(NOTICE.purposes)
    assert [key for key, *_ in basis["vendors"]] == sorted(NOTICE.vendors)
