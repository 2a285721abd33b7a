"""The frame of a preview: the real widget with what stands in the form, and nothing that reaches anybody."""

import base64
import hashlib
import json
import re

import pytest
from flask import Flask
from sqlalchemy import text as sql

from consent_server.core.context import Context
from consent_server.editor.open_draft import open_draft
from consent_server.sites.widget_code import widget_code
from tests.support.people import HTML

from .conftest import SETTINGS, Editor

PREVIEW = f"{SETTINGS}/preview"
COUNTED = ("decisions", "tallies", "drafts", "configurations", "widgets", "notices")


def scripts(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def counts(services: Context) -> list[int]:
    with services.database.reading() as session:
        return [session.execute(sql(f"SELECT count(*) FROM {name}")).scalar_one() for name in COUNTED]


def test_it_runs_the_widget_that_visitors_are_served(editor: Editor) -> None:
    page = editor.send(to=PREVIEW, name="Preview Shop", banner__layout="box", **{"preview-language": "fr"}).text
    main, preferences, details = scripts(page)
    code, _, data = main.partition("(\n")
    assert code == widget_code(["google", "meta"], ["box"]).main
    config = json.loads(data.removesuffix("\n)\n"))
    assert (config["layout"], config["language"]) == ("box", "fr")
    assert "Preview Shop" in json.dumps(config["shown"])
    assert preferences.startswith(widget_code((), ()).preferences)
    assert details.startswith(widget_code((), ()).details)


def test_nothing_is_saved_and_nothing_counted(editor: Editor, kept: Context) -> None:
    before = counts(kept)
    assert editor.send(to=PREVIEW, name="Other").status_code == 200
    assert counts(kept) == before
    assert open_draft(kept.database, "shop").draft is None


def test_its_policy_lets_these_scripts_run_and_nothing_out(editor: Editor) -> None:
    answer = editor.send(to=PREVIEW)
    policy = answer.headers["Content-Security-Policy"]
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts(answer.text)]
    named = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert f"script-src 'self' {named}; " in policy
    for part in ("sandbox allow-scripts;", "default-src 'none'", "connect-src 'none'", "frame-ancestors 'self'"):
        assert part in policy
    assert "unsafe" not in policy


def test_what_is_wrong_is_said_in_the_frame(editor: Editor) -> None:
    page = editor.send(to=PREVIEW, **{"vendors[0].id": "<G>"}).text
    assert scripts(page) == []
    assert "&#34;&lt;G&gt;&#34; is not an id of Google Analytics" in page


def test_markup_in_a_text_ends_no_script(editor: Editor) -> None:
    page = editor.send(to=PREVIEW, texts__en__title="</script><script>alert(1)</script>").text
    assert len(scripts(page)) == 3
    assert "<script>alert" not in page


@pytest.mark.parametrize(("into", "status"), [("iframe", 200), ("document", 200)])
def test_a_form_of_ours_may_open_it_in_a_frame_and_no_other(editor: Editor, into: str, status: int) -> None:
    editor.person.browser.environ_base["HTTP_SEC_FETCH_DEST"] = into
    assert editor.send(to=PREVIEW).status_code == status
    # Without what stands in our form a frame has no session, and neither have the pages themselves in one.
    refused = editor.person.browser.post(PREVIEW, data={"form_token": "x" * 43}, headers=HTML)
    assert refused.status_code == 403
    if into == "iframe":
        assert editor.person.browser.get(SETTINGS, headers=HTML).status_code == 403
        assert editor.send(name="Framed").status_code == 403


def test_a_saved_draft_has_a_frame_for_who_holds_its_link_until_it_is_another(editor: Editor, app: Flask) -> None:
    editor.send(name="Other Shop")
    page = editor.person.open(f"{SETTINGS}/plan").text
    links = re.findall(r'src="(/previews/[^"]+)"', page)
    stranger = app.test_client()
    shown = [stranger.get(link).text for link in links]
    assert ["Other Shop" in one for one in shown] == [False, True]
    assert stranger.get(links[1].replace("shop%3A", "rival%3A").replace("shop:", "rival:")).status_code == 404
    editor.open().send(name="Third Shop")
    assert [stranger.get(link).status_code for link in links] == [200, 404]
