"""`make fuzz`: asks a server what two programs of others think of, by its interface's description and by its pages.

Schemathesis makes requests out of docs/openapi.json, right and wrong ones, and holds the answers against it. Wapiti
follows links and forms, and sends what attackers send. Both are bounded, and ask 127.0.0.1 alone.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

from consent_server.core.hashes import sha256_hex
from consent_server.core.resources import ROOT
from tests.support.factories import site_file
from tests.support.process import free_port
from tests.support.served import Server

# All that ask nobody but the server.
MODULES = (
    "backup,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,sql,timesql,xss"
)
SECONDS = os.environ.get("FUZZ_SECONDS", "90")
HERE = Path(__file__).parent
# What Wapiti says of every server like this one, and what stands in its place.
ANSWERED = {
    "Cross Site Request Forgery": "it knows no field of the name form_token; tests/people/test_sign_in.py forges forms",
    "Clickjacking Protection": "Content-Security-Policy says frame-ancestors, which stands above X-Frame-Options",
    "Secure Flag cookie": "it is there where the public address is https; here it is http",
}


def main(schemathesis: str, wapiti: str) -> int:
    """Exit code 0 when neither has found anything."""
    with tempfile.TemporaryDirectory(prefix="consent-fuzz-") as folder:
        return _ask(Path(folder), schemathesis, wapiti)


def _ask(folder: Path, schemathesis: str, wapiti: str) -> int:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = os.environ | {
        "CONSENT_INSTANCE": str(folder), "CONSENT_PUBLIC_URL": url, "CONSENT_RATE_LIMIT": "100000 per second",
        "PORT": str(port), "PYTHONPATH": str(ROOT), "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    (folder / "shop.toml").write_text(site_file(), "utf-8")
    for command in (["db", "upgrade"], ["site", "apply", str(folder / "shop.toml")]):
        _flask(environ, *command)
    token = _flask(environ, "token", "create", "--role", "operator", "--name", "fuzz").strip()
    server = Server(environ, folder)
    try:
        (folder / "schemathesis.toml").write_text((HERE / "schemathesis.toml").read_text() + _known(server), "utf-8")
        found = [_run_schemathesis(folder, schemathesis, url, token), _run_wapiti(folder, wapiti, url, token)]
    finally:
        _, said = server.stop()
    incidents = [line for line in said.splitlines() if "incident" in line]
    print("\n".join(incidents))
    return int(any(found) or bool(incidents))


def _flask(environ: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout


def _known(server: Server) -> str:
    """Names of what is there, so that more is asked for than what is not."""
    notice = sha256_hex(server.ask("GET", "/v1/sites/shop/notice")[1])
    body = {"decision_id": str(uuid4()), "notice": notice, "action": "refuse_all", "method": "banner", "grants": {}}
    status, answer = server.post(
        body | {"visitor": None, "change": False, "language": "en", "page": None, "gpc": False}
    )
    assert status == HTTPStatus.CREATED, answer
    link = json.loads(answer)["receipt_url"].rpartition("/")[2]
    deadline = time.monotonic() + 20
    while server.ask("GET", "/ledger/shop/checkpoint")[0] != HTTPStatus.OK:
        assert time.monotonic() < deadline, "nothing was sealed"
    return f'\n[parameters]\nsite_key = "shop"\nhash = "{notice}"\nlink = "{link}"\n'


def _run_schemathesis(folder: Path, program: str, url: str, token: str) -> bool:
    command = [program, "run", str(ROOT / "docs" / "openapi.json"), "--url", url, "--max-time", SECONDS]
    headers = [f"Authorization: Bearer {token}", "Origin: https://shop.example"]
    return (
        subprocess.run([*command, *(f"--header={header}" for header in headers)], cwd=folder, check=False).returncode
        != 0
    )


def _run_wapiti(folder: Path, program: str, url: str, token: str) -> bool:
    pages = [f"--start={url}{path}" for path in ("/console", "/docs", "/sign-in", "/sites/shop/choice")]
    bounds = ["--max-scan-time", SECONDS, "--max-attack-time", "15", "--depth", "3", "--max-links-per-page", "30"]
    bounds += ["--scope", "domain", "--module", MODULES, "--endpoint", f"{url}/nowhere"]
    report_to = ["--flush-session", "--no-bugreport", "--format", "json", "--output", "wapiti.json"]
    command = [program, "--url", f"{url}/", *pages, *bounds, "--header", f"Authorization: Bearer {token}"]
    subprocess.run(
        [*command, *report_to], cwd=folder, env=os.environ | {"HOME": str(folder)}, check=True
    )  # fmt: skip
    report = json.loads((folder / "wapiti.json").read_text())
    found = {name: places for name, places in report["vulnerabilities"].items() if places and name not in ANSWERED}
    print(json.dumps(found | {name: places for name, places in report["anomalies"].items() if places}, indent=1))
    return bool(found) or any(report["anomalies"].values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
