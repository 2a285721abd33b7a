"""Pictures of banners: taken by a real browser from the archive, dated, and kept for good."""

import json
import re
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consent_server.app import create_app
from consent_server.core.context import Context
from consent_server.core.errors import PictureUnavailable
from consent_server.sites import store_configurations as configurations
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.missing_pictures import missing_pictures
from consent_server.widget.chromium import Chromium
from tests.support.factories import ANALYTICS, START, Clock, settings_for, site_file
from tests.support.pictures import rows
from tests.support.sites import Apply

pytestmark = pytest.mark.browser

PHONE = (390, 844)


def take(app: Flask) -> str:
    """What the command says."""
    done = app.test_cli_runner().invoke(args=["notice", "picture", "shop"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.on_both_databases
def test_pictures_are_taken_once_and_dated(app: Flask, client: FlaskClient, notice: str, clock: Clock) -> None:
    page = f"/v1/notices/{notice}?format=html&lang=fr"
    assert "/pictures/" not in client.get(page).text
    clock.advance(hours=1)
    assert take(app) == "4 pictures taken\n"
    clock.advance(hours=1)
    assert take(app) == "0 pictures taken\n"
    shown = client.get(page).text
    assert "Captures d’écran" in shown
    assert "23 novembre 2026" in shown
    links = sorted(set(re.findall(r'src="(/v1/notices/\w+/pictures/\w+\.png)"', shown)))
    assert len(links) == 2
    for link in links:
        answer = client.get(link)
        assert (answer.status_code, answer.mimetype) == (200, "image/png")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert client.get(link, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        size, lines = rows(answer.data)
        assert size in ((1280, 800), PHONE)
        assert len(lines) > 50
    assert client.get(f"/v1/notices/{notice}/pictures/{'0' * 64}.png").status_code == 404
    assert client.get(links[0].replace(notice, "0" * 64)).status_code == 404


def test_site_apply_says_what_is_missing_and_takes_none(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(site_file(), "utf-8")
    said = app.test_cli_runner().invoke(args=["site", "apply", str(file)]).output
    assert "pictures 4 missing; to take them: consent notice picture shop" in said


@pytest.mark.on_both_databases
def test_a_pack_holds_the_pictures_and_what_was_served(app: Flask, services: Context, tmp_path: Path) -> None:
    take(app)
    pack = tmp_path / "pack.zip"
    done = app.test_cli_runner().invoke(args=["evidence", "export", "shop", "-o", str(pack)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(pack) as files:
        pictures = [json.loads(line) for line in files.read("pictures.jsonl").splitlines()]
        served = [json.loads(line) for line in files.read("configurations.jsonl").splitlines()]
        names = files.namelist()
        script = Path(files.extract("verify.py", tmp_path))
    assert {(one["language"], one["width"]) for one in pictures} == {
        (language, width) for language in ("en", "fr") for width in (1280, 390)
    }
    assert all(f"pictures/{one['picture']}.png" in names for one in pictures)
    assert all(one["browser"].startswith("Chromium ") for one in pictures)
    current = services[CurrentSites].get("shop")
    assert {one["language"]: one["main"] for one in served} == {
        language: one.main for language, one in current.configurations.items()
    }
    checked = subprocess.run([sys.executable, "-I", script, pack], capture_output=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout
    assert b"2 configurations, 4 pictures" in checked.stdout


@pytest.mark.on_both_databases
def test_what_was_shown_cannot_be_changed(app: Flask, services: Context) -> None:
    take(app)
    for statement in (
        "UPDATE pictures SET taken_at = 0",
        "DELETE FROM pictures",
        "UPDATE configurations SET main = '{}'",
        "DELETE FROM configurations",
    ):
        with pytest.raises(DBAPIError, match="are kept as they are"), services.database.transaction() as session:
            session.execute(text(statement))


def test_without_a_browser_it_says_what_to_do(tmp_path: Path, database_url: str, apply_site: Apply) -> None:
    apply_site(site_file())
    app = create_app(settings_for(tmp_path, database_url, chromium=str(tmp_path / "no-browser")))
    done = app.test_cli_runner().invoke(args=["notice", "picture", "shop"])
    assert done.exit_code == 1
    assert f"CONSENT_CHROMIUM names {tmp_path}/no-browser" in done.output
    assert app.test_cli_runner().invoke(args=["notice", "picture", "nowhere"]).exit_code == 1
    app.extensions["consent"].database.engine.dispose()


def test_no_browser_on_the_path_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PictureUnavailable, match="apt-get install chromium fonts-dejavu-core"):
        Chromium.find(None)


# What was served


def test_what_is_served_is_archived_as_it_is(services: Context, client: FlaskClient, notice: str) -> None:
    current = services[CurrentSites].get("shop")
    with services.database.reading() as session:
        for language in ("en", "fr"):
            kept = configurations.newest(session, notice, current.widget.hash, language)
            for part, line in (
                ("shop", kept.main), ("shop/preferences", kept.preferences), ("shop/details", kept.details),
            ):  # fmt: skip
                served = client.get(f"/widget/{part}.js?lang={language}").text
                assert served.split("\n")[1] == line
                preview = f"/v1/notices/{notice}/preview/{current.widget.hash}/widget/{part}.js?lang={language}"
                assert client.get(preview).text == served


@pytest.mark.on_both_databases
def test_other_vendor_ids_are_another_configuration_of_the_same_notice(
    services: Context, apply_site: Apply, clock: Clock
) -> None:
    notice = apply_site(site_file(vendors=ANALYTICS))
    clock.advance(hours=1)
    assert apply_site(site_file(vendors=ANALYTICS.replace("G-ABCD123456", "G-NEWER"))) == notice
    current = services[CurrentSites].get("shop")
    with services.database.reading() as session:
        served = list(configurations.of_site(session, current.site_id))
        newest = configurations.newest(session, notice, current.widget.hash, "en")
    assert "G-NEWER" in newest.main
    english = [(one.served_at - START).total_seconds() for one in served if one.configuration.language == "en"]
    assert english == [0, 3600]
    # The banner is the same, and so is its picture.
    assert len(missing_pictures(services.database, "shop")) == 4


def test_what_was_not_shown_is_not_previewed(client: FlaskClient, notice: str, services: Context) -> None:
    widget, preview = services[CurrentSites].get("shop").widget.hash, f"/v1/notices/{notice}/preview"
    assert client.get(preview).status_code == 200
    for query, problem in (
        (f"{preview}?widget={'0' * 64}", "unknown-widget"),
        (f"{preview}?widget=%00", "unknown-widget"),
        (f"{preview}?widget={widget}&lang=de", "unknown-configuration"),
        (f"{preview}?lang=%00x", "unknown-configuration"),
        (f"{preview}/{widget}/widget/shop.js?lang=de", "unknown-configuration"),
    ):
        answer = client.get(query)
        assert (answer.status_code, answer.get_json()["type"]) == (404, f"/problems/{problem}"), query
    assert "iframe" not in client.get(f"/v1/notices/{notice}?format=html&widget={'0' * 64}").text


# The browser


@pytest.fixture(scope="module")
def chromium() -> Chromium:
    """The one that the tests install."""
    return Chromium.find(None)


def test_it_asks_nobody_anything(chromium: Chromium, tmp_path: Path) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def listen() -> None:
            while True:
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(100))
                if asked[-1] == b"end":
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        page = tmp_path / "page.html"
        page.write_text(f'<img src="http://127.0.0.1:{port}/"><img src="http://localhost:{port}/">', "utf-8")
        chromium.picture(page, PHONE, "<img")
        with socket.create_connection(("127.0.0.1", port)) as ours:
            ours.sendall(b"end")
        thread.join()
    assert asked == [b"end"]


def test_a_page_without_its_banner_is_no_picture(chromium: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>Nothing here</p>", "utf-8")
    with pytest.raises(PictureUnavailable, match="without its banner"):
        chromium.picture(page, PHONE, "data-action")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        # Its child holds on to the output as well: it is ended with it, or this would wait a minute.
        ("sleep 60 & sleep 60", "did not finish within 0.3 seconds"),
        ("exit 3", "failed with exit code 3"),
        ("echo data-action", "wrote no picture of 390 by 844"),
    ],
)
def test_a_browser_that_fails_is_told(tmp_path: Path, program: str, said: str) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\n{program}\n", "utf-8")
    browser.chmod(0o755)
    with pytest.raises(PictureUnavailable, match=said):
        Chromium(str(browser), timeout=0.3).picture(tmp_path / "page.html", PHONE, "data-action")


def test_the_servers_secrets_stay_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSENT_SECRET_KEY", "a secret of at least thirty-two characters")
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\necho key:$CONSENT_SECRET_KEY home:$HOME\n", "utf-8")
    browser.chmod(0o755)
    assert Chromium(str(browser)).version.startswith("key: home:")
