"""The browser that asks, as much as is kept of it."""

from flask import request

from consent_server.access.guard import session_cookie
from consent_server.people.rules_browser import browser_family
from consent_server.people.sign_in import Browser


def this_browser() -> Browser:
    """Its session and its family."""
    return Browser(session_cookie(), browser_family(request.headers.get("User-Agent", "")))
