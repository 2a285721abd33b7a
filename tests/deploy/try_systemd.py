"""`make try-systemd`: sets a server up on a Debian with systemd and nginx as docs/servers.md says, starting every unit.

The machine is a root of mmdebstrap, in which systemd-nspawn starts systemd as the first process. It needs root.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "systemd,systemd-sysv,dbus,python3,python3-venv,curl,procps,util-linux,"
    "chromium,chromium-sandbox,fonts-dejavu-core,nginx,openssl"
)
STEPS = Path(__file__).with_name("on_systemd.sh")
SECONDS = 600
UNIT = """\
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/sh /srv/on_systemd.sh
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=file:/srv/said
StandardError=file:/srv/said
[Install]
WantedBy=multi-user.target
"""


def main() -> int:
    """Make the machine, or take one that is there; run the steps on it; say what it said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--debian", default="bookworm", help="the release")
    parser.add_argument("--python", default="3.11", help="its Python")
    parser.add_argument("--machine", type=Path, help="keep the bare machine there, and take it the next time")
    options = parser.parse_args()
    # On a disk: a machine is larger than what some have in /tmp.
    with TemporaryDirectory(prefix="consent-systemd-", dir=os.environ.get("TMPDIR", "/var/tmp")) as scratch:
        bare, machine = options.machine or Path(scratch) / "bare", Path(scratch) / "machine"
        if not bare.exists():
            _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", options.debian, str(bare))
        _run("cp", "--archive", "--reflink=auto", str(bare), str(machine))
        _fill(machine, options.python)
        begun = time.monotonic()
        # With ports of its own.
        boot = [*_in(machine), "--private-network", "--boot"]
        subprocess.run(boot, stdin=subprocess.DEVNULL, check=False, timeout=SECONDS)
        said = (machine / "srv" / "said").read_text("utf-8", "replace")
        print(said)
        held = said.rstrip().endswith("All of it holds.")
        print(f"{time.monotonic() - begun:.0f} s from the start of systemd to its end; {'ok' if held else 'FAILED'}")
        return 0 if held else 1


def _fill(machine: Path, python: str) -> None:
    """Put the wheel, what it needs, the files of deploy/ and the steps on the machine."""
    there = machine / "srv"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "wheel", "--no-deps", f"--wheel-dir={there / 'wheels'}", str(ROOT))
    fitting = ("--only-binary=:all:", f"--python-version={python}")
    locked = ("--require-hashes", f"--requirement={ROOT / 'requirements.lock'}")
    _run(*pip, "download", *fitting, f"--dest={there / 'wheels'}", *locked)
    shutil.copytree(ROOT / "deploy", there / "deploy")
    shutil.copy(ROOT / "examples" / "callbell.toml", there)
    shutil.copy(STEPS, there)
    units = machine / "etc" / "systemd" / "system"
    (units / "try.service").write_text(UNIT, "utf-8")
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "try.service").symlink_to("../try.service")


def _in(machine: Path) -> list[str]:
    """What runs a program there."""
    return ["systemd-nspawn", "--quiet", f"--directory={machine}", "--register=no", "--keep-unit", "--console=pipe"]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
