"""The wheel on a Debian that has nothing but Python, as somebody meets it who was told of it today.

Usage: make try-wheel    (as root; mmdebstrap and Chromium are installed)
Each step is printed with its seconds. pip asks where this machine's pip asks: what its configuration names is shown to
the new root under the same path, and so are the folders that SHOW names, where an index leads on to others. The browser
stands outside, as a visitor's does.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from consent_server.core.resources import ROOT
from tests.support.installed import build
from tests.support.process import free_port

SUITE = "bookworm"
VENV = "/opt/consent"
# What a program needs of this machine to reach the network as others do here.
NETWORK = re.compile(r"(?i)PIP_\w+|(https?|all|no)_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")
# Mounts what is named before `--` at the same path below the root, and runs the rest in it. All of it goes with the
# program. Nothing is between: a signal reaches the program itself.
IN_ROOT = """
root=$1; shift
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root${1%/*}"; touch "$root$1"; fi
    mount --bind "$1" "$root$1"; shift
done
shift
exec chroot "$root" "$@"
"""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say how long something took."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)


class Debian:
    """A root of Debian's packages alone, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ, self.shown = pip_configuration()

    def make(self) -> None:
        """From this machine's own sources."""
        packages = "--include=python3,python3-venv"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", packages, SUITE, str(self.folder)]
        subprocess.run(command, check=True)

    def start(self, command: Sequence[str]) -> "subprocess.Popen[str]":
        """A program in it."""
        inside = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "HOME": "/srv", "LC_ALL": "C.UTF-8", **self.environ}
        shown = ["/etc/resolv.conf", "/etc/hosts", *self.shown]
        entered = ["unshare", "--mount", "sh", "-c", IN_ROOT, "sh", str(self.folder), *shown, "--", "env", "-i"]
        values = [f"{name}={value}" for name, value in inside.items()]
        return subprocess.Popen([*entered, *values, *command], stdout=subprocess.PIPE, text=True)

    def run(self, *command: str) -> str:
        """What a program prints that has to succeed."""
        process = self.start(command)
        printed, _ = process.communicate()
        assert process.returncode == 0, (command, printed)
        return printed


def pip_configuration() -> tuple[dict[str, str], list[str]]:
    """This machine's settings of pip and of the network, as environment; and the files that they name."""
    environ = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    for name, value in re.findall(r"^global\.([\w-]+)=(.+)$", listed.stdout, re.MULTILINE):
        environ.setdefault(f"PIP_{name.upper().replace('-', '_')}", " ".join(str(ast.literal_eval(value)).split()))
    named = [*environ.values(), os.environ.get("SHOW", "")]
    words = {word.removeprefix("file://") for value in named for word in value.split()}
    return environ, sorted(word for word in words if word.startswith("/") and Path(word).exists())


def decide(page: Page, shop: str) -> tuple[str, str]:
    """Accept on the shop's banner; the receipt, and the keys it is checked with."""
    page.context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    page.goto(shop)
    page.locator("[data-action=accept]").click()
    page.wait_for_function("() => window.consentWidget.receiptUrl")
    url = page.evaluate("() => window.consentWidget.receiptUrl")
    receipt = page.request.get(url, headers={"Accept": "application/jose"})
    keys = page.request.get(f"{url.partition('/v1/')[0]}/.well-known/jwks.json")
    assert (receipt.status, keys.status) == (200, 200)
    return receipt.text(), keys.text()


def visit(shop: str) -> tuple[str, str]:
    """The same in a real browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        return decide(page, shop)


def served(demo: "subprocess.Popen[str]") -> None:
    """Read what a demonstration prints until it serves."""
    assert demo.stdout
    for line in demo.stdout:
        if "Ctrl+C ends it" in line:
            return
    raise AssertionError("It ended before it served.")


def main() -> None:
    """From a folder with a wheel to a receipt that holds."""
    with tempfile.TemporaryDirectory(prefix="consent-try-") as folder:
        debian = Debian(Path(folder) / "debian")
        with step("build the wheel"):
            wheel = build("wheel", ROOT, Path(folder) / "dist")
        with step(f"make a root of Debian {SUITE} with Python and nothing else"):
            debian.make()
        began = time.monotonic()
        shutil.copy(wheel, debian.folder / "srv" / wheel.name)
        with step("python3 -m venv; pip install of the wheel"):
            debian.run("python3", "-m", "venv", VENV)
            debian.run("pip", "install", "--quiet", "--no-cache-dir", f"/srv/{wheel.name}")
        assert debian.run("consent", "--version").startswith("consent ")
        port, shop_port = free_port(), free_port()
        with step("consent demo, until it says where to look"):
            demo = debian.start(["consent", "demo", "--port", str(port), "--shop-port", str(shop_port)])
            served(demo)
        try:
            with step("a decision in a browser on the shop, and its receipt"):
                receipt, keys = visit(f"http://127.0.0.1:{shop_port}/")
            (debian.folder / "srv" / "receipt.jws").write_text(receipt, "utf-8")
            (debian.folder / "srv" / "keys.json").write_text(keys, "utf-8")
            with step("consent receipt verify"):
                verified = debian.run("consent", "receipt", "verify", "/srv/receipt.jws", "--jwks", "/srv/keys.json")
        finally:
            demo.terminate()
            demo.communicate()
        assert demo.returncode == 0, demo.returncode
        assert not list((debian.folder / "tmp").glob("consent-demo-*")), "the demonstration left its folder"
        print(f"{time.monotonic() - began:7.1f} s  from the wheel to the verified receipt\n")
        print(verified)


if __name__ == "__main__":
    main()
