"""Seals new records every moment, from a thread of each worker; the database lets one at a time."""

import logging
import threading

from consent_server.domain.errors import StorageUnavailable
from consent_server.extensions import Services
from consent_server.usecases.seal_ledger import seal_ledger

log = logging.getLogger("consent_server.sealer")


def start(services: Services) -> threading.Thread:
    """Begin sealing. The thread ends with its process, wherever it is: a half-done run leaves nothing."""
    thread = threading.Thread(target=_run, args=(services,), name="sealer", daemon=True)
    thread.start()
    return thread


def _run(services: Services) -> None:
    pause = threading.Event()
    while not pause.wait(services.settings.seal_seconds):
        try:
            seal_ledger(services.database, services.keys.ring, services.now)
        except StorageUnavailable as error:
            log.warning("not sealed: %s", error.detail)
        except Exception:
            log.exception("not sealed")
