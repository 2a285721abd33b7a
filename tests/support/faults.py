"""What happens to a server beside its own faults: its database is silent, locked or full, and its clients are slow."""

import contextlib
import multiprocessing
import os
import resource
import selectors
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

PROCESSES = multiprocessing.get_context("forkserver")


class Way:
    """The way to a server that listens on a socket of this machine: a TCP port of 127.0.0.1 that can fall silent.

    Silent is what a host that lost its power, its network or its mind is to who asks it: connections stay open and
    new ones are made, bytes are taken, and nothing comes back.
    """

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._silent = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._ends: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._carry, name="way", daemon=True)
        self._thread.start()

    def silence(self) -> None:
        """Carry nothing more. What was under way is lost."""
        self._silent.set()

    def heal(self) -> None:
        """Carry again. Connections that were silent are dead, as after a host came back."""
        self._silent.clear()
        self._wake.send(b"heal")

    def close(self) -> None:
        """End it with all that it carries."""
        self._wake.close()
        self._thread.join(10)
        for end in [*self._ends, self._listener, self._woken]:
            end.close()
        self._selector.close()

    def _carry(self) -> None:
        while True:
            for key, _ in self._selector.select():
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self._woken:
                    if not end.recv(100):
                        return
                    self._drop_dead()
                elif end is self._listener:
                    self._accept()
                elif end in self._ends:
                    self._pass_on(end)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            server.close()
            return
        for end, other in ((client, server), (server, client)):
            self._ends[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, end: socket.socket) -> None:
        try:
            data = end.recv(65536)
            if data and not self._silent.is_set():
                self._ends[end].sendall(data)
        except OSError:
            data = b""
        if not data and not self._silent.is_set():
            self._drop(end)
        elif not data:
            # Closed while nothing is carried: the other end is not to learn of it.
            self._selector.unregister(end)

    def _drop_dead(self) -> None:
        for end in list(self._ends):
            self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        other = self._ends.pop(end, None)
        if other is None:
            return
        self._ends.pop(other, None)
        for each in (end, other):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()


@contextmanager
def way_to(folder: Path) -> Iterator[Way]:
    """The way to a PostgreSQL whose socket is in this folder."""
    way = Way(folder / ".s.PGSQL.5432")
    try:
        yield way
    finally:
        way.close()


def _hold(path: Path, held: Connection) -> None:
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    connection.execute("BEGIN IMMEDIATE")
    held.send("held")
    while True:
        signal.pause()


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Another process holds SQLite's write lock, such as somebody's own program in the middle of a transaction."""
    ready, told = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_hold, args=(path, told), daemon=True)
    process.start()
    try:
        assert ready.poll(20)
        yield
    finally:
        process.kill()
        process.join()


@contextmanager
def full_disk(processes: Iterable[int]) -> Iterator[None]:
    """Files take no byte more from these processes. What they listen to, and the pipes that they write to, go on."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in processes}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@contextmanager
def stopped(processes: Iterable[int]) -> Iterator[None]:
    """These processes stand still."""
    held = list(processes)
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class SlowClients:
    """Connections that send a byte now and then and never come to an end: `heads` in their head, `bodies` in a body."""

    HEAD = b"POST /v1/sites/shop/decisions HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\n"

    def __init__(self, port: int, heads: int = 0, bodies: int = 0) -> None:
        self._end = threading.Event()
        begun = [self.HEAD] * heads + [self.HEAD + b"Content-Length: 4000\r\n\r\n{"] * bodies
        self._connections = [socket.create_connection(("127.0.0.1", port), 20) for _ in begun]
        for connection, head in zip(self._connections, begun, strict=True):
            connection.sendall(head)
            connection.setblocking(False)
        self._thread = threading.Thread(target=self._trickle, daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        """How many the server has not ended."""
        return sum(map(_is_open, self._connections))

    def close(self) -> None:
        """Let go."""
        self._end.set()
        self._thread.join(10)
        for connection in self._connections:
            connection.close()

    def _trickle(self) -> None:
        while not self._end.wait(0.5):
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.send(b"x")


def _is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
