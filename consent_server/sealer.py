"""Background work of each worker: archives the widget that it serves, then seals new records every moment.

The database lets one worker at a time; the others find nothing left.
"""

import logging
import threading
from collections.abc import Callable

from consent_server.domain.errors import StorageUnavailable
from consent_server.extensions import Services
from consent_server.usecases.archive_widgets import archive_widgets
from consent_server.usecases.seal_ledger import seal_ledger

log = logging.getLogger("consent_server.sealer")


def start(services: Services) -> threading.Thread:
    """Begin sealing. The thread ends with its process, wherever it is: a half-done run leaves nothing."""
    thread = threading.Thread(target=_run, args=(services,), name="sealer", daemon=True)
    thread.start()
    return thread


def _run(services: Services) -> None:
    pause = threading.Event()
    _try(lambda: archive_widgets(services.database, services.sites, services.now()))
    while not pause.wait(services.settings.seal_seconds):
        _try(lambda: seal_ledger(services.database, services.keys.ring, services.now))


def _try(work: Callable[[], object]) -> None:
    try:
        work()
    except StorageUnavailable as error:
        log.warning("not done: %s", error.detail)
    except Exception:
        log.exception("not done")
