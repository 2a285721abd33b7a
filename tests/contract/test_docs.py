"""What the pages of the documentation say is so: settings, commands, links, examples."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from consent_server.cli import consent
from consent_server.core.keys import KeyRing, read_header, verify_jws
from consent_server.core.resources import ROOT
from consent_server.core.settings import Settings
from consent_server.decisions.rules_receipt import RECEIPT_TYPE, STATE_LIMIT, STATE_TYPE
from consent_server.sites.widget_code import layout_names

DOCS = ROOT / "docs"
READMES = [path for part in ("examples", "integrations", "packages") for path in ROOT.glob(f"{part}/*/README.md")]
# At the root, and what the forge shows to whoever proposes a change.
OWN = [*ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.md")]
PAGES = sorted([*OWN, *DOCS.rglob("*.md"), *READMES])
ADRS = sorted((DOCS / "adr").glob("*.md"))
LONGEST_ADR = 40
APPS = "packages/embed/test-apps"
# Settings of the process, beside those that begin with CONSENT_.
PROCESS = {"HOST", "PORT", "DEMO_PORT", "WEB_CONCURRENCY"}

FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def blocks(path: Path, language: str = "") -> list[str]:
    """The fenced blocks of a page in one language."""
    return [text for kind, text in FENCE.findall(path.read_text("utf-8")) if kind == language]


def code(path: Path) -> str:
    """All that a page shows as code."""
    text = path.read_text("utf-8")
    return "\n".join([*(body for _, body in FENCE.findall(text)), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))])


# Settings


def test_every_setting_is_on_the_page_and_no_other() -> None:
    sources = [*(ROOT / "consent_server").rglob("*.py"), ROOT / "Makefile"]
    text = "".join(path.read_text("utf-8") for path in sources)
    read = set(re.findall(r"\"(CONSENT_[A-Z_]+)\"", text))
    read |= {f"{name}_FILE" for name in re.findall(r"secret\(\"(CONSENT_[A-Z_]+)\"", text)}
    read |= set(re.findall(r"environ\.get\('([A-Z_]+)'", text)) | set(re.findall(r"environ\.get\(\"([A-Z_]+)\"", text))
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == read
    assert read >= PROCESS


def test_defaults_are_those_of_the_server(tmp_path: Path) -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]*)`", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE))
    settings = Settings.from_env({"CONSENT_INSTANCE": str(tmp_path)})
    assert rows["CONSENT_TRUSTED_PROXIES"] == str(settings.trusted_proxies)
    assert rows["CONSENT_RATE_LIMIT"] == settings.rate_limit
    assert rows["CONSENT_RATE_LIMIT_URL"] == settings.rate_limit_url
    assert rows["CONSENT_SEAL_SECONDS"] == str(settings.seal_seconds)
    assert rows["CONSENT_PUBLIC_URL"].replace("PORT", rows["PORT"]) == settings.public_url


def test_every_layout_is_on_the_page_of_the_site_file() -> None:
    rule = re.search(r"`banner\.layout`: (.*)", (DOCS / "formats" / "site.md").read_text("utf-8"))
    assert rule
    assert set(re.findall(r'`"(\w+)"`', rule[1])) == layout_names()


# Commands


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path, commands: click.Group) -> None:
    shown = code(page)
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", shown)) <= targets
    for line in re.findall(r"\bconsent ([a-z].*)", shown):
        _known(line.split(), commands)


def _known(words: list[str], command: click.Command) -> None:
    while isinstance(command, click.Group):
        assert words, f"{command.name} needs a command"
        name = words.pop(0).strip(";,.")
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.fixture
def commands() -> click.Group:
    """What `consent` knows."""
    return consent


# Pages


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_into_the_project_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.stem)
def test_a_decision_about_the_code_is_short_and_whole(adr: Path) -> None:
    lines = adr.read_text("utf-8").splitlines()
    assert len(lines) <= LONGEST_ADR
    assert lines[0].startswith(f"# {int(adr.name[:4])}. ")
    headings = [line for line in lines if line.startswith("## ")]
    assert (headings[0], headings[-1]) == ("## Context", "## Decision")


@pytest.mark.parametrize(("page", "at_least"), [("security", 30), ("versions", 4)])
def test_every_test_that_a_page_names_is_there(page: str, at_least: int) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (DOCS / f"{page}.md").read_text("utf-8"))
    assert len(named) >= at_least
    for path, test in named:
        assert re.search(rf"^def {test or 'test_'}", (ROOT / path).read_text("utf-8"), re.MULTILINE), (path, test)


def test_decisions_about_the_code_are_numbered_without_gaps() -> None:
    assert [int(adr.name[:4]) for adr in ADRS] == list(range(1, len(ADRS) + 1))


def test_every_package_that_we_call_has_its_reason() -> None:
    page = (DOCS / "adr" / "0002-packages.md").read_text("utf-8").lower()
    direct = set(json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"])
    direct |= set(json.loads((ROOT / APPS / "package.json").read_text("utf-8"))["dependencies"])
    for name in ("requirements.txt", "requirements-dev.txt"):
        ours = (ROOT / name).read_text("utf-8").partition("# What those need")[0]
        direct |= set(re.findall(r"^([A-Za-z][\w-]+)", ours, re.MULTILINE))
    assert len(direct) > 20
    assert {package for package in direct if not re.search(rf"(?<![\w/-]){package.lower()}\b", page)} == set()


# Examples


@pytest.fixture(scope="module")
def receipt_page() -> tuple[str, str, list[dict[str, Any]]]:
    """The receipt of docs/formats/receipt.md, its keys, and what the page says is in it."""
    page = DOCS / "formats" / "receipt.md"
    keys, *said = blocks(page, "json")
    return blocks(page)[0].strip(), keys, [json.loads(text) for text in said]


def test_the_receipt_of_the_page_holds_what_the_page_says(receipt_page: tuple[str, str, list[dict[str, Any]]]) -> None:
    receipt, keys, (header, claims, _) = receipt_page
    assert read_header(receipt) == header
    assert verify_jws(receipt, RECEIPT_TYPE, KeyRing.from_jwks(keys)) == claims
    table = re.findall(r"^\| `(\w+)` \|", (DOCS / "formats" / "receipt.md").read_text("utf-8"), re.MULTILINE)
    assert set(table) == claims.keys()


def test_the_python_of_the_page_checks_the_receipt(
    receipt_page: tuple[str, str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    receipt, keys, (_, claims, _) = receipt_page
    (script,) = blocks(DOCS / "formats" / "receipt.md", "python")
    (tmp_path / "check.py").write_text(script, "utf-8")
    (tmp_path / "keys.json").write_text(keys, "utf-8")
    for text, status in ((receipt, 0), (_altered(receipt), 1)):
        (tmp_path / "receipt.jws").write_text(text, "utf-8")
        command = [sys.executable, "check.py", "receipt.jws", "keys.json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert (str(claims) in done.stdout) is (status == 0)


def test_the_openssl_of_the_page_checks_the_receipt(
    receipt_page: tuple[str, str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    receipt, keys, _ = receipt_page
    (script,) = blocks(DOCS / "formats" / "receipt.md", "sh")
    public = json.loads(keys)["keys"][0]["x"]
    for text, status in ((receipt, 0), (_altered(receipt), 1)):
        (tmp_path / "receipt.jws").write_text(f"{text}\n", "utf-8")
        command = ["sh", "-c", f"X={public}\n{script}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr


def _altered(receipt: str) -> str:
    header, payload, signature = receipt.split(".")
    return f"{header}.{payload[:80]}{'A' if payload[80] != 'A' else 'B'}{payload[81:]}.{signature}"


def test_the_cookies_of_the_page_are_read_as_the_page_says(
    receipt_page: tuple[str, str, list[dict[str, Any]]],
) -> None:
    _, keys, (_, claims, state) = receipt_page
    granted, refused = (
        dict(pair.split("=", 1) for pair in text.strip().split("&")) for text in blocks(DOCS / "formats" / "cookie.md")
    )
    assert granted["i"].partition(".")[0] == claims["sub"]
    assert len(granted["s"]) <= STATE_LIMIT
    assert verify_jws(granted["s"], STATE_TYPE, KeyRing.from_jwks(keys)) == state
    assert {key: granted[f"p.{key}"] == "1" for key in claims["grants"]} == claims["grants"]
    assert refused.keys() == {"v", "t", "n", "p.analytics", "p.advertising"}
    fields = set(re.findall(r"^\| `([\w.]+)` \|", (DOCS / "formats" / "cookie.md").read_text("utf-8"), re.MULTILINE))
    assert {re.sub(r"\.[\w-]+", ".KEY", name) for name in granted} <= fields
