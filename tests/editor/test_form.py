"""The form of a site, sent and published: the same text, bytes and hash as by a command."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.editor.open_draft import open_draft
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file
from tests.support.factories import ADS, META, Body, Clock, notice_of, site_file
from tests.support.people import Person
from tests.support.visitor import post

from .conftest import FILE, SETTINGS, Editor

PLAN = f"{SETTINGS}/plan"
CLARITY = '[[vendors]]\nkey = "microsoft-clarity"\nid = "abcde12345"\n'


def draft(services: Context, key: str = "shop") -> str:
    found = open_draft(services.database, key).draft
    assert found is not None
    return found.text


def apply(services: Context, text: str) -> str:
    """What `site apply` does."""
    url, now = services.settings.public_url, services.now()
    return publish_notice(services.database, read_site_file(text), url, now, text=text).notice


def words(page: str) -> str:
    """What is read of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_a_form_that_is_sent_as_it_was_makes_no_draft(editor: Editor, kept: Context) -> None:
    answer = editor.send(name="Example Shop", choice_days="", origins="https://shop.example\r\nhttp://127.0.0.1:*")
    assert answer.status_code == 303
    assert open_draft(kept.database, "shop").draft is None


@pytest.mark.on_both_databases
def test_the_form_publishes_the_bytes_of_the_file_that_a_command_would_apply(
    editor: Editor, kept: Context, exported: Callable[[], str], client: FlaskClient
) -> None:
    editor.send(name="Other Shop", choice_days="90", texts__fr__title="Vos choix")
    by_hand = FILE.replace('"Example Shop"', '"Other Shop"', 1)
    by_hand = by_hand.replace('languages = ["en", "fr"]', 'languages = ["en", "fr"]\nchoice_days = 90')
    by_hand += '\n[texts.fr]\ntitle = "Vos choix"\n'
    assert draft(kept) == by_hand
    assert editor.publish(title="Another name").status_code == 200
    assert open_draft(kept.database, "shop").draft is None
    assert exported() == by_hand
    in_force = client.get(f"/v1/notices/{notice_of(by_hand).hash}")
    assert in_force.status_code == 200
    # The command has nothing left to do.
    url, now = kept.settings.public_url, kept.now()
    again = publish_notice(kept.database, read_site_file(by_hand), url, now, check_only=True)
    assert (again.new_notice, again.settings_changed, again.notice) == (False, False, notice_of(by_hand).hash)


def test_a_vendor_is_picked_by_its_name_moved_and_removed(editor: Editor, kept: Context) -> None:
    editor.send("add vendors[3]", **{"vendors[3].key": "Microsoft Clarity", "vendors[3].id": "abcde12345"})
    assert draft(kept) == f"{FILE.rstrip()}\n\n{CLARITY}"
    editor.open().send("up vendors[3]")
    assert read_site_file(draft(kept))["vendors"][2]["key"] == "microsoft-clarity"
    editor.open().send("remove vendors[0]")
    keys = [vendor["key"] for vendor in read_site_file(draft(kept))["vendors"]]
    assert keys == ["google-ads", "microsoft-clarity", "meta-pixel"]
    editor.open().send(**{"vendors[0].conversions": "signup = AbC-D_efGhIj\r\norder = XyZ-D_efGhIj"})
    assert 'conversions = {signup = "AbC-D_efGhIj", order = "XyZ-D_efGhIj"}' in draft(kept)


def test_regions_and_an_experiment_are_made_in_the_form(editor: Editor, kept: Context) -> None:
    region = {"regions[0].key": "america", "regions[0].places": "US, CA-QC", "regions[0].rule": "opt-out"}
    arm = {
        "experiment.arms[0].name": "box",
        "experiment.arms[0].weight": "50",
        "experiment.arms[0].banner.layout": "box",
    }
    editor.send(**region, **arm, experiment__key="spring")
    declared = read_site_file(draft(kept))
    assert [one["places"] for one in declared["regions"]] == [["US", "CA-QC"]]
    assert [(one["name"], one["weight"]) for one in declared["experiment"]["arms"]] == [("box", 50)]
    assert "Draft , 2 changes" in words(editor.open().page)
    plan = words(editor.person.open(PLAN).text)
    assert "america" in plan
    assert "Elsewhere nobody will be asked again" in plan
    editor.send("remove experiment")
    assert "experiment" not in read_site_file(draft(kept))


def test_languages_keep_their_order_and_are_all_taken_out_by_no_accident(editor: Editor, kept: Context) -> None:
    editor.send(languages=["", "de", "fr", "en"])
    assert read_site_file(draft(kept))["languages"] == ["en", "fr", "de"]
    editor.open().send(name="Other")
    assert read_site_file(draft(kept))["languages"] == ["en", "fr", "de"]


def test_what_is_wrong_is_kept_and_said_beside_its_field_and_above(editor: Editor, kept: Context) -> None:
    wrong = {
        "vendors[0].id": "G-x",
        "vendors[2].id": "",
        "choice_days": "often",
        "origins": "https://shop.example\nshop",
    }
    editor.send(**wrong)
    page = editor.open().page
    assert 'value="G-x"' in page
    for anchor, said in (
        ("f-vendors-0-id", '"G-x" is not an id of Google Analytics: it begins with G-, as in G-SHOP123456'),
        ("f-vendors-2-id", "is missing"), ("f-choice-days", "a whole number is expected"), ("f-origins", "shop"),
    ):  # fmt: skip
        assert f'href="#{anchor}"' in page
        assert f'id="{anchor}"' in page
        fault = re.search(rf'id="{anchor}-fault">([^<]*)<', page)
        assert fault, anchor
        assert said in unescape(fault[1])
    line = draft(kept).split("\n").index('id = "G-x"') + 1
    assert f"line {line} of the file" in words(page)
    assert "4 things to mend" in words(page)
    refused = editor.person.open(PLAN)
    assert "This cannot be published yet" in refused.text
    assert 'name="state"' not in refused.text


def test_the_draft_is_a_file_too_and_may_be_wrong(editor: Editor, kept: Context) -> None:
    editor.path = f"{SETTINGS}/file"
    editor.open()
    editor.send(text="name = \r\nkey = 5")
    assert draft(kept) == "name = \nkey = 5"
    # No form can show it.
    assert editor.person.open(SETTINGS).location.endswith("/settings/file")
    assert "line 1" in words(editor.open().page)
    editor.send(text=FILE.replace("languages", "langauges"))
    assert "Did you mean languages ?" in words(editor.open().page)
    editor.send(text=FILE.replace('key = "shop"', 'key = "rival"'))
    assert '"rival" is another site; here it stays "shop"' in words(editor.open().page)
    editor.send(text=FILE)
    assert open_draft(kept.database, "shop").draft is None


def test_two_who_edit_at_once_overwrite_nothing(app: Flask, editor: Editor, kept: Context, clock: Clock) -> None:
    second = Person(app, "otto")
    second.accept(second.invited("--role", "operator", "--site", "shop"))
    other = Editor(second).open()
    clock.advance(minutes=5)
    editor.send(name="Olga's Shop", choice_days="90")
    answer = other.send(name="Otto's Shop")
    assert answer.status_code == 409
    said = words(answer.text)
    assert "olga@example.org saved other settings at 2026-11-23 17:05:00 UTC" in said
    assert 'value="Otto&#39;s Shop"' in answer.text
    assert "Saved meanwhile: Olga's Shop" in said
    assert read_site_file(draft(kept))["name"] == "Olga's Shop"
    # Who has seen it may replace it, and only what they changed.
    other.page = answer.text
    assert other.send(name="Otto's Shop").status_code == 303
    declared = read_site_file(draft(kept))
    assert (declared["name"], declared["choice_days"]) == ("Otto's Shop", 90)


def test_what_was_sent_is_shown_even_where_what_was_saved_is_no_toml(editor: Editor, kept: Context) -> None:
    as_file = Editor(editor.person, f"{SETTINGS}/file").open()
    as_file.send(text="name = ")
    answer = editor.send(name="Not Lost")
    assert answer.status_code == 409
    assert 'value="Not Lost"' in answer.text
    assert draft(kept) == "name = "


def test_a_file_in_the_text_area_is_not_lost_either(app: Flask, editor: Editor, kept: Context) -> None:
    editor.path = f"{SETTINGS}/file"
    editor.open()
    apply(kept, FILE.replace("Example Shop", "Other", 1))
    answer = editor.send(text=f"{FILE}# mine\n")
    assert answer.status_code == 409
    assert "A command saved other settings" in words(answer.text)
    assert "# mine" in answer.text
    assert open_draft(kept.database, "shop").draft is None


def test_a_plan_says_what_changes_and_how_many_are_asked_again(
    editor: Editor, kept: Context, client: FlaskClient, body: Body, clock: Clock
) -> None:
    for _ in range(3):
        post(client, body())
    post(client, body.refusal())
    clock.advance(hours=1)
    answer = editor.send("plan", **{"vendors[3].key": "microsoft-clarity", "vendors[3].id": "abcde12345"},
                         texts__fr__title="Vos choix", proof_retention="P2Y")  # fmt: skip
    assert answer.location == PLAN
    said = words(editor.person.open(PLAN).text)
    for sentence in (
        "3 changes, and for whom", "+ Microsoft Clarity", "title changed in French",
        "time that proofs are kept changed P2Y; before: P3Y not seen by visitors",
        "Visitors who granted will be asked again (about 3 standing grants by the counters)",
        "those who refused will not.",
    ):  # fmt: skip
        assert sentence in said, said
    assert 'value="added Microsoft Clarity; title changed in French"' in editor.person.open(PLAN).text


def test_a_plan_is_refused_once_something_else_is_in_force(editor: Editor, kept: Context) -> None:
    editor.send(name="Other Shop")
    editor.path = PLAN
    editor.open()
    newer = FILE.replace("choice_days", "").replace("Ltd", "Limited")
    notice = apply(kept, newer)
    answer = editor.publish(title="x", page=editor.page)
    assert answer.status_code == 409
    assert "what is in force changed since you saw the plan" in words(answer.text)
    assert "a command put another file in force" in words(answer.text)
    assert notice_of(newer).hash == notice
    assert read_site_file(draft(kept))["name"] == "Other Shop"
    # The plan on the page is a new one, and counts.
    assert editor.publish(title="x", page=answer.text).status_code == 200


def test_a_plan_is_refused_for_another_draft(editor: Editor, kept: Context) -> None:
    editor.send(name="One")
    plan = editor.person.open(PLAN).text
    editor.open().send(name="Two")
    answer = editor.publish(title="x", page=plan)
    assert answer.status_code == 409
    assert "the draft is another one by now" in words(answer.text)
    assert draft(kept) == FILE.replace("Example Shop", "Two", 1)


def test_a_title_is_held_to_its_rules(editor: Editor, kept: Context) -> None:
    editor.send(name="One")
    answer = editor.publish(title="x" * 81)
    assert answer.status_code == 422
    assert "has 81 characters; 1 to 80 are allowed" in answer.text
    assert draft(kept) == FILE.replace("Example Shop", "One", 1)


def test_a_draft_is_discarded(editor: Editor, kept: Context) -> None:
    editor.send(name="One")
    editor.open().send("discard")
    assert open_draft(kept.database, "shop").draft is None
    assert editor.person.open(PLAN).location == SETTINGS


def test_an_earlier_file_becomes_the_draft(editor: Editor, kept: Context, exported: Callable[[], str]) -> None:
    newer = FILE.replace("Example Shop", "Other Shop", 1)
    apply(kept, newer)
    number = open_draft(kept.database, "shop").earlier[0].number
    editor.open().send(f"earlier {number}")
    assert draft(kept) == FILE
    assert editor.publish(title="Back").status_code == 200
    assert exported() == FILE
    assert [one.text for one in open_draft(kept.database, "shop").earlier] == [newer, FILE]
    assert [one.who for one in open_draft(kept.database, "shop").earlier] == [None, None]
    for act in ("earlier 99", "earlier x"):
        assert editor.open().send(act).status_code == 422


def test_a_site_whose_file_is_not_kept_says_so(app: Flask, olga: Person, services: Context) -> None:
    page = Editor(olga, f"{SETTINGS}/file").open()
    assert "The file of this site is not kept" in words(page.page)
    page.send(text=site_file(vendors=ADS + META))
    assert read_site_file(draft(services))["vendors"][0]["key"] == "google-ads"


def test_a_new_site_begins_as_a_draft_and_is_published(app: Flask, olga: Person, services: Context) -> None:
    new = Editor(olga, "/console/sites/new").open()
    answers = {
        "name": "Éclair Shop",
        "origin": "eclair.example",
        "contact": "a@eclair.example",
        "languages": ["fr", "en"],
    }
    refused = new.post({**answers, "vendor0": "Google Analytics", "id0": "UA-1"}, new.path)
    assert refused.status_code == 422
    assert "google-analytics: id" in words(refused.text)
    begun = new.post({**answers, "vendor0": "google analytics", "id0": "G-ABCD123456", "vendor1": "youtube"}, new.path)
    assert begun.location == "/console/sites/eclair-shop/settings"
    assert "eclair-shop" in olga.open("/console/sites/new").text
    shop = Editor(olga, begun.location).open()
    assert "Every visitor will be asked" in words(olga.open(f"{begun.location}/plan").text)
    assert shop.publish(f"{begun.location}/plan", title="First").status_code == 200
    assert app.test_client().get("/v1/sites/eclair-shop/notice").status_code == 200
    # Its key is taken now.
    again = new.post({**answers, "vendor0": "youtube"}, new.path)
    assert 'the key "eclair-shop" is taken' in unescape(again.text)


def test_a_begun_site_that_is_discarded_was_never_there(olga: Person, kept: Context) -> None:
    new = Editor(olga, "/console/sites/new").open()
    answers = {
        "name": "Gone",
        "origin": "gone.example",
        "contact": "a@gone.example",
        "languages": "en",
        "vendor0": "youtube",
    }
    there = new.post(answers, new.path).location
    begun = Editor(olga, there).open()
    assert begun.send("discard").location == "/console"
    assert olga.open(there).status_code == 404


def test_who_operates_some_sites_begins_none(app: Flask, kept: Context) -> None:
    otto = Person(app, "otto")
    otto.accept(otto.invited("--role", "operator", "--site", "shop"))
    assert otto.open("/console/sites/new").status_code == 403
    assert otto.open(SETTINGS).status_code == 200
    assert otto.open("/console/sites/rival/settings").status_code == 403


def test_markup_in_a_draft_is_shown_and_not_run(editor: Editor) -> None:
    editor.send(name="<script>alert(1)</script>", texts__en__title="</textarea><b>x")
    for path in (SETTINGS, f"{SETTINGS}/file", PLAN):
        page = editor.person.open(path).text
        assert "<script>alert" not in page
        assert "</textarea><b>" not in page
