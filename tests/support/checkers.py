"""The checks of examples/backend/, each run as the program that it is."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from consent_server.core.resources import ROOT

FOLDER = ROOT / "examples" / "backend"
COMMANDS: dict[str, Sequence[str | Path]] = {
    "Python": [sys.executable, "-W", "ignore:EdDSA is deprecated", FOLDER / "check_state.py"],
    "PHP": ["php", "-d", "display_errors=stderr", "-d", "error_reporting=-1", FOLDER / "check_state.php"],
    "Node": ["node", FOLDER / "check_state.mjs"],
    "Worker": ["node", "--no-warnings", Path(__file__).with_name("run_worker.mjs")],
    "Go": [],
}


@dataclass(frozen=True)
class Checker:
    """One language's check."""

    command: Sequence[str | Path]

    def answers(
        self, server: str, site: str, vendor: str, purposes: Sequence[str], cookies: Sequence[str]
    ) -> list[bool]:
        """What it says to each Cookie header."""
        done = subprocess.run(
            [*self.command, server, site, vendor, *purposes], input="".join(f"{line}\n" for line in cookies),
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        return [{"true": True, "false": False}[line] for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go check, built once."""
    program = tmp_path_factory.mktemp("go") / "check_state"
    subprocess.run(["go", "build", "-o", program, FOLDER / "check_state.go"], check=True)
    return program


@pytest.fixture(scope="session")
def checkers(go_program: Path) -> dict[str, Checker]:
    """All of them by language."""
    return {language: Checker(command or [go_program]) for language, command in COMMANDS.items()}


@pytest.fixture(params=sorted(COMMANDS))
def checker(request: pytest.FixtureRequest, checkers: dict[str, Checker]) -> Checker:
    """Each in turn."""
    return checkers[request.param]
