"""Where a server is to listen: known before anything is done, and in words where that cannot be."""

import errno
import os
import socket

from consent_server.core.errors import InvalidSettings
from consent_server.core.rules_address import host_and_port


def require_port(host: str, port: int, option: str = "--port") -> None:
    """Raises InvalidSettings when nobody could listen there now; `option` is what chooses another port."""
    if "LISTEN_FDS" in os.environ:
        return  # systemd listens already, and hands it over.
    try:
        address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(address[0], address[1]) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address[4])
    except OSError as error:
        raise InvalidSettings(_sentence(host, port, option, error)) from error


def _sentence(host: str, port: int, option: str, error: OSError) -> str:
    where = host_and_port(host, port)
    if error.errno == errno.EADDRINUSE:
        return f"Something else listens on {where}. End it, or choose another port: {option} {port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} is for the administrator alone. Choose one from 1024 on: {option} 8000"
    return f"{where} is no address of this machine ({error.strerror}). Choose one with --host."
