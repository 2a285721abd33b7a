"""What tests and measurements need to run real programs."""

import os
import random
import socket

# Below the ports that Linux gives to whoever connects, so that nobody is given one between here and its use.
FIRST, LAST = 10_000, 32_000
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

_OWN = range(FIRST + WORKER, LAST, WORKERS)
_ports = iter(random.sample(_OWN, len(_OWN)))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on, and that no other process of these tests is given."""
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
