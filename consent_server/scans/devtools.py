"""Speaks to a Chromium by its own protocol (Chrome DevTools Protocol) over a pipe: no port, nobody else can listen."""

import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from consent_server.widget.chromium import QUIET, Chromium, environment, sandbox

# Seconds for an answer of the browser itself; pages have limits of their own.
ANSWER_SECONDS = 30.0
CHUNK = 1 << 20
# The pipe's ends in the browser (--remote-debugging-pipe).
BROWSER_READS, BROWSER_WRITES = 3, 4
FLAGS = (
    *QUIET,
    # A site is to show what it shows to people: many banners hide from what calls itself a robot.
    "--disable-blink-features=AutomationControlled",
    "--mute-audio", "--no-default-browser-check", "--disable-extensions", "--disable-default-apps",
    "--password-store=basic", "--remote-debugging-pipe",
)  # fmt: skip

Listener = Callable[[str, str, dict[str, Any]], None]


class BrowserFailed(Exception):
    """The browser is gone, does not answer, or refuses what it was asked; the text says which."""


class BrowserRefused(BrowserFailed):
    """The browser is there, and does not do this: a frame is gone, an address is none."""


class Devtools:
    """A running browser. Each of `listeners` is told of each event: session, name, parameters."""

    def __init__(self, pid: int, reader: int, writer: int) -> None:
        self._pid, self._reader, self._writer = pid, reader, writer
        self._read, self._last = bytearray(), 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.listeners: list[Listener] = []

    def call(self, method: str, session: str = "", /, **parameters: Any) -> dict[str, Any]:
        """Ask, and return the answer; events that come before it are told of. Raises BrowserFailed."""
        asked, deadline = self.send(method, session, **parameters), time.monotonic() + ANSWER_SECONDS
        self._answers[asked] = {}
        while not self._answers[asked]:
            if time.monotonic() > deadline:
                raise BrowserRefused(f"The browser did not answer {method} within {ANSWER_SECONDS:g} seconds.")
            self._hear(deadline)
        answer = self._answers.pop(asked)
        if "error" in answer:
            raise BrowserRefused(f"The browser refuses {method}: {answer['error'].get('message', '')[:200]}")
        result: dict[str, Any] = answer["result"]
        return result

    def send(self, method: str, session: str = "", /, **parameters: Any) -> int:
        """Ask without waiting; the number of what was asked. Whatever is answered is let go."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        written = json.dumps(message).encode() + b"\0"
        try:
            while written:
                written = written[os.write(self._writer, written) :]
        except OSError as error:
            raise BrowserFailed("The browser has ended.") from error
        return self._last

    def hear(self, seconds: float) -> None:
        """Tell of events for so long, or until the first batch of them."""
        self._hear(time.monotonic() + seconds)

    def _hear(self, deadline: float) -> None:
        ready, _, _ = select.select([self._reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return
        chunk = os.read(self._reader, CHUNK)
        if not chunk:
            raise BrowserFailed("The browser has ended.")
        self._read += chunk
        *messages, rest = self._read.split(b"\0")
        self._read = bytearray(rest)
        for message in messages:
            self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            for listen in list(self.listeners):
                listen(message.get("sessionId", ""), message["method"], message["params"])
        elif message["id"] in self._answers:
            self._answers[message["id"]] = message

    def end(self) -> None:
        """A browser is several processes in one group of their own; none may outlive the call."""
        for descriptor in (self._reader, self._writer):
            os.close(descriptor)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


@contextmanager
def open_browser(chromium: Chromium, flags: tuple[str, ...] = ()) -> Iterator[Devtools]:
    """A browser with an empty profile, gone with all that it wrote at the end."""
    with TemporaryDirectory(prefix="consent-scan-", ignore_cleanup_errors=True) as folder:
        arguments = [*FLAGS, *sandbox(), f"--user-data-dir={folder}/profile", *flags, "about:blank"]
        browser = _start([chromium.path, *arguments], environment(Path(folder)))
        try:
            yield browser
        finally:
            browser.end()


def _start(command: list[str], environ: Mapping[str, str]) -> Devtools:
    theirs_in, ours_out = _pipe()
    ours_in, theirs_out = _pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, theirs_in, BROWSER_READS),
        (os.POSIX_SPAWN_DUP2, theirs_out, BROWSER_WRITES),
        *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)),
    ]
    try:
        pid = os.posix_spawn(command[0], command, environ, file_actions=actions, setpgroup=0)
    except OSError as error:
        raise BrowserFailed(f"{command[0]} cannot be started: {error.strerror}.") from error
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return Devtools(pid, ours_in, ours_out)


def _pipe() -> tuple[int, int]:
    """Two ends whose numbers are none of the browser's, so that moving one there overwrites no other."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        return fcntl.fcntl(reader, fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(reader)
        os.close(writer)
