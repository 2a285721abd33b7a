"""No sessions of Flask's: who is asking, access/guard.py finds out by a cookie of its own."""

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """Looks for no cookie and writes none, which Flask would do for each request."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """One for all: it can be read as empty, and refuses to be written."""
        return self._none

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing is there to be saved."""
