"""A second engine: the tests in `firefox/` in Debian's Firefox, against the server that all browser tests share."""

import json
import os
import shutil
import subprocess

from .fake_vendors import SCRIPTS
from .servers import ROOT, ConsentServer
from .site_files import ORIGIN


def test_what_must_hold_in_firefox_too(server: ConsentServer) -> None:
    firefox = shutil.which("firefox-esr")
    assert firefox, "Install Firefox: apt-get install firefox-esr"
    scripts = {host + path: body for (host, path), body in SCRIPTS.items()}
    given = {"firefox": firefox, "server": server.url, "origin": ORIGIN, "scripts": scripts}
    files = sorted(map(str, (ROOT / "tests" / "browser" / "firefox").glob("*.test.mjs")))
    done = subprocess.run(
        ["node", "--test", *files], cwd=ROOT, env={**os.environ, "CONSENT_FIREFOX": json.dumps(given)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# tests 14" in done.stdout
