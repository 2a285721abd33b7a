"""A PgBouncer in transaction mode before the tests' PostgreSQL, reached by a socket in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.postgresql import ACCOUNT, PostgreSQL

PORT = 6432  # names the socket; nothing listens on the network

CONFIGURATION = """\
[databases]
* = host={server} user=consent
[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
listen_port = {port}
auth_type = any
pool_mode = {mode}
default_pool_size = {servers}
"""


class PgBouncer:
    """Shares so few sessions of the server among all who connect that each meets what others left in them."""

    def __init__(self, server: PostgreSQL, mode: str = "transaction", servers: int = 2) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "These tests need PgBouncer: apt-get install pgbouncer"
        self.folder = Path(tempfile.mkdtemp(prefix="consent-pgbouncer-"))
        file = self.folder / "pgbouncer.ini"
        file.write_text(
            CONFIGURATION.format(server=server.folder, folder=self.folder, port=PORT, mode=mode, servers=servers)
        )
        if os.getuid() == 0:
            for path in (self.folder, file):
                shutil.chown(path, ACCOUNT)
        as_user = ["runuser", "-u", ACCOUNT, "--"] if os.getuid() == 0 else []
        self._process = subprocess.Popen(
            [*as_user, program, str(file)], cwd="/", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr
        # It listens before it says that it is up.
        said = ""
        for line in self._process.stderr:
            said += line
            if "process up" in line:
                return
        raise AssertionError(said)

    def url(self, database: str) -> str:
        """What CONSENT_DATABASE_URL would be."""
        return f"postgresql+psycopg://consent@/{database}?host={self.folder}&port={PORT}"

    def stop(self) -> None:
        """Stop it for good; it is away for everybody at once."""
        self._process.terminate()
        self._process.communicate(timeout=20)
        shutil.rmtree(self.folder)
