"""A line to a server that can go silent: what is sent is taken and never answered, and no connection ends."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self


class SilentLine:
    """Hands on whatever comes at a TCP port of 127.0.0.1 to a Unix socket and back, in one thread."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._speaks = threading.Event()
        self._speaks.set()
        self._ended = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._speaks.set()
        # Whoever connects wakes the thread, which then sees that it is over.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        for open_socket in [*self._pairs, self._listener]:
            open_socket.close()
        self._selector.close()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """As when the host is gone without a word, or a firewall drops every packet."""
        self._speaks.clear()
        try:
            yield
        finally:
            self._speaks.set()

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select():
                self._speaks.wait()
                if key.fileobj is self._listener:
                    self._connect()
                elif isinstance(key.fileobj, socket.socket):
                    self._hand_on(key.fileobj)

    def _connect(self) -> None:
        near, _ = self._listener.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(str(self._target))
        except OSError:
            far.close()
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _hand_on(self, source: socket.socket) -> None:
        target = self._pairs.get(source)
        if target is None:
            return  # its other end was closed in the same round
        try:
            data = source.recv(65536)
            if data:
                target.sendall(data)
                return
        except OSError:
            pass
        for end in (source, target):
            self._selector.unregister(end)
            del self._pairs[end]
            end.close()
