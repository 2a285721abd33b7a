"""verify.py as an auditor runs it, bare Python in an empty folder; and its main function, which costs a quarter."""

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consent_server.audit import pack, verify
from tests.support.evidence_ledger import EvidenceLedger

SCRIPT = Path(pack.__file__).with_name("verify.py")
Fails = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Outcome:
    """What the script said: `fails` are check, place, reason."""

    code: int
    text: str
    fails: Fails

    def names(self, check: str, place: str, reason: str) -> bool:
        return any((one[0], one[1]) == (check, place) and reason in one[2] for one in self.fails)


@dataclass(frozen=True)
class Bench:
    """An empty folder and bare Python."""

    folder: Path

    def run(self, *arguments: object) -> Outcome:
        """No site-packages, no environment, no folder of ours on the path."""
        done = subprocess.run(
            [sys.executable, "-I", "-S", *map(str, arguments), "--json"],
            cwd=self.folder,
            env={},
            capture_output=True,
            text=True,
            # No measure of speed: only so that what never ends is a failure.
            timeout=600,
        )
        assert done.stderr == ""
        return _outcome(done.returncode, done.stdout)

    def check(self, *arguments: object) -> Outcome:
        """What the script says, run in this process."""
        said, wrong = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
            code = verify.main([*map(str, arguments), "--json"])
        assert wrong.getvalue() == ""
        return _outcome(code, said.getvalue())

    def verify(self, ledger: EvidenceLedger, *arguments: object, **changes: Any) -> Outcome:
        """A pack of the ledger as it is."""
        return self.check(ledger.write(self.folder / "pack.zip", **changes), *arguments)

    def keep(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name


def _outcome(code: int, text: str) -> Outcome:
    said = json.loads(text)
    fails = [(check["name"], one["place"], one["reason"]) for check in said["checks"] for one in check["failures"]]
    assert (code == 0) == (not fails) == said["ok"]
    return Outcome(code, text, fails)
