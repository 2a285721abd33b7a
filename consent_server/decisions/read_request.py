"""What a visitor's request says: the site of its address, its body, and what is counted of it."""

from typing import Any

from flask import Response, request
from marshmallow import Schema

from consent_server.core.context import context
from consent_server.core.errors import ForeignOrigin, UnknownSite
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.decisions.robots import is_known_robot
from consent_server.decisions.rules_device import device_class
from consent_server.decisions.rules_refused import named_origin
from consent_server.decisions.rules_robots import is_prefetch
from consent_server.decisions.rules_tally import PREFETCH, ROBOT
from consent_server.decisions.rules_visit import Visit
from consent_server.decisions.tag_sightings import TagSightings
from consent_server.http.bodies import posted_bytes
from consent_server.http.fields import read_body
from consent_server.http.problems import PROBLEMS, reason_refused
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.rules_origin import as_sent, origin_of
from consent_server.sites.visitor_place import visitor_place

UNKNOWN_SITE = PROBLEMS[UnknownSite][1]


def posted(schema: Schema, key: str) -> tuple[CurrentSite, Any]:
    """The site of the address and the posted body, after every check that needs no database write."""
    current = context()[CurrentSites].shown(key)
    if not current.site.admits(page_origin()):
        raise ForeignOrigin(_whose(named_origin(request.headers.get("Origin"))))
    return current, read_body(schema, posted_bytes())


def _whose(origin: str) -> str:
    """What the page's own console says to whoever can mend it."""
    if "://" in origin:
        return f"{origin} is no origin of this site. If it is yours, add it to `origins` in the site file."
    if origin == "null":
        return "The page has no origin of its own (a sandboxed frame, a file), so that nobody can say whose it is."
    return "The request does not say of which origin its page is. Send the header `Origin`, as browsers do."


def page_origin() -> str | None:
    """The origin of the page that posts, as the browser says it; None where it does not.

    Under `Referrer-Policy: no-referrer` a form of our own comes with `Origin: null`. That it is our own the browser
    says in a header that no page can set: Sec-Fetch-Site (Fetch Metadata, section 2.4).
    """
    origin = request.headers.get("Origin", "null")
    if origin != "null":
        return as_sent(origin)
    return origin_of(request.host_url) if request.headers.get("Sec-Fetch-Site") == "same-origin" else None


def note_outcome(response: Response) -> Response:
    """Note where a post that was taken came from, and count what was not taken.

    That may be a record that is lost until somebody mends the page, the file or a proxy.
    """
    if request.method != "POST":
        return response
    reason = reason_refused()
    current = context()[CurrentSites].kept((request.view_args or {})["key"])
    if reason and (current or reason == UNKNOWN_SITE):
        context()[RefusedPosts].count(current, reason, request.headers.get("Origin"))
    elif not reason and current and (origin := page_origin()):
        context()[TagSightings].note(current, origin)
    return response


def visit() -> Visit:
    """What is counted of a request. The headers read here are reduced to three words and forgotten."""
    headers = request.headers
    agent = headers.get("User-Agent", "")
    return Visit(
        device_class(headers.get("Sec-CH-UA-Mobile"), agent),
        visitor_place().country or "",
        PREFETCH if is_prefetch(headers.get) else ROBOT if is_known_robot(agent) else None,
    )
