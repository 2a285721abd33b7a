"""The units of deploy/systemd, as systemd itself reads them. `make try-systemd` starts them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from consent_server.core.settings import NAMES, Settings

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
# What stands for every site stands for one.
UNIT_NAMES = [
    path.name.replace("@.", "@shop.") for kind in ("service", "timer") for path in sorted(UNITS.glob(f"*.{kind}"))
]
SERVICES = [name for name in UNIT_NAMES if name.endswith(".service")]
MOST_EXPOSED = 30  # tenths: 3.0 of 10


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a machine with the units and the programs that they name."""
    root = tmp_path_factory.mktemp("machine")
    for folder in ("lib/systemd/system", "etc/systemd/system", "opt/consent/venv/bin", "bin"):
        (root / folder).mkdir(parents=True)
    shutil.copytree("/lib/systemd/system", root / "lib/systemd/system", symlinks=True, dirs_exist_ok=True)
    shutil.copytree(UNITS, root / "etc/systemd/system", dirs_exist_ok=True)
    for program in ("opt/consent/venv/bin/consent", "bin/sh"):
        (root / program).touch(mode=0o755)
    return root


@pytest.mark.parametrize("unit", UNIT_NAMES)
def test_systemd_finds_nothing_to_complain_of(unit: str, machine: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=one", f"--root={machine}", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_may_do_little(unit: str, machine: Path) -> None:
    at_most = [f"--threshold={MOST_EXPOSED}", "--offline=yes", f"--root={machine}"]
    done = subprocess.run(
        ["systemd-analyze", "security", *at_most, "--json=short", unit], capture_output=True, text=True, check=False
    )
    exposed = [row["name"] for row in json.loads(done.stdout) if row["exposure"]]
    assert done.returncode == 0, f"{done.stderr} Exposed: {exposed}"


@pytest.mark.parametrize("timer", [path for path in UNITS.glob("*.timer")], ids=lambda path: path.stem)
def test_a_timer_has_its_service(timer: Path) -> None:
    assert timer.with_suffix(".service").exists()


def test_the_settings_that_are_handed_out_are_settings(tmp_path: Path) -> None:
    lines = (UNITS / "consent.env").read_text("utf-8").splitlines()
    said = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert Settings.from_env(said | {"CONSENT_INSTANCE": str(tmp_path)}).trusted_proxies == 1
    named = {line.removeprefix("#").split("=", 1)[0] for line in lines if line.startswith(("CONSENT_", "#CONSENT_"))}
    assert named <= NAMES
