"""A new notice is published only when a visitor would see a difference (docs/formats/site.md, section 10)."""

import re

import pytest
from sqlalchemy import func, select

from consent_server.core.context import Context
from consent_server.sites.configure_widget import _shown
from consent_server.sites.rows import NoticeRow, PublicationRow
from tests.support.factories import CALLBELL, TOP, Clock, notice_of, site_file
from tests.support.site_changes import ASKED_AGAIN, SEEN, UNSEEN
from tests.support.sites import Apply, in_force


@pytest.mark.parametrize("change", SEEN)
def test_what_a_visitor_sees_makes_a_new_notice(change: str) -> None:
    assert notice_of(SEEN[change]).hash != notice_of(site_file()).hash


@pytest.mark.parametrize("change", UNSEEN)
def test_what_a_visitor_does_not_see_makes_none(change: str) -> None:
    assert notice_of(UNSEEN[change]).hash == notice_of(site_file()).hash


def test_comments_order_and_written_defaults_make_none() -> None:
    turned = "\n".join(reversed(TOP.splitlines()))
    banner = '[banner]\nlayout = "bar"\ncorner = "start"\nradius = 9\n'
    written = f'# A comment\n{turned}\nmode = "basic"\nchoice_days = 180\n{banner}'
    assert notice_of(site_file(written)).hash == notice_of(site_file()).hash


HOSTED = (
    '[[vendors]]\nkey = "heat-map"\nname = "Heat Map"\npurposes = ["analytics"]\npolicy_url = "https://h.example/"\n'
    'hosts = ["h.example"]\n[vendors.operator]\nname = "H"\naddress = "A"\ncountry = "DE"\n'
)


def test_hosts_make_none() -> None:
    one, other = site_file(vendors=HOSTED), site_file(vendors=HOSTED.replace('["h.example"]', '["i.example"]'))
    assert notice_of(one).hash == notice_of(other).hash


def counts(services: Context) -> tuple[int, int]:
    with services.database.reading() as session:
        tables = (NoticeRow, PublicationRow)
        notices, publications = (session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    return notices, publications


@pytest.mark.on_both_databases
def test_the_same_file_twice_publishes_nothing(services: Context, apply_site: Apply, clock: Clock) -> None:
    first = apply_site.publish(site_file())
    clock.advance(days=1)
    again = apply_site.publish(site_file())
    assert (first.new_notice, first.settings_changed, first.plan.previous) == (True, True, None)
    assert (again.new_notice, again.settings_changed, again.plan.previous) == (False, False, first.notice)
    assert counts(services) == (1, 1)


@pytest.mark.on_both_databases
def test_a_check_changes_nothing(services: Context, apply_site: Apply) -> None:
    checked = apply_site.publish(site_file(), check_only=True)
    assert checked.new_notice
    assert counts(services) == (0, 0)
    applied = apply_site.publish(site_file())
    assert applied.notice == checked.notice
    assert apply_site.publish(SEEN["name"], check_only=True).notice != applied.notice
    assert counts(services) == (1, 1)


@pytest.mark.on_both_databases
def test_settings_take_effect_without_a_new_notice(services: Context, apply_site: Apply) -> None:
    apply_site.publish(site_file())
    for text in UNSEEN.values():
        published = apply_site.publish(text)
        assert (published.new_notice, published.settings_changed) == (False, True)
    assert counts(services) == (1, 1)


@pytest.mark.on_both_databases
def test_a_notice_that_comes_back_is_published_again_and_stored_once(services: Context, apply_site: Apply) -> None:
    first = apply_site.publish(site_file()).notice
    apply_site.publish(SEEN["name"])
    back = apply_site.publish(site_file())
    assert (back.notice, back.new_notice) == (first, True)
    assert counts(services) == (2, 3)


def test_the_example_applies(services: Context, apply_site: Apply) -> None:
    published = apply_site.publish(CALLBELL.read_text("utf-8"))
    with services.database.reading() as session:
        body = bytes(session.scalars(select(NoticeRow.body)).one()).decode()
    assert published.site.key == "callbell"
    names = ("Callbell S.A.S.", "Carlo Morandi", "2021-01-03", "2020-11-11", "Facebook Ireland Ltd.", "Google Inc")
    assert all(name in body for name in names)
    assert not re.search(
        r"\{\w+\}", re.sub(r"\{(vendor|purpose|declared|recipient|reference|at|by|state|names)\}", "", body)
    )


@pytest.mark.parametrize("change", sorted(ASKED_AGAIN))
def test_who_granted_is_asked_again_when_the_consent_rests_on_something_else(
    services: Context, apply_site: Apply, change: str
) -> None:
    apply_site.publish(site_file())
    before = in_force(services).revision
    apply_site.publish(SEEN[change])
    assert in_force(services).revision != before


@pytest.mark.parametrize("change", sorted(set(SEEN) - ASKED_AGAIN - {"vendors in another order"}))
def test_a_change_of_words_is_not_a_new_question(services: Context, apply_site: Apply, change: str) -> None:
    apply_site.publish(site_file())
    before = in_force(services).revision
    apply_site.publish(SEEN[change])
    assert in_force(services).revision == before


def test_the_order_of_vendors_is_not_a_new_question(services: Context, apply_site: Apply) -> None:
    apply_site.publish(site_file())
    before = in_force(services).revision
    apply_site.publish(SEEN["vendors in another order"])
    assert in_force(services).revision == before


@pytest.mark.parametrize("mode", ["basic", "advanced"])
def test_layer_one_says_that_a_tag_runs_before_a_choice_where_one_does(mode: str) -> None:
    body = notice_of(site_file(f'{TOP}mode = "{mode}"\n')).body
    (said,) = [text for name, _, text in _shown(body, "fr") if name == "p"]
    intro = body["texts"]["fr"]["banner"]["intro"]
    assert said.startswith(intro)
    assert (len(said) > len(intro)) == (mode == "advanced")
