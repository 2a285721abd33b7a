"""The plan of a publication says what changes and who is asked again, before it is done."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.rules_plan import setting_differences
from consent_server.sites.rules_site import Site
from tests.support.factories import TOP, TYPEFORM, VENDORS, Body, Clock, site_file
from tests.support.site_changes import ASKED_AGAIN, SEEN, UNSEEN
from tests.support.sites import Apply, in_force
from tests.support.visitor import post

NOBODY = "nobody will be asked again: what visitors agreed to is the same"
UNSEEN_WORDS = {
    "origins": ["+ origin https://www.shop.example", "- origin https://shop.example"],
    "default_language": ["default language changed (fr; before: en)"],
    "proof_retention": ["time that proofs are kept changed (P2Y; before: P3Y)"],
    "id": ["id of google-analytics changed (G-OTHER12345; before: G-ABCD123456)"],
    "conversions": ["conversions of google-ads changed"],
}


class Posts:
    """What visitors of the shop post, each under the notice in force."""

    def __init__(self, services: Context, client: FlaskClient) -> None:
        self._services, self._client = services, client

    def _body(self) -> Body:
        return Body(self._services[CurrentSites].get("shop").notice.hash)

    def accept(self) -> str:
        """A first choice for everything; the visitor's identifier."""
        answer = post(self._client, self._body()())
        assert answer.status_code == 201
        return str(answer.get_json()["visitor"])

    def refuse(self) -> None:
        """A first choice for nothing."""
        assert post(self._client, self._body().refusal()).status_code == 201

    def withdraw(self, visitor: str) -> None:
        """A later act after which nothing stands."""
        sent = self._body().refusal(visitor=visitor, change=True) | {"action": "withdraw", "method": "preferences"}
        assert post(self._client, sent).status_code == 201


@pytest.fixture
def visitors(services: Context, bare_app: Flask) -> Posts:
    return Posts(services, bare_app.test_client(use_cookies=False))


def test_of_a_first_notice_everybody_is_asked(apply_site: Apply) -> None:
    plan = apply_site.publish(site_file(), check_only=True).plan
    assert list(plan.sentences()) == [
        "every visitor will be asked", f"receipts will name notice {plan.notice[:8]}…, “first notice”",
    ]  # fmt: skip


def test_a_form_is_given_the_same_as_the_command(apply_site: Apply) -> None:
    apply_site.publish(site_file())
    plan = apply_site.publish(SEEN["vendor less"], check_only=True).plan
    told = plan.to_json()
    assert told["sentences"] == list(plan.sentences())
    assert (told["new"], told["asks_again"], told["standing"]) == (True, True, 0)
    assert told["differences"] == ["- Meta pixel (advertising)"]
    assert told["title"] == "removed Meta pixel"


@pytest.mark.parametrize("change", SEEN)
def test_who_is_asked_again_is_who_the_server_then_asks(services: Context, apply_site: Apply, change: str) -> None:
    apply_site.publish(site_file())
    before = in_force(services).revision
    plan = apply_site.publish(SEEN[change], check_only=True).plan
    apply_site.publish(SEEN[change])
    assert plan.differences
    assert plan.asks_again is (in_force(services).revision != before) is (change in ASKED_AGAIN)
    assert ("those who refused will not" in plan.audience) is plan.asks_again
    assert plan.asks_again or plan.audience == NOBODY


@pytest.mark.parametrize("change", UNSEEN)
def test_what_nobody_sees_is_told_and_asks_nobody(apply_site: Apply, change: str) -> None:
    apply_site.publish(site_file())
    plan = apply_site.publish(UNSEEN[change], check_only=True).plan
    told = [*UNSEEN_WORDS[change], "nobody will be asked again: visitors see no difference"]
    assert list(plan.sentences()) == told


def test_no_setting_changes_untold() -> None:
    site = Site("shop", "Shop", ("https://a.example",), "en", "P3Y", "UTC", ())  # type: ignore[arg-type]
    changed = {
        "origins": ("https://b.example",), "default_language": "fr", "proof_retention": "P1Y",
        "time_zone": "Asia/Tokyo", "demo": True, "google": {"layer": "x"}, "sample": 0, "weekly_mail": True,
    }  # fmt: skip
    fields = {**{name: getattr(site, name) for name in site.__slots__}}
    for name, value in changed.items():
        assert setting_differences(site, Site(**{**fields, name: value})), name
    assert not setting_differences(site, Site(**fields))


@pytest.mark.on_both_databases
def test_standing_grants_are_those_that_would_be_asked_again(
    services: Context, apply_site: Apply, clock: Clock, visitors: Posts
) -> None:
    apply_site(site_file())
    expired = visitors.accept()
    clock.advance(days=181)
    first = visitors.accept()
    visitors.refuse()
    # Other words, the same question: these grants stand as well.
    apply_site(site_file(f'{TOP}[texts.fr]\ntitle = "Vos cookies"\n'))
    visitors.accept()
    visitors.accept()
    plan = apply_site.publish(site_file(vendors=VENDORS + TYPEFORM), check_only=True).plan
    assert plan.standing == 3
    assert plan.audience == (
        "visitors who granted will be asked again (about 3 standing grants by the counters), those who refused will not"
    )
    visitors.withdraw(first)
    assert apply_site.publish(site_file(vendors=VENDORS + TYPEFORM), check_only=True).plan.standing == 2
    # Once they were asked again, nobody is there to be asked by the next change.
    apply_site(site_file(vendors=VENDORS + TYPEFORM))
    assert apply_site.publish(site_file(), check_only=True).plan.standing == 0
    assert expired
