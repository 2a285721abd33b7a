"""What README.md tells to type, typed in its order, leads to the tag that it shows."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from consent_server.core.resources import ROOT
from consent_server.sites.draft_site_file import EXAMPLE_ADDRESS
from tests.support.process import free_port
from tests.support.served import Server

FENCE = re.compile(r"```(sh|html)\n(.*?)```", re.DOTALL)
# What the page shows where nothing else listens.
SHOWN = "http://127.0.0.1:8000"


def test_a_site_of_ones_own_by_the_readme_alone(tmp_path: Path) -> None:
    found = FENCE.findall((ROOT / "README.md").read_text("utf-8"))
    first, second = (text.splitlines() for kind, text in found if kind == "sh")
    pages = "".join(text for kind, text in found if kind == "html")
    assert first[-1] == "consent serve"
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": programs, "PORT": str(free_port()), "CONSENT_INSTANCE": str(tmp_path / "instance")}
    address = f"http://127.0.0.1:{environ['PORT']}"

    def typed(line: str) -> str:
        done = subprocess.run(shlex.split(line), cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    for line in first[:-1]:
        typed(line)
    server = Server(environ, tmp_path, ("-P", "-m", "consent_server", "serve"), tmp_path)
    try:
        printed = "".join(typed(line) for line in second)
        tag = re.search(r"<script async.*</script>", printed)
        assert tag
        assert tag[0].replace(address, SHOWN) in pages
        assert EXAMPLE_ADDRESS in printed, "what init could not know is said"
        for url in re.findall(rf'"{SHOWN}(/[^"]+)"', pages):
            assert server.ask("GET", url)[0] == 200, url
    finally:
        server.stop()
