"""A notice of long ago is shown as it was: by its own code with its own configuration, whatever came since."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.servers import ConsentServer
from tests.support.factories import site_file
from tests.support.pictures import rows

# Code of another age: it knows nothing of the configuration of today, nor today's code of this one.
MAIN = """\
((said)=>{const box=document.createElement("dialog");box.open=true;box.textContent=said.wording[0];\
const yes=document.createElement("button");yes.dataset.action="accept";yes.textContent=said.wording[1];\
box.append(yes);const put=()=>document.body.append(box);\
document.body?put():addEventListener("DOMContentLoaded",put)})"""
PREFERENCES = "((more)=>{document.querySelector('dialog').append(more.all.join())})"
CODE = f"{MAIN}\n{PREFERENCES}"
WIDGET = hashlib.sha256(CODE.encode()).hexdigest()
FIRST, SECOND = {"wording": ["As it was said in 2019", "Fine by me"]}, {"all": [1, 2]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsentServer]:
    """A server whose notice was first shown by that code."""
    server = ConsentServer(tmp_path_factory.mktemp("archive"))
    server.prepare(site_file())
    first, second = json.dumps(FIRST), json.dumps(SECOND)
    digest = hashlib.sha256(f"{first}\n{second}".encode()).hexdigest()
    with closing(sqlite3.connect(server.folder / "instance" / "consent.sqlite3")) as database:
        database.execute("INSERT INTO widgets VALUES (?, ?, 0)", (WIDGET, CODE))
        database.execute(
            "INSERT INTO configurations (notice_id, widget, language, hash, main, preferences, served_at)"
            " SELECT id, ?, 'en', ?, ?, ?, 0 FROM notices",
            (WIDGET, digest, first, second),
        )
        database.commit()
    server.start()
    yield server
    server.stop()


def test_an_old_notice_is_shown_by_its_own_code(server: ConsentServer, quiet: Page) -> None:
    notice = hashlib.sha256(server.get("/v1/sites/shop/notice")[1]).hexdigest()
    quiet.goto(f"{server.url}/v1/notices/{notice}?lang=en&widget={WIDGET}")
    frame = quiet.frame_locator("iframe")
    expect(frame.get_by_role("dialog")).to_contain_text("As it was said in 2019")
    scripts = f"/v1/notices/{notice}/preview/{WIDGET}/widget"
    for script, code, given in (("shop.js", MAIN, FIRST), ("shop/preferences.js", PREFERENCES, SECOND)):
        assert server.get(f"{scripts}/{script}?lang=en")[1].decode() == f"{code}(\n{json.dumps(given)}\n)\n"
    # There was no third script then.
    assert server.get(f"{scripts}/shop/details.js?lang=en")[0] == 404


def test_its_picture_is_taken_from_the_archive(server: ConsentServer) -> None:
    server.command("notice", "picture", "shop")
    with closing(sqlite3.connect(server.folder / "instance" / "consent.sqlite3")) as database:
        query = "SELECT width, png FROM pictures WHERE widget = ? AND language = 'en'"
        taken = dict(database.execute(query, (WIDGET,)).fetchall())
    assert taken.keys() == {1280, 390}
    for width, png in taken.items():
        size, lines = rows(png)
        assert size[0] == width
        # Two short lines of text and a button on an empty page.
        assert len(lines) > 20
