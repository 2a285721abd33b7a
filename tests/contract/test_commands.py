"""The commands of contract, section 5: what they print, and how they exit."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from consent_server.core.context import Context
from tests.support.experiment_files import BOX, TITLE, with_experiment
from tests.support.factories import CALLBELL, RIVAL_FILE, TOP, TYPEFORM, VENDORS, Body, site_file
from tests.support.visitor import post


@pytest.fixture
def runner(bare_app: Flask) -> FlaskCliRunner:
    return bare_app.test_cli_runner()


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(site_file(), "utf-8")
    return path


def test_the_example_applies(runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["site", "apply", str(CALLBELL)])
    assert result.exit_code == 0, result.output
    assert re.search(r"^notice [0-9a-f]{64} published", result.stdout, re.M)
    assert '<script async src="https://consent.example/widget/callbell.js"></script>' in result.stdout
    assert result.stderr == ""


def test_the_same_file_twice_publishes_nothing(runner: FlaskCliRunner, shop_file: Path, services: Context) -> None:
    first = runner.invoke(args=["site", "apply", str(shop_file)])
    again = runner.invoke(args=["site", "apply", str(shop_file)])
    assert "published" in first.stdout
    assert "unchanged" in again.stdout
    assert "changed" not in again.stdout.replace("unchanged", "")
    assert _publications(services) == 1


def test_a_folder_stands_for_the_site_files_in_it(runner: FlaskCliRunner, shop_file: Path) -> None:
    folder = ["site", "apply", str(shop_file.parent)]
    shop_file.with_name("rival.toml").write_text(RIVAL_FILE, "utf-8")
    shop_file.with_name("shop.toml~").write_text("an editor's copy", "utf-8")
    assert re.findall(r"/(\w+)\.js", runner.invoke(args=folder).stdout) == ["rival", "shop"]
    shop_file.with_name("rival.toml").write_text("", "utf-8")
    refused = runner.invoke(args=folder)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "rival.toml is refused" in refused.stderr


def test_a_folder_without_site_files_is_said_and_is_no_failure(runner: FlaskCliRunner, tmp_path: Path) -> None:
    result = runner.invoke(args=["site", "apply", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert str(tmp_path) in result.stderr


def test_an_origin_in_another_spelling_is_said(runner: FlaskCliRunner, shop_file: Path) -> None:
    shop_file.write_text(site_file(TOP.replace("https://shop.example", "https://SHOP.example:443")), "utf-8")
    for more in (["--check"], []):
        said = runner.invoke(args=["site", "apply", *more, str(shop_file)]).stdout
        assert said.startswith("origins: read https://SHOP.example:443 as https://shop.example\n"), said


def test_check_says_what_would_change_and_changes_nothing(
    runner: FlaskCliRunner, shop_file: Path, services: Context
) -> None:
    check = ["site", "apply", "--check", str(shop_file)]
    assert "would be published for the first time" in runner.invoke(args=check).stdout
    assert runner.invoke(args=["site", "list"]).stdout == ""
    runner.invoke(args=["site", "apply", str(shop_file)])
    listed = runner.invoke(args=["site", "list"]).stdout
    shop_file.write_text(site_file(TOP.replace("Example Shop", "New Name")), "utf-8")
    said = runner.invoke(args=check)
    assert said.exit_code == 0
    assert "would be published" in said.stdout
    shop_file.write_text(site_file(vendors=VENDORS.replace("G-ABCD123456", "G-OTHER12345")), "utf-8")
    assert "settings would be changed" in runner.invoke(args=check).stdout
    assert runner.invoke(args=["site", "list"]).stdout == listed
    assert _publications(services) == 1


def test_the_plan_is_said_before_and_after_and_the_title_is_kept(runner: FlaskCliRunner, shop_file: Path) -> None:
    runner.invoke(args=["site", "apply", str(shop_file)])
    shop_file.write_text(site_file(vendors=VENDORS + TYPEFORM), "utf-8")
    apply = ["site", "apply", str(shop_file), "--title", "November: forms"]
    checked, applied = (runner.invoke(args=[*apply, *more]).stdout for more in (["--check"], []))
    for said in (checked, applied):
        plan = [line.strip() for line in said.splitlines() if line.startswith("  ")]
        assert plan[:2] == ["+ Typeform (media)", "+ purpose Videos, maps and forms"]
        assert plan[2].startswith("visitors who granted will be asked again (no standing grant ")
        assert plan[3].endswith("“November: forms”")
    assert "November: forms" in runner.invoke(args=["site", "list"]).stdout
    again = runner.invoke(args=["site", "apply", str(shop_file), "--title", "Another"])
    assert (again.exit_code, "Another" in again.stderr) == (0, True)
    wrong = runner.invoke(args=["site", "apply", str(shop_file), "--title", "two\nlines"])
    assert (wrong.exit_code, "one line" in wrong.stderr) == (2, True)


def test_a_wrong_file_is_refused_whole_with_every_fault(
    runner: FlaskCliRunner, shop_file: Path, services: Context
) -> None:
    top = f'{TOP}choice_days = 400\n[banner.colours]\nrefuse = "#ffffff"\n'
    shop_file.write_text(site_file(top, vendors=VENDORS.replace("AW-123456789", "AW-12AB")), "utf-8")
    result = runner.invoke(args=["site", "apply", str(shop_file)])
    assert result.exit_code == 1
    assert result.stdout == ""
    said = result.stderr.splitlines()
    assert said[0] == "shop.toml is refused, 3 faults:"
    assert set(said[1:]) == {
        "  choice_days, line 5: 400 is more than 395 (no-hurry)",
        "  banner.colours.refuse, line 7: accept and refuse share one style (one-style)",
        '  vendors[1].id, line 26: "AW-12AB" is not an id of Google Ads: it begins with AW-, as in AW-123456789',
    }
    assert runner.invoke(args=["site", "list"]).stdout == ""
    assert _publications(services) == 0


def test_several_files_are_applied_each_with_its_tag(runner: FlaskCliRunner, shop_file: Path, tmp_path: Path) -> None:
    rival = tmp_path / "rival.toml"
    rival.write_text(RIVAL_FILE, "utf-8")
    said = runner.invoke(args=["site", "apply", "--check", str(shop_file), str(rival)])
    assert said.stdout.count("would be published for the first time") == 2
    assert runner.invoke(args=["site", "list"]).stdout == ""
    said = runner.invoke(args=["site", "apply", str(shop_file), str(rival)])
    assert said.exit_code == 0, said.output
    assert re.findall(r"/widget/(\w+)\.js", said.stdout) == ["shop", "rival"]
    listed = runner.invoke(args=["site", "list"]).stdout
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["rival", "shop"]


def test_of_several_files_all_faults_are_named_and_none_is_applied(
    runner: FlaskCliRunner, shop_file: Path, tmp_path: Path
) -> None:
    long, wrong, other = (tmp_path / f"{name}.toml" for name in ("long", "wrong", "other"))
    long.write_text(site_file(f"{TOP}choice_days = 400\n"), "utf-8")
    wrong.write_bytes(b"\xff")
    other.write_text(site_file(), "utf-8")
    said = runner.invoke(args=["site", "apply", str(shop_file), str(long), str(wrong)])
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.splitlines() == [
        "long.toml is refused, 1 fault:",
        "  choice_days, line 5: 400 is more than 395 (no-hurry)",
        "wrong.toml is refused: it is not UTF-8 (invalid start byte).",
    ]
    twins = runner.invoke(args=["site", "apply", str(shop_file), str(other)])
    assert (twins.exit_code, twins.stderr) == (1, "other.toml is refused: shop.toml is about the site 'shop' too.\n")
    assert runner.invoke(args=["site", "list"]).stdout == ""


def test_what_the_database_refuses_keeps_the_other_files_back(
    runner: FlaskCliRunner, shop_file: Path, tmp_path: Path
) -> None:
    shop_file.write_text(with_experiment(BOX), "utf-8")
    runner.invoke(args=["site", "apply", str(shop_file)])
    rival = tmp_path / "rival.toml"
    rival.write_text(RIVAL_FILE, "utf-8")
    shop_file.write_text(with_experiment(TITLE), "utf-8")
    said = runner.invoke(args=["site", "apply", str(rival), str(shop_file)])
    assert (said.exit_code, said.stdout) == (1, "")
    assert "look" in said.stderr
    assert "rival" not in runner.invoke(args=["site", "list"]).stdout


@pytest.mark.parametrize(
    "content",
    [b"", b"key =", b"\xff\xfe", b"\x00", b"a = " + b"[" * 10_000, b"a = " + b"9" * 5_000, b"\xef\xbb\xbfa=1"],
)
def test_what_is_no_site_file(runner: FlaskCliRunner, shop_file: Path, content: bytes) -> None:
    shop_file.write_bytes(content)
    result = runner.invoke(args=["site", "apply", str(shop_file)])
    assert result.exit_code == 1
    assert result.stderr.startswith("shop.toml is refused")


def test_a_file_that_is_not_there(runner: FlaskCliRunner, tmp_path: Path) -> None:
    result = runner.invoke(args=["site", "apply", str(tmp_path / "nothing.toml")])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_a_corrected_colour_is_said(runner: FlaskCliRunner, shop_file: Path) -> None:
    shop_file.write_text(site_file(f'{TOP}[banner.colours]\naccent = "#FFEE00"\n'), "utf-8")
    said = runner.invoke(args=["site", "apply", str(shop_file)]).stdout
    assert re.search(r"contrast: accent #ffee00 corrected to #[0-9a-f]{6}", said)


@pytest.mark.on_both_databases
def test_sites_are_listed(runner: FlaskCliRunner, notice: str) -> None:
    lines = [line.split("\t") for line in runner.invoke(args=["site", "list"]).stdout.splitlines()]
    assert [line[0] for line in lines] == ["rival", "shop"]
    assert lines[1] == ["shop", "Example Shop", notice, "first notice"]


@pytest.fixture
def receipt_file(client: FlaskClient, body: Body, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.jws"
    path.write_text(post(client, body()).get_json()["receipt"] + "\n")
    return path


def test_a_receipt_is_verified_offline(
    runner: FlaskCliRunner, client: FlaskClient, receipt_file: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_bytes(client.get("/.well-known/jwks.json").data)
    for arguments in ([], ["--jwks", str(keys)]):
        result = runner.invoke(args=["receipt", "verify", str(receipt_file), *arguments])
        assert result.exit_code == 0, result.output
        assert "FAIL" not in result.stdout
        assert "shop" in result.stdout
    token = receipt_file.read_text()
    result = runner.invoke(args=["receipt", "verify", "-", "--jwks", str(keys)], input=token)
    assert result.exit_code == 0


def test_files_are_read_with_a_byte_order_mark(
    runner: FlaskCliRunner, client: FlaskClient, shop_file: Path, receipt_file: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(client.get("/.well-known/jwks.json").get_data(as_text=True), "utf-8-sig")
    shop_file.write_text(site_file(), "utf-8-sig")
    receipt_file.write_text(token := receipt_file.read_text(), "utf-8-sig")
    for arguments in (["site", "apply"], ["receipt", "verify", "--jwks", str(keys)]):
        file = receipt_file if "verify" in arguments else shop_file
        done = runner.invoke(args=[*arguments, str(file)])
        assert done.exit_code == 0, done.output
    done = runner.invoke(args=["receipt", "verify", "-"], input=token.encode("utf-8-sig"))
    assert done.exit_code == 0, done.output


def test_a_receipt_that_does_not_hold_fails(
    runner: FlaskCliRunner, receipt_file: Path, tmp_path: Path, client: FlaskClient
) -> None:
    verify = ["receipt", "verify", str(receipt_file)]
    other = tmp_path / "other.json"
    (key,) = client.get("/.well-known/jwks.json").get_json()["keys"]
    other.write_text(json.dumps({"keys": [key | {"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}))
    assert runner.invoke(args=[*verify, "--jwks", str(other)]).exit_code == 1
    for junk in ("{}", "[]", "", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AA"}]}', '{"keys": [1]}'):
        other.write_text(junk)
        result = runner.invoke(args=[*verify, "--jwks", str(other)])
        assert result.exit_code == 1
        assert "Traceback" not in result.stderr
        assert isinstance(result.exception, SystemExit)
    token = receipt_file.read_text().strip()
    receipt_file.write_text(token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB"))
    result = runner.invoke(args=verify)
    assert result.exit_code == 1
    assert "FAIL signature" in result.stdout
    assert "shop" not in result.stdout


def test_a_rotation_names_the_new_key(runner: FlaskCliRunner, services: Context) -> None:
    result = runner.invoke(args=["key", "rotate"])
    assert result.exit_code == 0
    assert services.keys.ring.kid in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [["receipt", "verify", "{}"], ["receipt", "verify", "{}", "--jwks", "{}"], ["evidence", "verify", "{}"],
     ["ledger", "check", "shop", "--checkpoint", "{}"], ["site", "apply", "{}"]],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused_in_words(
    runner: FlaskCliRunner, notice: str, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 40)
    result = runner.invoke(args=[part.format(tmp_path / "file") for part in arguments])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert result.output


def test_a_pack_that_cannot_be_written_is_said_in_words(runner: FlaskCliRunner, notice: str, tmp_path: Path) -> None:
    where = tmp_path / "nothing" / "pack.zip"
    result = runner.invoke(args=["evidence", "export", "shop", "-o", str(where)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert str(where.parent) in result.stderr


def test_days_that_are_no_span_make_no_pack(runner: FlaskCliRunner, notice: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    days = ["--from", "2026-11-30", "--to", "2026-11-01"]
    result = runner.invoke(args=["evidence", "export", "shop", "-o", str(pack), *days])
    assert result.exit_code == 2
    assert "--to" in result.stderr
    assert not pack.exists()


@pytest.mark.parametrize("arguments", [["site"], ["site", "apply"], ["csp"], ["receipt", "verify"], ["key", "rotate"]])
def test_every_command_explains_itself(runner: FlaskCliRunner, arguments: list[str]) -> None:
    result: Any = runner.invoke(args=[*arguments, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def _publications(services: Context) -> int:
    with services.database.reading() as session:
        count: int = session.connection().exec_driver_sql("SELECT count(*) FROM publications").scalar_one()
    return count
