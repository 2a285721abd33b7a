"""A database of an earlier version after every later migration: who may, what was counted, what was shown."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.core.canonical import encode
from consent_server.sites.configure_widget import revision
from consent_server.sites.publish import notice_body
from consent_server.sites.rules_changes import Change, What, changes
from consent_server.sites.site_file import arm_of, read_site_file
from tests.support.factories import notice_of
from tests.support.people import browser_of

from .conftest import LAST, Kept, Server, as_before, without_intervals

ARM = re.compile("% ([a-z]+) notice ([0-9a-f]{64})")
SITES = sorted(path.stem for path in (LAST / "sites").glob("*.toml") if path.stem != "shop-first")


def test_a_migrated_server_is_ready(either_server: Server) -> None:
    assert either_server.get("/readyz").status_code == 200
    listed = either_server.run("site", "list")[1]
    assert sorted(line.split("\t")[0] for line in listed.splitlines()) == SITES


def without_words(body: dict[str, Any]) -> dict[str, Any]:
    """A notice but for its words, which later versions say anew; of these, what they are about."""
    parts = ("purposes", "cookie_purposes", "lifetimes", "transfer")
    about = {language: {part: sorted(said[part]) for part in parts} for language, said in body["texts"].items()}
    # Lines are neutral by now, whatever the site's colours.
    colours = {name: value for name, value in body.get("colours", {}).items() if not name.startswith("line")}
    return body | {"texts": about, "colours": colours}


# The file of a site whose arm was promoted says otherwise than what is in force, one whose experiment runs than that.
@pytest.mark.parametrize("name", sorted({*SITES} - {"promoted", "experiment"}))
def test_a_site_file_asks_no_visitor_again(server: Server, kept: Kept, name: str) -> None:
    file = kept.folder / "sites" / f"{name}.toml"
    code, printed = server.run("site", "apply", "--check", file)
    assert code == 0, printed
    assert "settings would be changed" not in printed
    before = server.get(f"/v1/notices/{kept.json('notices.json')[name]}").get_json()
    after = notice_of(file.read_text("utf-8"))
    assert f"notice {after.hash} would be published" in printed
    assert changes(before, after.body, "en") == (Change(What.WORDS),)
    assert revision(before) == revision(after.body)


@pytest.mark.parametrize("name", [*SITES, "shop-first"])
def test_a_site_file_makes_the_same_notice_but_for_its_words(server: Server, kept: Kept, name: str) -> None:
    declared = read_site_file((kept.folder / "sites" / f"{name}.toml").read_text("utf-8"))
    made = {name: declared, f"{name} control": declared}
    made |= {f"{name} {arm['name']}": arm_of(declared, arm) for arm in declared.get("experiment", {}).get("arms", [])}
    notices = kept.json("notices.json")
    for shown in made.keys() & notices.keys():
        before = server.get(f"/v1/notices/{notices[shown]}").get_json()
        assert without_words(json.loads(encode(notice_body(made[shown])))) == without_words(before), shown


def test_a_promoted_arm_stays_the_notice(either_server: Server, kept: Kept) -> None:
    in_force = either_server.get("/v1/sites/promoted/notice").get_etag()[0]
    assert in_force == kept.json("notices.json")["promoted green"]


def test_a_running_experiment_goes_on_until_its_file_has_another_key(
    server: Server, kept: Kept, tmp_path: Path
) -> None:
    file = kept.folder / "sites" / "experiment.toml"
    code, printed = server.run("site", "apply", "--check", file)
    assert code == 1
    assert "an upgrade" in printed
    other = tmp_path / "experiment.toml"
    other.write_text(file.read_text("utf-8").replace('key = "look"', 'key = "look-again"'), "utf-8")
    code, printed = server.run("site", "apply", "--check", other)
    assert code == 0, printed
    assert "experiment look would be ended" in printed
    assert {arm for arm, _ in ARM.findall(printed)} == {"control", "box", "title"}


@pytest.mark.parametrize("name", SITES)
def test_an_archived_notice_is_replayed_with_what_it_was_served_with(server: Server, kept: Kept, name: str) -> None:
    served = kept.json(f"configurations/{name}.json")
    # A notice is replayed by itself, without the other arms of an experiment.
    served["main"].pop("arms", None)
    address = f"/v1/notices/{served['main']['notice']}/preview?lang=en&widget={served['widget']}"
    (main,) = re.findall(f'src="([^"]+/{name}[.]js[^"]*)"', server.get(address).text)
    scripts = {"main": main}
    scripts |= {part: main.replace(f"{name}.js", f"{name}/{part}.js") for part in ("preferences", "details")}
    for part, script in scripts.items():
        assert json.loads(server.get(script).text.splitlines()[1]) == served[part]


def test_rates_are_the_same_figures(either_server: Server, kept: Kept) -> None:
    for path, told in kept.json("rates.json").items():
        found = either_server.get(path, token="marketer").get_json()
        if told["by"] == "hour":
            # Hours of few first choices are told together, and none of its purposes.
            hours, rows = (answer.pop("rows") for answer in (told, found))
            assert len({row["key"][:10] for row in hours}) == len(rows)
            assert sum(row["totals"]["shown"] for row in rows) == sum(row["totals"]["shown"] for row in hours)
        if told["by"] == "device":
            # So few are told without their device.
            told["rows"] = [row | {"key": "other"} for row in told["rows"]]
        if told["by"] in ("language", "device", "notice"):
            told["rows"], found["rows"] = without_intervals(told["rows"]), without_intervals(found["rows"])
        assert as_before(found) == as_before(told)


def test_an_experiment_has_the_same_figures(either_server: Server, kept: Kept) -> None:
    answer = either_server.get("/v1/sites/experiment/experiment", token="operator")
    assert judged(answer.get_json()) == judged(kept.json("experiment.json"))


def judged(experiment: dict[str, Any]) -> dict[str, Any]:
    """An experiment with what is concluded by its key: what that is drawn from, and its words, are others by now."""
    names = ("arm", "control", "p", "difference", "low", "high")
    comparisons = [
        {name: compared[name] for name in names} | {"conclusion": compared["conclusion"]["key"]}
        for compared in experiment["comparisons"]
    ]
    said = {"comparisons": comparisons, "conclusion": experiment["conclusion"]["key"]}
    return {name: as_before(value) for name, value in (experiment | said).items()}


def test_an_alert_is_still_told(either_server: Server) -> None:
    (alert,) = either_server.get("/v1/sites/quiet/rates", token="operator").get_json()["alerts"]
    assert alert["kind"] == "never_answered"


def test_tokens_open_what_they_opened(either_server: Server) -> None:
    found = {
        token: [
            either_server.get(f"/v1/sites/{path}", token=token).status_code
            for path in ("shop/decisions", "shop/rates", "quiet/rates")
        ]
        for token in ("operator", "auditor", "marketer", "revoked")
    }
    assert found == {
        "operator": [200, 200, 200],
        "auditor": [200, 403, 403],
        "marketer": [403, 200, 403],
        "revoked": [401, 401, 401],
    }


def test_an_auditor_finds_every_record(either_server: Server, kept: Kept) -> None:
    items = either_server.get("/v1/sites/shop/decisions?limit=100", token="auditor").get_json()["items"]
    shop = {name: one["answer"]["receipt_id"] for name, one in kept.receipts.items() if one["site"] == "shop"}
    stands = {receipt for name, receipt in shop.items() if not name.startswith("erased")}
    assert {item["receipt_id"] for item in items} == stands


def browser(server: Server) -> FlaskClient:
    return browser_of(server.app)


def test_a_user_signs_in_with_the_old_password(either_server: Server, kept: Kept) -> None:
    email, client = "marketer@shop.example", browser(either_server)
    page = client.get("/sign-in", base_url=either_server.public_url).text
    form = {"form_token": re.findall('name="form_token" value="([^"]+)"', page)[0], "email": email}
    wrong = client.post("/sign-in", data=form | {"password": "wrong horse"}, base_url=either_server.public_url)
    assert wrong.status_code == 422
    form |= {"password": kept.about["users"][email]}
    assert client.post("/sign-in", data=form, base_url=either_server.public_url).status_code == 303
    assert client.get("/console", base_url=either_server.public_url, follow_redirects=True).status_code == 200


def test_who_was_signed_in_still_is(either_server: Server, kept: Kept) -> None:
    client = browser(either_server)
    client.set_cookie("consent-session", kept.about["sessions"]["auditor"], domain="consent.example", secure=True)
    response = client.get("/console/sites/shop/records", base_url=either_server.public_url)
    assert response.status_code == 200
    assert kept.receipts["accept_all"]["answer"]["receipt_id"] in response.text


def test_a_one_time_link_that_waits_ends_in_words_and_another_is_made(own_server: Server, kept: Kept) -> None:
    """Links are kept as hashes since, which those of before have not."""
    ended = own_server.get(kept.about["open_link"])
    assert ended.status_code == 410
    assert "late@shop.example" not in ended.text
    code, printed = own_server.run("user", "link", "late@shop.example")
    assert code == 0
    assert "late@shop.example" in own_server.get(printed.splitlines()[0].removeprefix(own_server.public_url)).text


def test_a_shared_report_opens(either_server: Server, kept: Kept) -> None:
    for link in kept.about["reports"].values():
        response = either_server.get(link)
        assert response.status_code == 200
        assert "Example Shop" in response.text


def test_a_picture_is_there(either_server: Server, kept: Kept) -> None:
    notice = kept.json("notices.json")["quiet"]
    page = either_server.get(f"/v1/notices/{notice}", Accept="text/html").text
    pictures = set(re.findall('src="([^"]+/pictures/[0-9a-f]{64}[.]png)"', page))
    assert len(pictures) == 2
    assert {either_server.get(url).mimetype for url in pictures} == {"image/png"}


def test_a_request_for_erasure_is_still_open(own_server: Server, kept: Kept) -> None:
    code, printed = own_server.run("visitor", "requests")
    assert code == 0
    assert kept.receipts["french"]["answer"]["receipt_id"] in printed
    code, printed = own_server.run("visitor", "erase", "--requested")
    assert (code, printed.splitlines()[0]) == (0, "1 removed")
    # Its records stood in the clear, and their files are not written anew yet.
    assert "What is erased until then may stay in the database's files" in printed
    assert own_server.run("ledger", "check", "shop")[0] == 0
