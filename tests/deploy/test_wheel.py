"""One wheel holds all that a server needs, and is the same whoever builds it."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from consent_server import __version__
from consent_server.core.resources import ROOT
from tests.support.factories import CALLBELL, notice_of
from tests.support.installed import CONSENT
from tests.support.process import free_port
from tests.support.served import Server

# What stands beside the package in a checkout, and inside it in a wheel.
BUNDLED = re.compile(r"(deploy|docs|examples|migrations|static/widget/dist)/")
OF_THE_CHECKOUT = re.compile(r"docs/\w+\.py")


def sources() -> set[str]:
    """Every file of the project that is or may be committed."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return {path for path in done.stdout.splitlines() if (ROOT / path).is_file()}


def place(path: str) -> str | None:
    """Where a file of the project is in the wheel."""
    if path.startswith("consent_server/"):
        return path
    return f"consent_server/_bundled/{path}" if BUNDLED.match(path) and not OF_THE_CHECKOUT.match(path) else None


def test_it_holds_every_file_that_a_server_needs_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == {inside for path in sources() if (inside := place(path))}
        assert archive.read("consent_server/_bundled/examples/callbell.toml") == CALLBELL.read_bytes()


def test_two_builds_have_the_same_bytes(wheel: Path, wheel_of_sdist: Path) -> None:
    assert wheel.name == wheel_of_sdist.name == f"consent_server-{__version__}-py3-none-any.whl"
    assert wheel.read_bytes() == wheel_of_sdist.read_bytes()


def test_it_asks_for_what_was_tested(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        asked = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")
    pins = re.findall(r"^([A-Za-z][^\s#]*)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert asked
    assert {name.lower() for name in asked} == {pin.lower().replace("_", "-") for pin in pins}


@pytest.fixture
def demo(installed: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    """`consent demo` of the wheel."""
    command = [*CONSENT, "demo", "--port", str(free_port()), "--shop-port", str(free_port())]
    # Settings that a real server has, and a demonstration must not touch.
    server = Server(installed | {"CONSENT_INSTANCE": str(tmp_path / "real")}, tmp_path, command, tmp_path)
    yield server
    if server.running:
        server.kill()


def test_the_demonstration_runs_from_the_wheel_and_leaves_nothing(
    demo: Server, wheel: Path, installed: dict[str, str], tmp_path: Path
) -> None:
    server, code = demo, Path(installed["PYTHONPATH"])
    assert server.ask("GET", "/widget/callbell.js")[0] == 200
    assert b"<table>" in server.ask("GET", "/docs/rates")[1]
    assert "paths" in json.loads(server.ask("GET", "/openapi.json")[1])
    assert _decide(server) == 201
    assert f"http://127.0.0.1:{server.port}/widget/callbell.js" in server.printed
    (made,) = Path(installed["TMPDIR"]).glob("consent-demo-*")
    server.stop()
    assert not made.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["access.log"]
    with zipfile.ZipFile(wheel) as archive:
        unpacked = set(archive.namelist())
    written = {str(path.relative_to(code)) for path in code.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert written == unpacked, "nothing is written beside the code"


def _decide(server: Server) -> int:
    notice = notice_of(CALLBELL.read_text("utf-8"))
    said: dict[str, object] = {
        "decision_id": "018f3c1a-7b2e-7c3d-8a4f-5b6c7d8e9f00", "notice": notice.hash, "action": "refuse_all",
        "method": "banner", "grants": {}, "vendors": {}, "visitor": None, "change": False, "language": "en",
        "page": "http://127.0.0.1:8001/", "gpc": False,
    }  # fmt: skip
    body = json.dumps(said).encode()
    path = "/v1/sites/callbell/decisions"
    return server.ask("POST", path, body, Content_Type="text/plain", Origin="http://127.0.0.1:8001")[0]


def test_it_keeps_records_in_the_working_folder(installed: dict[str, str], tmp_path: Path) -> None:
    program = "from consent_server.core.settings import Settings; print(Settings.from_env().instance)"
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=installed, check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()) == tmp_path / "consent-instance"
