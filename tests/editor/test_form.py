"""The form of a site, sent and published: the same text, bytes and hash as by a command."""

from collections.abc import Callable

from consent_server.core.context import Context
from consent_server.editor.open_draft import open_draft

from .conftest import FILE, SETTINGS, Editor


def draft(services: Context, key: str = "shop") -> str:
    opened = open_draft(services.database, key)
    assert opened.draft is not None
    return opened.draft.text


def publish(editor: Editor, **more: str) -> int:
    editor.path = f"{SETTINGS}/plan"
    editor.open()
    given = {"draft": editor.hidden("draft"), "state": editor.hidden("state"), **more}
    return editor.person.browser.post(
        editor.path, data={"form_token": editor.hidden("form_token"), **given}
    ).status_code


def test_a_form_that_is_sent_as_it_was_makes_no_draft(editor: Editor, kept: Context) -> None:
    assert "Settings" in editor.page
    answer = editor.send(name="Example Shop", choice_days="", origins="https://shop.example\r\nhttp://127.0.0.1:*")
    assert answer.status_code == 303
    assert open_draft(kept.database, "shop").draft is None


def test_what_is_changed_in_the_form_is_the_file_that_a_command_would_apply(
    editor: Editor, kept: Context, exported: Callable[[], str]
) -> None:
    assert editor.send(name="Other Shop", choice_days="90", texts__fr__title="Vos choix").status_code == 303
    written = FILE.replace('"Example Shop"', '"Other Shop"', 1)
    assert draft(kept).startswith("# The shop.\n" + written.split("\n")[1])
    assert publish(editor, title="Another name") == 200
    assert open_draft(kept.database, "shop").draft is None
    by_hand = written.replace('languages = ["en", "fr"]', 'languages = ["en", "fr"]\nchoice_days = 90')
    assert exported() == f'{by_hand}\n[texts.fr]\ntitle = "Vos choix"\n'
    served = editor.person.app.test_client().get("/v1/sites/shop/notice")
    del served
