"""A demonstration: the example site and a shop that asks for consent, in a folder of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from consent_server.core.context import Context
from consent_server.core.resources import ROOT
from consent_server.sites.find import list_sites
from consent_server.sites.publish import publish_notice
from consent_server.sites.site_file import read_site_file

SITE_FILE = ROOT / "examples" / "callbell.toml"
SHOP = ROOT / "examples" / "shop" / "serve.py"
YEAR = ROOT / "examples" / "demo" / "fill.py"
HOST = "127.0.0.1"


def leave_settings(environ: MutableMapping[str, str], folder: Path, port: int, shop_port: int) -> None:
    """Forget every setting: what is made up meets no real database, witness or colleague."""
    for name in [name for name in environ if name.startswith("CONSENT_")]:
        del environ[name]
    environ.update(CONSENT_INSTANCE=str(folder), HOST=HOST, PORT=str(port), DEMO_PORT=str(shop_port))


@contextmanager
def demonstration_folder(kept: Path | None) -> Iterator[Path]:
    """The folder of a demonstration: the one that is kept, or one that is deleted at the end with all beside it."""
    if kept:
        yield kept.resolve()
        return
    with TemporaryDirectory(prefix="consent-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "instance"


def publish_example(ctx: Context) -> None:
    """Have the example site in force, unless there is one from another time."""
    if list_sites(ctx.database):
        return
    text = SITE_FILE.read_text("utf-8")
    publish_notice(ctx.database, read_site_file(text), ctx.settings.public_url, ctx.now(), text=text)


def make_year(folder: Path) -> None:
    """Fill a folder that is not there yet, or empty, with a year of visitors. One that is cut short is made anew."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    environ = os.environ | {"CONSENT_INSTANCE": str(unfinished)}
    for program in (["-P", "-m", "consent_server", "migrate"], [str(YEAR)]):
        done = subprocess.run([sys.executable, *program], env=environ, check=False, stdout=subprocess.DEVNULL)  # noqa: S603
        if done.returncode:
            sys.exit("The year was not made; nothing of it is kept.")
    if folder.is_dir():
        folder.rmdir()
    unfinished.rename(folder)


def serve_with_shop(port: int, say: Callable[[], None]) -> int:
    """Serve, with the shop beside it, until one is told to end; the server's exit status.

    `say` is called when both can be looked at: a page that is opened earlier would stay without a banner.
    """
    # As by Ctrl-C: what was started ends, and what is not kept is deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    running = [subprocess.Popen([sys.executable, "-P", "-m", "consent_server.gunicorn_conf"])]
    try:
        if _listens(port, running[0]):
            running.append(subprocess.Popen([sys.executable, str(SHOP)], stdout=subprocess.DEVNULL))  # noqa: S603
            say()
        return running[0].wait()
    except KeyboardInterrupt:
        return 0
    finally:
        # Nothing is deleted before those who use it have ended.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _listens(port: int, server: "subprocess.Popen[bytes]") -> bool:
    while server.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port)):
            return True
        time.sleep(0.05)
    return False
