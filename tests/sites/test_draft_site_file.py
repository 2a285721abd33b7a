"""`consent init`: five answers, each held to the rules, make a site file that is taken as it is."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_server.cli import consent
from consent_server.core.errors import InvalidSiteFile
from consent_server.core.files import read_text
from consent_server.sites.draft_site_file import Answers, draft_site_file, read_answer
from consent_server.sites.site_file import read_site_file

TYPED = {
    "name": "Käse & Brot", "origin": "kaese.example", "contact": "privacy@kaese.example", "languages": "en, de",
    "vendors": "google-analytics=G-ABCD123456 youtube",
}  # fmt: skip


def init(*args: str, typed: str = "") -> Result:
    """The command in this process."""
    return CliRunner().invoke(consent, ["init", *args], input=typed)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_options_answer_every_question() -> None:
    done = init(*(part for name, answer in TYPED.items() for part in (f"--{name}", answer)))
    assert done.exit_code == 0, done.output
    assert "consent site apply kase-brot.toml" in done.output
    declared = read_site_file(read_text(Path("kase-brot.toml")))
    assert (declared["key"], declared["name"], declared["languages"]) == ("kase-brot", "Käse & Brot", ["en", "de"])
    assert declared["origins"][0] == "https://kaese.example"
    assert [(vendor["key"], vendor["ids"]) for vendor in declared["vendors"]] == [
        ("google-analytics", ["G-ABCD123456"]), ("youtube", []),
    ]  # fmt: skip


def test_a_question_is_asked_until_its_answer_is_taken() -> None:
    wrong = {"origin": "https://kaese.example/page", "contact": "nobody", "vendors": "gogle-analytics=G-ABCD123456"}
    lines = [line for name, answer in TYPED.items() for line in (wrong.get(name), answer) if line]
    done = init("shop.toml", typed="\n".join(lines) + "\n")
    assert done.exit_code == 0, done.output
    assert done.output.count("Error: ") == len(wrong)
    assert "Did you mean `google-analytics`?" in done.output
    read_site_file(read_text(Path("shop.toml")))


def test_it_never_writes_over_a_file() -> None:
    Path("shop.toml").write_text("mine", "utf-8")
    done = init("shop.toml", *(part for name, answer in TYPED.items() for part in (f"--{name}", answer)))
    assert done.exit_code == 2
    assert "shop.toml is there already" in done.output
    assert read_text(Path("shop.toml")) == "mine"


@pytest.mark.parametrize(
    ("question", "text"),
    [("name", ""), ("name", "x" * 81), ("name", "a\u202eb"), ("origin", "ftp://shop.example"), ("origin", ""),
     ("contact", "nobody"), ("languages", "tlh"), ("languages", "en en"), ("languages", ""),
     ("vendors", ""), ("vendors", "nobody=1"), ("vendors", "google-analytics"), ("vendors", "google-analytics=UA"),
     ("vendors", "youtube=1"), ("vendors", "youtube youtube")],
)  # fmt: skip
def test_what_a_site_file_would_be_refused_for_is_refused(question: str, text: str) -> None:
    with pytest.raises(InvalidSiteFile):
        read_answer(question, text)


@settings(max_examples=25)
@given(st.text(max_size=90))
def test_whatever_the_site_is_called_the_file_is_taken_once_its_name_is(name: str) -> None:
    try:
        taken = read_answer("name", name)
    except InvalidSiteFile:
        return
    read_site_file(draft_site_file(Answers(name=taken)))
