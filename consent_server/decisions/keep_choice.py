"""Keep a choice in the browser's cookie, where this server is on the site's own host."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Response, request

from consent_server.decisions.record import Recorded
from consent_server.decisions.rules_cookie import cookie_value
from consent_server.sites.rules_cookie import NAME, below
from consent_server.sites.rules_notice import Notice


def set_choice(response: Response, notice: Notice, page: str, value: str, lifetime: timedelta) -> None:
    """Set the cookie of the choice, where this server is on the site's own host, which `page` is an address on."""
    domain = notice.body.get("cookie_domain")
    if domain is not None and not below(urlsplit(page).hostname or "", domain):
        domain = None
    if domain is not None:
        # One from before there was a domain would hide the other.
        response.delete_cookie(NAME, path="/", secure=request.is_secure, samesite="Lax")
    # Safari forgets cookies written by script after 7 days; one set by the site's own host it keeps.
    response.set_cookie(
        NAME, value, int(lifetime.total_seconds()), path="/", domain=domain, secure=request.is_secure, samesite="Lax"
    )


def keep_choice(response: Response, notice: Notice, recorded: Recorded, page: str) -> None:
    """Keep the choice in the browser, on the host of the page that asked, whatever a proxy made of ours."""
    value = cookie_value(recorded.revision, recorded.decision, recorded.visitor, recorded.state, recorded.recorded_at)
    set_choice(response, notice, page, value, recorded.expires_at - recorded.recorded_at)
