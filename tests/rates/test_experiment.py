"""An experiment from the site file to its end: what is kept, served, counted, concluded and promoted."""

import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.audit.report_gaps import report_gaps
from consent_server.core.context import Context
from consent_server.core.errors import ExperimentConflict, InvalidSiteFile, UnknownExperiment
from consent_server.decisions.store_tallies import Cell, add
from consent_server.rates.promote_arm import promote_arm
from consent_server.rates.read import RatesReader
from consent_server.rates.read_experiment import read_experiment
from consent_server.rates.rules import Trials
from consent_server.rates.rules_filters import Filters, Span
from consent_server.sites import store as sites
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_experiments as experiments
from consent_server.sites import store_notices as notices
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.cast import token
from tests.support.experiment_files import BOX, TITLE, hashes, in_force, stored, with_experiment
from tests.support.factories import META, TOP, Body, Clock, site_file
from tests.support.openapi import misfits
from tests.support.people import HTML, Person
from tests.support.rates_page import end_days
from tests.support.sites import Apply
from tests.support.visitor import config, post

PAGE, PATH = "/console/sites/shop/experiment", "/v1/sites/shop/experiment"


def served(client: FlaskClient, language: str = "en") -> dict[str, Any]:
    return config(client.get(f"/widget/shop.js?lang={language}").text)


# Applying


@pytest.mark.on_both_databases
def test_it_starts_goes_on_and_ends_by_the_file(services: Context, apply_site: Apply, clock: Clock) -> None:
    checked = apply_site.publish(with_experiment(BOX, TITLE), check_only=True)
    assert (checked.experiment.starts, len(checked.experiment.arms)) == (True, 3)
    own = apply_site(with_experiment(BOX, TITLE))
    found = stored(services)
    assert found
    assert [(arm.name, arm.weight) for arm in found.arms] == [("control", 50), ("box", 30), ("title", 20)]
    assert found.arms[0].notice.notice.hash == own == in_force(services)
    clock.advance(days=1)
    again = apply_site.publish(with_experiment(BOX, TITLE)).experiment
    assert (again.starts, again.ends, again.key) == (False, None, "look")
    apply_site.publish(with_experiment(BOX, TITLE).replace("G-ABCD123456", "G-OTHER12345"))  # a setting, unseen
    assert apply_site.publish(site_file()).experiment.ends == "look"
    ended = stored(services)
    assert ended
    assert (ended.ended_at, ended.promoted, in_force(services)) == (clock.at, None, own)
    with pytest.raises(ExperimentConflict, match='"look" has ended'):
        apply_site.publish(with_experiment(BOX, TITLE))


@pytest.mark.parametrize(
    "changed",
    [
        with_experiment(BOX), with_experiment(TITLE, BOX), with_experiment(BOX.replace("30", "31"), TITLE),
        with_experiment(BOX, TITLE.replace("Your", "Our")),
        with_experiment(BOX, TITLE, shop=site_file(TOP.replace("Example Shop", "Other Shop"))),
    ],
)  # fmt: skip
def test_what_runs_is_not_changed_under_its_key(services: Context, apply_site: Apply, changed: str) -> None:
    apply_site(with_experiment(BOX, TITLE))
    for check_only in (True, False):
        with pytest.raises(ExperimentConflict, match="another key"):
            apply_site.publish(changed, check_only=check_only)
    assert stored(services, "look") == stored(services)
    renamed = apply_site.publish(changed.replace('"look"', '"second"')).experiment
    assert (renamed.ends, renamed.starts) == ("look", True)
    first, second = stored(services, "look"), stored(services)
    assert first
    assert second
    assert first.ended_at is not None
    assert (second.key, second.ended_at) == ("second", None)


def test_arms_that_show_the_same_are_refused(services: Context, apply_site: Apply) -> None:
    twin = BOX.replace('"box"\nweight', '"twin"\nweight')
    with pytest.raises(InvalidSiteFile) as refused:
        apply_site.publish(with_experiment(BOX, twin, TITLE.replace("Your choice", "Your privacy")))
    assert [(fault.pointer, fault.detail) for fault in refused.value.faults] == [
        ("experiment.arms[1]", 'shows the same as "box"')
    ]
    with pytest.raises(InvalidSiteFile, match='shows the same as "control"'):
        apply_site.publish(with_experiment(BOX.replace('layout = "box"', 'layout = "bar"')))


def test_the_command_names_the_arms(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(with_experiment(BOX, TITLE), "utf-8")
    runner = app.test_cli_runner()
    checked = runner.invoke(args=["site", "apply", str(path), "--check"])
    assert "experiment look would be started\n  50 % control notice " in checked.stdout
    lines = r"experiment look started\n  50 % control notice \w{64}\n  30 % box notice \w{64}\n  20 % title notice"
    assert re.search(lines, runner.invoke(args=["site", "apply", str(path)]).stdout)
    assert "experiment look goes on\n" in runner.invoke(args=["site", "apply", str(path)]).stdout
    path.write_text(site_file(), "utf-8")
    assert "experiment look ended\n" in runner.invoke(args=["site", "apply", str(path)]).stdout


# Serving


def test_the_script_has_the_arms_while_it_runs_and_not_a_byte_else(
    client: FlaskClient, services: Context, apply_site: Apply
) -> None:
    before = client.get("/widget/shop.js").data
    later = [client.get(f"/widget/shop/{part}.js").data for part in ("preferences", "details")]
    apply_site(with_experiment(BOX, TITLE))
    arms = hashes(services)
    for language, title in (("en", "Your choice"), ("fr", None)):
        found = served(client, language)
        box, other = found["arms"]
        assert found["notice"] == arms["control"]
        assert box == {"weight": 30, "notice": arms["box"], "layout": "box"}
        assert (other["weight"], other["notice"]) == (20, arms["title"])
        assert other.get("texts", {}).get("title") == title
    assert [client.get(f"/widget/shop/{part}.js").data for part in ("preferences", "details")] == later
    apply_site(site_file())
    assert client.get("/widget/shop.js").data == before


@pytest.mark.on_both_databases
def test_each_arm_is_archived_as_the_widget_makes_it(client: FlaskClient, services: Context, apply_site: Apply) -> None:
    apply_site(with_experiment(BOX, TITLE))
    found, widget = served(client), services[CurrentSites].get("shop").widget.hash
    arms = found.pop("arms")
    for name, notice_hash in hashes(services).items():
        own: dict[str, Any] = next((arm for arm in arms if arm["notice"] == notice_hash), {})
        drawn = {key: value for key, value in {**found, **own}.items() if key != "weight"}
        with services.database.reading() as session:
            kept = configurations.newest(session, notice_hash, widget, "en")
        assert json.loads(kept.main) == drawn, name
        assert client.get(f"/v1/notices/{notice_hash}").status_code == 200
        preview = client.get(f"/v1/notices/{notice_hash}/preview/{widget}/widget/shop.js")
        assert "arms" not in config(preview.text)


def test_a_decision_names_the_arm_that_was_shown(
    client: FlaskClient, services: Context, apply_site: Apply, body: Body
) -> None:
    apply_site(with_experiment(BOX, TITLE))
    for notice_hash in hashes(services).values():
        assert post(client, {"notice": notice_hash, "language": "en"}, path="shown").status_code == 204
        answer = post(client, body(notice=notice_hash)).get_json()
        assert "stale" not in answer
    apply_site(site_file())
    late = post(client, body(notice=hashes(services)["box"]))
    assert (late.status_code, late.get_json()["stale"]) == (201, True)


@pytest.mark.on_both_databases
def test_the_evidence_holds_the_notices_of_arms(
    app: Flask, client: FlaskClient, services: Context, apply_site: Apply, body: Body, clock: Clock, tmp_path: Path
) -> None:
    clock.advance(hours=1)
    apply_site(with_experiment(BOX, TITLE))
    clock.advance(hours=1)
    box = hashes(services)["box"]
    assert post(client, body(notice=box)).status_code == 201
    pack_file, runner = tmp_path / "shop.zip", app.test_cli_runner()
    assert runner.invoke(args=["evidence", "export", "shop", "-o", str(pack_file)]).exit_code == 0
    with zipfile.ZipFile(pack_file) as pack:
        lines = [json.loads(line) for line in pack.read("publications.jsonl").splitlines()]
        assert f"notices/{box}.json" in pack.namelist()
        assert [one["notice"] for one in lines] == [hashes(services)[arm] for arm in ("control", "box", "title")]
    verified = runner.invoke(args=["evidence", "verify", str(pack_file)])
    assert verified.exit_code == 0, verified.output
    found = report_gaps(services.database, services.keys.ring, services[CurrentSites].get("shop").site_id)
    assert {one.notice: one.first is not None for one in found.notices}[box]


# Reading


def count(services: Context, day: str, arm: str, shown: int, accepted: int) -> None:
    """Views and first choices of a day under an arm's notice; whoever does not accept, of 350 views, refuses."""
    with services.database.transaction() as session:
        site_id = sites.get(session, "shop").id
        found = experiments.get(session, site_id)
        assert found
        notice_id = next(one.notice.id for one in found.arms if one.name == arm)
        outcomes = {"shown": shown, "first:accept_all:advertising,analytics": accepted}
        outcomes["first:refuse_all"] = max(350 - accepted, 0) if accepted else 0
        cells = {Cell(site_id, notice_id, f"{day}T12", "en", "desktop", "", out): n for out, n in outcomes.items()}
        add(session, Counter({cell: n for cell, n in cells.items() if n}))


@pytest.fixture
def ten_days(app: Flask, services: Context, apply_site: Apply, clock: Clock) -> None:
    """Ten days of an arm at 50 % against a control at 40 %, after two days that are not counted."""
    apply_site(with_experiment(BOX.replace("30", "50")))
    for day in range(23, 31):
        # The 23rd has the start, the 24th may still have old scripts: whatever was counted then says nothing.
        accepted = 0 if day < 25 else 200
        count(services, f"2026-11-{day}", "control", 500, accepted)
        count(services, f"2026-11-{day}", "box", 500, 0 if day < 25 else 250)
    for day in range(1, 5):
        count(services, f"2026-12-0{day}", "control", 500, 200)
        count(services, f"2026-12-0{day}", "box", 500, 250)
    clock.advance(days=12)  # the 5th of December, of which nothing is told yet
    end_days(services)
    count(services, "2026-12-05", "control", 400, 400)


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("ten_days")
def test_known_counts_give_known_figures_and_a_sentence(services: Context, clock: Clock) -> None:
    found = read_experiment(services[RatesReader], "shop")
    assert found.span
    assert (str(found.span.first), str(found.span.last)) == ("2026-11-25", "2026-12-04")
    control, box = found.arms
    assert (control.name, control.weight, control.figures.totals.shown) == ("control", 50, 5000)
    assert (box.figures.totals.accept_all, box.figures.totals.rate("opt_in").value) == (2500, 0.5)
    assert dict(found.result.totals) == {"control": Trials(2000, 5000), "box": Trials(2500, 5000)}
    (one,) = found.result.comparisons
    assert one.rates["opt_in"].difference == pytest.approx(0.1)
    assert one.rates["opt_in"].p < 0.001
    assert found.result.shares_p == 1.0
    assert found.result.conclusion.text.startswith("box is better than control: the opt-in rate ")


@pytest.mark.on_both_databases
@pytest.mark.usefixtures("ten_days")
def test_after_its_end_it_says_the_same_for_ever(services: Context, apply_site: Apply, clock: Clock) -> None:
    before = read_experiment(services[RatesReader], "shop")
    apply_site(site_file())
    clock.advance(days=40)
    after = read_experiment(services[RatesReader], "shop", "look")
    assert (after.span, after.result) == (before.span, before.result)
    with pytest.raises(UnknownExperiment):
        read_experiment(services[RatesReader], "shop", "other")


def test_before_a_day_is_over_nothing_is_concluded(services: Context, apply_site: Apply, clock: Clock) -> None:
    apply_site(with_experiment(BOX))
    found = read_experiment(services[RatesReader], "shop")
    assert (found.span, found.result.conclusion.key, found.arms[0].figures.totals.shown) == (None, "too_early", 0)


@pytest.mark.usefixtures("ten_days")
def test_the_dashboard_knows_the_notices_of_arms(services: Context, clock: Clock) -> None:
    today = clock().date()
    with services[RatesReader].site("shop") as site:
        found = site.dashboard(Filters(Span(today.replace(day=1), today)))
    assert set(found.rates.known) == set(hashes(services).values())


@pytest.mark.usefixtures("ten_days")
def test_the_json_is_as_described_and_for_marketers(app: Flask, client: FlaskClient) -> None:
    answer = client.get(PATH, headers=token(app, "marketer", "shop"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    found = answer.get_json()
    assert misfits({"$ref": "#/components/schemas/Experiment"}, found) == []
    assert (found["conclusion"]["key"], found["shares"]["match"], found["experiments"]) == ("better", True, ["look"])
    assert [arm["rates"]["opt_in"]["value"] for arm in found["arms"]] == [0.4, 0.5]
    for role, site, status in (("marketer", "rival", 403), ("auditor", "shop", 403), ("operator", "shop", 200)):
        assert client.get(PATH, headers=token(app, role, site)).status_code == status
    assert client.get(PATH).status_code == 401
    operator = token(app, "operator")
    assert client.get(f"{PATH}?experiment=none", headers=operator).status_code == 404
    assert client.get(f"{PATH}?experiment=A", headers=operator).status_code == 400
    assert client.get("/v1/sites/rival/experiment", headers=operator).status_code == 404


# Promoting


@pytest.mark.on_both_databases
def test_an_arm_becomes_the_notice_and_an_old_file_does_not_undo_it(
    services: Context, apply_site: Apply, clock: Clock
) -> None:
    apply_site(with_experiment(BOX, TITLE))
    arms = hashes(services)
    clock.advance(days=9)
    promote_arm(services.database, "shop", "look", "title", clock())
    found = stored(services)
    assert found
    assert (in_force(services), found.promoted, found.ended_at) == (arms["title"], "title", clock())
    for again in ("title", "control"):
        with pytest.raises(ExperimentConflict, match="already ended"):
            promote_arm(services.database, "shop", "look", again, clock())
    with pytest.raises(ExperimentConflict) as refused:
        apply_site.publish(with_experiment(BOX, TITLE))
    assert [fault.pointer for fault in refused.value.faults] == ["texts.en.title"]
    # Neither without the experiment, nor with another change beside it, nor under a new key.
    old = (site_file(), site_file(vendors=META), with_experiment(BOX, key="next"))
    for text in old:
        with pytest.raises(ExperimentConflict, match="--undo-promotion"):
            apply_site.publish(text)
    moved = site_file(f'{TOP}[texts.en]\ntitle = "Your choice"\n')
    with pytest.raises(ExperimentConflict, match='with "title" made the notice'):
        apply_site.publish(with_experiment(BOX, shop=moved))
    assert not apply_site.publish(moved).new_notice
    assert apply_site.publish(moved.replace("Your choice", "You choose")).new_notice
    assert apply_site.publish(site_file()).new_notice  # what is in force now is nobody's arm


def test_who_wants_the_old_notice_back_says_so(services: Context, apply_site: Apply, clock: Clock) -> None:
    own = apply_site(with_experiment(BOX))
    promote_arm(services.database, "shop", "look", "box", clock())
    declared, url = read_site_file(site_file()), services.settings.public_url
    assert publish_notice(services.database, declared, url, clock(), undo_promotion=True).notice == own
    assert in_force(services) == own


def test_to_keep_the_control_ends_it_and_publishes_nothing(services: Context, apply_site: Apply, clock: Clock) -> None:
    own = apply_site(with_experiment(BOX))
    promote_arm(services.database, "shop", "look", "control", clock())
    assert in_force(services) == own
    assert not apply_site.publish(site_file()).new_notice
    with services.database.reading() as session:
        assert len(list(notices.publications(session, sites.get(session, "shop").id))) == 1
    for experiment, arm in (("look", "none"), ("none", "box")):
        with pytest.raises(UnknownExperiment):
            promote_arm(services.database, "shop", experiment, arm, clock())


# The console


def test_the_page_before_any_experiment_says_how_to_begin(olga: Person) -> None:
    page = olga.open(PAGE)
    assert page.status_code == 200
    example = page.text.partition("<code>[experiment]")[2].partition("</code>")[0].replace("&#34;", '"')
    assert read_site_file(f"{site_file()}\n[experiment]{example}")["experiment"]["arms"][0]["name"] == "short"


@pytest.mark.usefixtures("ten_days")
def test_marketers_read_and_promote_on_their_own_sites(
    people: dict[str, Person], services: Context, client: FlaskClient
) -> None:
    for name, status in {"olga": 200, "max": 200, "ada": 403, "rita": 403}.items():
        assert people[name].browser.get(PAGE, headers=HTML).status_code == status, name
    for name in ("max", "olga"):
        page = people[name].open(PAGE).text
        assert "box is better than control: the opt-in rate " in page
        assert page.count('name="arm"') == 2
    sent = {"experiment": "look", "arm": "box"}
    assert people["max"].browser.post(PAGE, data=sent).status_code == 403  # without the token of a form
    for name in ("ada", "rita"):
        assert people[name].send(PAGE, sent, at="/console").status_code == 403
    assert people["max"].send(PAGE.replace("shop", "rival"), sent, at=PAGE).status_code == 403
    assert stored(services).ended_at is None  # type: ignore[union-attr]
    answer = people["max"].send(PAGE, sent, at=PAGE)
    assert (answer.status_code, answer.location) == (303, PAGE)
    ended = people["max"].open(PAGE).text
    assert "“box” was made the notice of the site" in ended
    assert 'name="arm"' not in ended
    assert in_force(services) == hashes(services)["box"]
    assert people["olga"].send(PAGE, sent, at="/console").status_code == 409
