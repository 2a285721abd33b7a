"""A pack that two programs would read differently holds nowhere."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.evidence_ledger import EvidenceLedger
from tests.support.zip_attacks import ATTACKS

from .checks import verdict
from .conftest import Held


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_zip_that_is_more_than_its_entries_is_no_pack(quiet: Page, held: Held, tmp_path: Path, attack: str) -> None:
    pack = EvidenceLedger.of(3).write(tmp_path / "pack.zip")
    quiet.goto(f"{held.server.url}/verify")
    expect(quiet.locator("body[data-ready]")).to_be_attached()
    pack.write_bytes(ATTACKS[attack](pack.read_bytes()))
    quiet.set_input_files("input[type=file]", pack)
    verdict(quiet, "fail")
    expect(quiet.get_by_role("status")).to_contain_text("neither a receipt nor an evidence pack")
