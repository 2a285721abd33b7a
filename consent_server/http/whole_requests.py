"""gunicorn's threads, given only to requests that have arrived as a whole: a slow client holds none of them."""

import re
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker

# What is larger is read by a thread as it comes. No visitor's post is, and the kernel keeps this much for a connection.
LARGEST = 32_768
# Seconds in which a request must have arrived, however slowly.
WITHIN = 15.0
# What is left unread of a request is taken up to here at its end.
TAKEN = 262_144
LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.I | re.M)
CHUNK = re.compile(rb"([0-9a-f]{1,8})[^\r\n]*\r\n", re.I)
UNFINISHED = re.compile(rb"(?:[0-9a-f]{1,8}[^\r\n]*\r?)?", re.I)
CHUNKED = re.compile(rb"^transfer-encoding:", re.I | re.M)


class WholeRequests(ThreadWorker):  # type: ignore[misc]
    """Leaves a connection with the kernel until its request is there, or there is no end of it.

    What was sent is looked at in the kernel's buffer and stays in it, so that gunicorn reads it as ever. The kernel
    speaks up again once there is more than what was seen (SO_RCVLOWAT, socket(7)).
    """

    def is_parent_alive(self) -> bool:
        """Whether the master is there. Where it is not, the port is free at once for the one that is started next.

        What has begun is answered all the same, within the time that a graceful end has.
        """
        alive: bool = super().is_parent_alive()
        if not alive:
            self.set_accept_enabled(False)
            for listener in self.sockets:
                listener.close()
        return alive

    def handle(self, conn: Any) -> Any:
        """Runs in a thread: answer the request, or give the connection back without waiting for the rest of it."""
        conn.close = partial(close, conn)
        if not self.alive or self.cfg.is_ssl or (conn.parser and conn.parser.unreader.buf.getvalue()):
            return super().handle(conn)
        try:
            sent = conn.sock.recv(LARGEST, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            ended = not sent
        except BlockingIOError:
            sent, ended = b"", False
        except OSError:
            return False
        if ended or is_whole(sent):
            if getattr(conn, "begun", None) is not None:
                conn.begun = None
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            conn.data_ready = True
            return super().handle(conn)
        begun = conn.begun = getattr(conn, "begun", None) or time.monotonic()
        if time.monotonic() - begun > WITHIN:
            return False
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(sent) + 1)
        return _DEFER


def close(conn: Any, graceful: bool = False) -> None:
    """End a connection without waiting for the client to do so.

    gunicorn waits two seconds for each, one after the other, and accepts nobody meanwhile. What is there already is
    taken, since the kernel would throw the answer away with it (RFC 9112, section 9.6).
    """
    with suppress(OSError):
        if graceful:
            conn.sock.shutdown(socket.SHUT_WR)
            # A socket with a timeout would wait all the same.
            conn.sock.setblocking(False)
            taken = 0
            while taken < TAKEN and (more := len(conn.sock.recv(LARGEST, socket.MSG_DONTWAIT))):
                taken += more
    with suppress(OSError):
        conn.sock.close()


def is_whole(sent: bytes) -> bool:
    """Whether a request (RFC 9112) is complete, or more than is waited for."""
    head, end, body = sent.partition(b"\r\n\r\n")
    if len(sent) >= LARGEST or not end:
        return len(sent) >= LARGEST
    if CHUNKED.search(head):
        return not _more_chunks(body)
    length = LENGTH.search(head)
    return length is None or len(body) >= int(length[1])


def _more_chunks(body: bytes) -> bool:
    """Whether more is to come of a body in chunks; none of what is not in chunks (RFC 9112, section 7.1)."""
    at = 0
    while size := CHUNK.match(body, at):
        length = int(size[1], 16)
        at = size.end() + length
        if not length:
            return body[at : at + 2] != b"\r\n" and b"\r\n\r\n" not in body[at:]
        if body[at : at + 2] not in (b"\r\n", b"\r", b""):
            return False
        at += 2
    return UNFINISHED.fullmatch(body, min(at, len(body))) is not None
