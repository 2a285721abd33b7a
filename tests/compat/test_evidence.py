"""Packs and ledgers of an earlier version, checked by its own means and by today's."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from .conftest import Kept, Server


@pytest.fixture(scope="module")
def old_verifier(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the kept pack."""
    folder = tmp_path_factory.mktemp("verify")
    with ZipFile(kept.folder / "evidence.zip") as pack:
        return Path(pack.extract("verify.py", folder))


def size(kept: Kept) -> int:
    """That of the newest kept checkpoint."""
    return int(kept.text("ledger/checkpoint").splitlines()[1])


def options(kept: Kept) -> list[str]:
    """What somebody outside knows beside the pack."""
    known = {"--keys": "keys/jwks.json", "--checkpoint": "ledger/checkpoint"}
    paths = [part for option, name in known.items() for part in (option, str(kept.folder / name))]
    return [*paths, "--witness", kept.about["witness"]]


def verify(program: Path, pack: Path, given: Sequence[str] = ()) -> dict[str, Any]:
    """What a pack's program finds, run by a Python that has no packages."""
    command = [sys.executable, "-I", str(program), str(pack), "--jobs", "1", "--json", *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1), done.stderr
    return found


def test_a_pack_verifies_with_its_own_program(kept: Kept, old_verifier: Path) -> None:
    found = verify(old_verifier, kept.folder / "evidence.zip", options(kept))
    assert found["ok"], found
    assert found["pack"]["tree_size"] == size(kept)


def test_packs_and_programs_of_both_versions_agree(
    own_server: Server, kept: Kept, tmp_path: Path, old_verifier: Path
) -> None:
    old_pack = kept.folder / "evidence.zip"
    new_pack, new_verifier = exported(own_server, tmp_path)
    code, printed = own_server.run("evidence", "verify", old_pack)
    assert code == 0, printed
    assert "The pack holds." in printed
    found = {
        (program, pack): verify(program, pack, options(kept))
        for program in (old_verifier, new_verifier)
        for pack in (old_pack, new_pack)
    }
    assert {names: one["ok"] for names, one in found.items()} == dict.fromkeys(found, True)
    # The decision that was not sealed yet is in it.
    assert {one["pack"]["tree_size"] for (_, pack), one in found.items() if pack == new_pack} == {size(kept) + 1}
    # What is said to be checked is no less than before.
    before, now = found[old_verifier, old_pack], found[new_verifier, old_pack]
    assert {check["name"] for check in before["checks"]} <= {check["name"] for check in now["checks"]}


def test_what_was_changed_in_a_pack_is_still_seen(kept: Kept, tmp_path: Path, server: Server) -> None:
    changed = tmp_path / "changed.zip"
    with ZipFile(kept.folder / "evidence.zip") as pack, ZipFile(changed, "w") as copy:
        for name in pack.namelist():
            content = pack.read(name)
            copy.writestr(
                name, content.replace(b'"leaf_index":3', b'"leaf_index":4') if name == "records.jsonl" else content
            )
    assert server.run("evidence", "verify", changed)[0] == 1


def exported(server: Server, folder: Path) -> tuple[Path, Path]:
    """A pack of the shop and the program in it."""
    path = folder / "new.zip"
    code, printed = server.run("evidence", "export", "shop", "-o", path)
    assert code == 0, printed
    with ZipFile(path) as pack:
        return path, Path(pack.extract("verify.py", folder))


def test_the_ledger_is_served_as_before(server: Server, kept: Kept) -> None:
    for name in ("checkpoint", "checkpoints"):
        suffix = ".jsonl" if name == "checkpoints" else ""
        assert server.get(f"/ledger/shop/{name}").text == kept.text(f"ledger/{name}{suffix}")
    for path, hashes in kept.json("ledger/tiles.json").items():
        assert server.get(path).data.hex() == hashes


def test_timestamps_are_served_as_before(server: Server, kept: Kept) -> None:
    before = kept.json("ledger/timestamps.json")
    assert server.get("/ledger/shop/timestamps").get_json() == before
    assert before["items"]
    for item in before["items"]:
        assert (
            server.get(item["url"]).data == (kept.folder / "ledger/timestamps" / f"{item['digest']}.tsr").read_bytes()
        )


def test_a_ledger_is_clean_and_goes_on(own_server: Server, kept: Kept) -> None:
    checkpoints = kept.folder / "ledger" / "checkpoints.jsonl"
    code, printed = own_server.run("ledger", "check", "shop", "--checkpoint", checkpoints)
    assert code == 0, printed
    assert f"{size(kept)} leaves, 2 removed" in printed
    assert "cosigned by witness.example/w1" in printed
    assert "timestamps hold" in printed
    code, printed = own_server.run("ledger", "seal")
    assert code == 0, printed
    assert f"1 sealed, {size(kept) + 1} in all" in printed
    code, printed = own_server.run("ledger", "check", "shop", "--checkpoint", checkpoints)
    assert code == 0, printed
    assert f"{size(kept) + 1} leaves" in printed
    proof = own_server.get(f"/ledger/shop/consistency?from={size(kept)}&to={size(kept) + 1}")
    assert proof.get_json()["hashes"]
