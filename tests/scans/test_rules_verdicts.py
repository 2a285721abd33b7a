"""What a scan says of what it saw, without a browser."""

from dataclasses import replace
from typing import Any

import pytest

from consent_server.scans.rules import (
    ConsentMode,
    NamedVendor,
    Owner,
    ReadNotice,
    Scan,
    Source,
    State,
    Stored,
)
from consent_server.scans.rules_summary import verdicts
from consent_server.scans.rules_verdicts import Thing, life
from tests.support.scans import BANNER, BUTTON, DENIED, HINT, cookie, request, scan


def rules(done: Scan) -> set[str]:
    return {finding.rule for finding in done.findings}


def answer(done: Scan, key: str) -> str:
    return next(verdict.answer for verdict in verdicts(done) if verdict.key == key)


@pytest.mark.parametrize(
    ("state", "rule"),
    [("before", "loads-before-choice"), ("refused", "ignores-refusal"), ("withdrawn", "loads-after-withdrawal")],
)
def test_a_vendor_without_consent(state: str, rule: str) -> None:
    assert rules(scan(BANNER, None, (), **{state: [request()]})) == {rule}
    assert rules(scan(granted=[request(), cookie()])) == set()


def test_of_a_vendor_one_finding_holds_all() -> None:
    (finding,) = scan(before=[request(), request("connect.facebook.net"), cookie()]).findings
    assert (finding.vendor, len(finding.evidence)) == ("meta-pixel", 3)


@pytest.mark.parametrize("purpose", ["functional", "security", "necessary"])
def test_a_hint_counts_only_where_it_names_what_needs_consent(purpose: str) -> None:
    assert rules(scan(before=[cookie("x", HINT)])) == {"loads-before-choice"}
    assert rules(scan(before=[cookie("x", replace(HINT, purposes=(purpose,)))])) == set()


def test_hosts_of_others_that_nobody_knows() -> None:
    done = scan(before=[request("cdn.test", Owner())], refused=[request("cdn.test", Owner())])
    assert [(finding.rule, finding.state) for finding in done.wrong] == [("unknown-hosts", State.BEFORE)]
    late = scan(refused=[request("cdn.test", Owner())], granted=[request("cdn.test", Owner())])
    assert (answer(late, "before"), answer(late, "refusal")) == ("good", "wrong")
    for source in (Source.ALLOWED, Source.BANNER):
        assert rules(scan(before=[request("cdn.test", Owner(source=source))])) == set()
    assert rules(scan(before=[request("cdn.test", Owner(), first_party=True)])) == set()


def test_a_cookie_of_another_domain_needs_no_name_to_be_wrong() -> None:
    assert rules(scan(before=[cookie("x", Owner(), first_party=False)])) == {"loads-before-choice"}
    assert rules(scan(before=[cookie("x", Owner())])) == set()


def test_what_stays_after_a_withdrawal() -> None:
    unknown = cookie("track", Owner())
    assert rules(scan(granted=[unknown], withdrawn=[unknown])) == {"stays-after-withdrawal"}
    # What was there before, or is there after a refusal too, did not come with the grant.
    assert rules(scan(before=[unknown], granted=[unknown], withdrawn=[unknown])) == set()
    assert rules(scan(refused=[unknown], granted=[unknown], withdrawn=[unknown])) == set()
    stored = Stored("indexeddb", "https://shop.test", "events", None, True, None)
    assert rules(scan(withdrawn=[stored])) == {"stays-after-withdrawal"}
    others = scan(withdrawn=[cookie(domain=".facebook.com", first_party=False)])
    assert (rules(others), others.exit_code, answer(others, "withdrawal")) == ({"stays-at-third-party"}, 0, "note")


def notice(*vendors: NamedVendor) -> ReadNotice:
    return ReadNotice("shop", "0" * 64, vendors)


def test_the_notice_against_what_is_used() -> None:
    meta = NamedVendor("meta-pixel", "Meta pixel", ("advertising",), (("cookie", "_fb*"),))
    used: list[Thing] = [request(), cookie()]
    assert rules(scan(notice=notice(meta), granted=used)) == set()
    assert rules(scan(notice=notice(), granted=used)) == {"not-in-notice"}
    assert rules(scan(notice=notice(meta))) == {"named-not-seen"}
    assert (
        rules(scan(notice=notice(replace(meta, hosts=("*.facebook.com",))), granted=[request(owner=Owner())])) == set()
    )
    assert rules(scan(notice=notice(), granted=[cookie("mystery", Owner())])) == {"unnamed-storage"}
    assert rules(scan(notice=notice(replace(meta, on_before=True)), before=[request()])) == {"named-not-seen"}


@pytest.mark.parametrize(
    ("default", "late", "rule"),
    [
        (DENIED, False, None),
        (DENIED, True, "consent-mode-late"),
        (DENIED | {"ad_storage": "granted"}, False, "consent-mode-granted"),
        ({"ad_storage": "denied"}, False, "consent-mode-incomplete"),
        (None, True, "consent-mode-missing"),
    ],
)
def test_consent_mode(default: dict[str, str] | None, late: bool, rule: str | None) -> None:
    done = scan(modes=(ConsentMode(State.BEFORE, True, default, None, late),))
    assert rules(done) == ({rule} if rule else set())
    wrong = {None: "good", "consent-mode-missing": "note"}
    assert answer(done, "consent-mode") == wrong.get(rule, "wrong")


@pytest.mark.parametrize(
    ("refuse", "rule"),
    [
        ({}, None),
        ({"presses": 2}, "refusing-is-harder"),
        ({"height": 20}, "refusing-is-harder"),
        ({"font_size": 11.0}, "refusing-is-harder"),
        ({"filled": False}, "refusing-is-paler"),
    ],
)
def test_refusing_is_as_easy_as_accepting(refuse: dict[str, Any], rule: str | None) -> None:
    done = scan(replace(BANNER, refuse=replace(BUTTON, **refuse)))
    assert rules(done) == ({rule} if rule else set())


def test_no_way_to_refuse_is_wrong() -> None:
    assert rules(scan(replace(BANNER, refuse=None))) == {"refusing-is-harder"}


def test_what_could_not_be_looked_at_is_never_good() -> None:
    done = scan()
    lost = replace(done, seen={State.BEFORE: done.seen[State.BEFORE]}, unseen=("The banner stays.",))
    assert {verdict.answer for verdict in verdicts(lost)} == {"good", "unseen", "none"}
    assert [answer(lost, key) for key in ("before", "refusal", "withdrawal")] == ["good", "unseen", "unseen"]
    assert (done.exit_code, lost.exit_code, replace(lost, findings=scan(before=[request()]).findings).exit_code) == (
        0, 2, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "until the browser is closed"), (1, "for 1 second"), (120, "for 2 minutes"), (7776000, "for 90 days")],
)
def test_a_life_in_words(seconds: int | None, said: str) -> None:
    assert life(seconds) == said
