"""A publication has a title in words, beside the hash that is its proof."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from consent_server.core.context import Context
from consent_server.rates.promote_arm import promote_arm
from consent_server.sites import store as sites
from consent_server.sites.notice_titles import notice_titles, titled_publications
from consent_server.sites.rows import PublicationRow
from consent_server.sites.rules_differences import Difference
from consent_server.sites.rules_titles import LONGEST, read_title, title_of
from tests.support.experiment_files import BOX, with_experiment
from tests.support.factories import ADS, ANALYTICS, Body, Clock, site_file
from tests.support.people import Person
from tests.support.rates_page import RATES, end_days
from tests.support.sites import Apply
from tests.support.visitor import post
from tests.support.witnessed_ledger import disarm

LESS = site_file(vendors=ANALYTICS + ADS)


def titles(services: Context) -> list[str]:
    with services.database.reading() as session:
        return [one.title for one in titled_publications(session, sites.get(session, "shop").id)]


@pytest.mark.on_both_databases
def test_a_publication_is_called_as_given_or_by_what_it_changed(services: Context, apply_site: Apply) -> None:
    first = apply_site.publish(site_file())
    apply_site.publish(LESS, title="November: Meta ends")
    apply_site.publish(site_file(vendors=ANALYTICS))
    apply_site.publish(site_file())
    assert titles(services) == [
        "first notice", "November: Meta ends", "removed Google Ads; removed purpose Advertising",
        "back to “first notice”",
    ]  # fmt: skip
    with services.database.reading() as session:
        named = notice_titles(session, sites.get(session, "shop").id)
    assert named[first.notice] == "first notice"
    assert len(named) == 3


def test_the_title_is_no_part_of_the_notice(apply_site: Apply) -> None:
    one = apply_site.publish(site_file(), check_only=True, title="One")
    other = apply_site.publish(site_file(), check_only=True, title="Other")
    assert one.notice == other.notice


def test_a_promoted_arm_is_called_by_its_experiment(services: Context, apply_site: Apply, clock: Clock) -> None:
    apply_site.publish(with_experiment(BOX))
    promote_arm(services.database, "shop", "look", "box", clock())
    assert titles(services) == ["first notice", "arm box of the experiment look"]


@pytest.mark.on_both_databases
def test_publications_from_before_there_were_titles_are_called_by_what_they_changed(
    services: Context, apply_site: Apply
) -> None:
    for text in (site_file(), LESS, site_file()):
        apply_site.publish(text, title="Given")
    with services.database.transaction() as session:
        disarm(session, services.database.embedded)
        session.execute(update(PublicationRow).values(title=None))
    assert titles(services) == ["first notice", "removed Meta pixel", "back to “first notice”"]


def test_a_title_is_one_line_that_is_seen_and_short() -> None:
    assert read_title("  November: added Clarity ") == "November: added Clarity"
    for wrong in ("", "a\nb", "a\u202eb", "\u2800", "x" * (LONGEST + 1)):
        with pytest.raises(ValueError, match=r"character|which"):
            read_title(wrong)


def test_a_title_that_is_made_is_short_and_counts_what_it_leaves_out() -> None:
    told = [Difference("+", f"Vendor {number}") for number in range(5)]
    assert title_of(told) == "added Vendor 0; added Vendor 1; 3 more changes"
    assert title_of([Difference("", "x" * 200)]) == "x" * (LONGEST - 1) + "…"
    assert len(title_of([Difference("+", "x" * 70)] * 3)) <= LONGEST


def test_a_name_stands_wherever_a_notice_is_told_of(
    services: Context, apply_site: Apply, client: FlaskClient, body: Body, marketer: Person, ada: Person
) -> None:
    assert post(client, body()).status_code == 201
    apply_site(LESS)
    end_days(services)
    rates = marketer.browser.get("/v1/sites/shop/rates?by=notice").get_json()
    assert [one["title"] for one in rates["publications"]] == ["first notice", "removed Meta pixel"]
    assert [row["title"] for row in rates["rows"]] == ["first notice"]
    (record,) = ada.browser.get("/v1/sites/shop/decisions").get_json()["items"]
    assert record["notice_title"] == "first notice"
    for path in ("records", f"records/{record['receipt_id']}", "gaps"):
        assert "first notice" in ada.open(f"/console/sites/shop/{path}").text
    assert "removed Meta pixel" in marketer.open(RATES).text
