"""Debian's WordPress as somebody would run it: its PHP, its database, its administrator; all in folders of its own."""

import glob
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from consent_server.core.resources import ROOT
from tests.support.process import free_port

CODE = Path("/usr/share/wordpress")
PLUGIN = ROOT / "integrations" / "wordpress" / "consent-server"
PACKAGES = "wordpress wordpress-theme-twentytwentythree mariadb-server php-cli php-mysql"
ACCOUNT = "mysql"  # made by Debian's package; the server refuses to run as root
ADMIN, PASSWORD = "admin", "correct horse battery staple"
START_SECONDS = 30
# It goes with the process that made it, however that ends.
TIED = ["setpriv", "--pdeathsig", "KILL"]

_CONFIGURATION = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{url}'); define('WP_SITEURL', '{url}');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', true); define('WP_DEBUG_DISPLAY', false); define('WP_DEBUG_LOG', '{log}');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {{
    define($name . '_KEY', '{secret}'); define($name . '_SALT', '{secret}');
}}
$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require ABSPATH . 'wp-settings.php';
"""
_INSTALL = f"""
define('WP_INSTALLING', true);
require 'wp-load.php';
require 'wp-admin/includes/upgrade.php';
wp_install('Shop', '{ADMIN}', 'admin@shop.example', true, '', '{PASSWORD}');
switch_theme('twentytwentythree');
"""


def is_installed() -> bool:
    """Whether the Debian packages are there."""
    programs = ("php", "mariadbd", "mariadb-install-db", "setpriv")
    themes = CODE / "wp-content" / "themes" / "twentytwentythree"
    path = f"{os.environ['PATH']}:/usr/sbin"
    driver = glob.glob("/usr/lib/php/*/mysqli.so")
    return bool(driver) and themes.is_dir() and all(shutil.which(program, path=path) for program in programs)


class WordPress:
    """A site with the plug-in in its folder, not activated; `stand_ins` are plug-ins that are always on."""

    def __init__(self, stand_ins: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="consent-wordpress-"))
        self._database = _Database(self._folder / "database")
        self.url = f"http://127.0.0.1:{free_port()}"
        self._copy(stand_ins)
        self.run(_INSTALL)
        port = int(self.url.rpartition(":")[2])
        with (self._folder / "access.log").open("wb") as log:
            self._server = subprocess.Popen(
                [*TIED, "--", "php", "-S", f"127.0.0.1:{port}", "-t", self._code], cwd=self._code,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        _wait_for(lambda: _listens(port))

    @property
    def _code(self) -> Path:
        return self._folder / "wordpress"

    def _copy(self, stand_ins: Path) -> None:
        # Without links: WordPress takes the folder of its own code for the site's.
        shutil.copytree(CODE, self._code, ignore=shutil.ignore_patterns("wp-config.php"))
        content = self._code / "wp-content"
        shutil.copytree(PLUGIN, content / "plugins" / PLUGIN.name)
        shutil.copytree(stand_ins, content / "mu-plugins")
        text = _CONFIGURATION.format(
            socket=self._database.socket, url=self.url, log=self._folder / "debug.log", secret=secrets.token_hex(32)
        )
        (self._code / "wp-config.php").write_text(text, "utf-8")

    def run(self, code: str) -> str:
        """What PHP code of WordPress's own prints."""
        command = ["php", "-d", "display_errors=stderr", "-r", code]
        done = subprocess.run(command, cwd=self._code, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> str:
        """End what was started, leave nothing behind, and return what WordPress complained of."""
        self._server.kill()
        self._server.wait()
        self._database.stop()
        log = self._folder / "debug.log"
        faults = log.read_text("utf-8") if log.exists() else ""
        shutil.rmtree(self._folder)
        return faults


class _Database:
    """MariaDB, reached by a socket alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.socket = folder / "socket"
        if os.getuid() == 0:
            folder.parent.chmod(0o711)
            shutil.chown(folder, ACCOUNT)
        # The account need not be let into the folder that is named for temporary files.
        self._environment = {**os.environ, "TMPDIR": str(folder)}
        data = f"--datadir={folder / 'data'}"
        self._as_account(
            "mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"
        ).check_returncode()
        options = ("--skip-networking", f"--socket={self.socket}", f"--pid-file={folder / 'pid'}")
        # What is lost in a power cut is a test's.
        quick = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=32M")
        self._process = subprocess.Popen(
            [*_account(), "/usr/sbin/mariadbd", "--no-defaults", data, *options, *quick],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", env=self._environment,
        )  # fmt: skip
        _wait_for(lambda: self._ask("CREATE DATABASE wordpress"))

    def _ask(self, statement: str) -> bool:
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "-e", statement]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _as_account(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*_account(), *command], cwd="/", env=self._environment, capture_output=True, check=False, timeout=60
        )

    def stop(self) -> None:
        """Drop everything."""
        self._process.kill()
        self._process.wait()


def _account() -> list[str]:
    own = ["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"] if os.getuid() == 0 else []
    return [*TIED, *own, "--"]


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(holds: Callable[[], bool]) -> None:
    wait = threading.Event()
    for _ in range(START_SECONDS * 20):
        if holds():
            return
        wait.wait(0.05)
    raise AssertionError("what was waited for never came")
