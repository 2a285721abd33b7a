"""Sites are shown, given back as files, and retired."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from consent_server.core.context import Context
from consent_server.rates.promote_arm import promote_arm
from consent_server.sites.current_site import CurrentSites
from tests.support.experiment_files import BOX, with_experiment
from tests.support.factories import TOP, Body, site_file
from tests.support.people import Person
from tests.support.sites import Apply
from tests.support.visitor import post

FILE = f"# Ours, since March.\n{site_file()}\n# The end.\n"


@pytest.fixture
def runner(bare_app: Flask) -> FlaskCliRunner:
    return bare_app.test_cli_runner()


def apply(runner: FlaskCliRunner, tmp_path: Path, text: str = FILE) -> str:
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    done = runner.invoke(args=["site", "apply", str(tmp_path / "shop.toml")])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.on_both_databases
def test_a_site_is_given_back_as_the_file_that_was_applied(runner: FlaskCliRunner, tmp_path: Path) -> None:
    apply(runner, tmp_path, site_file())
    first = apply(runner, tmp_path)
    exported = runner.invoke(args=["site", "export", "shop"])
    assert (exported.exit_code, exported.stdout, exported.stderr) == (0, FILE, "")
    again = apply(runner, tmp_path, exported.stdout)
    assert again.split()[1] == first.split()[1]
    assert "settings" not in again


def test_what_no_file_said_is_no_file(runner: FlaskCliRunner, apply_site: Apply) -> None:
    apply_site.publish(site_file())
    refused = runner.invoke(args=["site", "export", "shop"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert runner.invoke(args=["site", "export", "nowhere"]).exit_code == 1


def test_an_export_that_is_no_longer_what_the_site_is_says_so(
    runner: FlaskCliRunner, tmp_path: Path, services: Context
) -> None:
    apply(runner, tmp_path, with_experiment(BOX))
    promote_arm(services.database, "shop", "look", "box", services.now())
    exported = runner.invoke(args=["site", "export", "shop"])
    assert (exported.exit_code, exported.stdout) == (0, with_experiment(BOX))
    assert "look" in exported.stderr


def test_a_site_is_shown(runner: FlaskCliRunner, tmp_path: Path) -> None:
    published = apply(runner, tmp_path).split()[1]
    shown = runner.invoke(args=["site", "show", "shop"]).stdout
    for told in (
        "Example Shop (shop)",
        published,
        "English, French",
        "Google Analytics G-ABCD123456",
        "“first notice”",
    ):
        assert told in shown
    assert runner.invoke(args=["site", "show", "nowhere"]).exit_code == 1


def test_a_retired_site_asks_nobody_and_keeps_what_was_recorded(
    app: Flask, client: FlaskClient, body: Body, services: Context, apply_site: Apply, ada: Person, tmp_path: Path
) -> None:
    run = app.test_cli_runner().invoke
    recorded = post(client, body()).get_json()
    link = "/v1/" + recorded["receipt_url"].partition("/v1/")[2]
    rehearsed = run(args=["site", "retire", "shop", "--dry-run"])
    assert (rehearsed.exit_code, client.get("/widget/shop.js").status_code) == (0, 200)
    asked = run(args=["site", "retire", "shop"])
    assert (asked.exit_code, client.get("/widget/shop.js").status_code) == (1, 200)
    assert run(args=["site", "retire", "shop", "--yes"]).exit_code == 0
    assert services[CurrentSites].look(20)
    for gone in ("/widget/shop.js", "/widget/shop/preferences.js", "/sites/shop/choice", "/sites/shop/declaration"):
        assert client.get(gone).status_code == 404, gone
    assert client.get("/widget/rival.js").status_code == 200
    for path in ("decisions", "shown"):
        sent = body() if path == "decisions" else {"notice": body.notice, "language": "en"}
        assert post(client, sent, path=path).status_code == 404, path
    assert client.get(link, headers={"Accept": "application/jose"}).text == recorded["receipt"]
    assert len(ada.browser.get("/v1/sites/shop/decisions").get_json()["items"]) == 1
    assert run(args=["site", "list"]).stdout.splitlines()[1].endswith("\tretired")
    withdrawn = client.post(f"{link}/withdrawal")
    assert withdrawn.status_code in (200, 303), withdrawn.text
    assert run(args=["ledger", "seal"]).exit_code == 0
    (tmp_path / "shop.toml").write_text(site_file(TOP), "utf-8")
    back = run(args=["site", "apply", str(tmp_path / "shop.toml")])
    assert "the site is shown again" in back.stdout
    assert services[CurrentSites].look(20)
    assert client.get("/widget/shop.js").status_code == 200
