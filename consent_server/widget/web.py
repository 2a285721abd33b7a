"""The tag's scripts: one per site and language, compressed once, cached by browsers."""

import json

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from consent_server.core.context import context, context_of
from consent_server.core.errors import UnknownSite
from consent_server.http.answers import SCRIPT, Cache, answer, open_to_every_page
from consent_server.sites.choose_language import wished_language
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.visitor_place import KEYED_BY_PLACE, place_header, site_here
from consent_server.widget.repeat_answers import may_be_repeated
from consent_server.widget.serve import Script, ServeWidget

# As much of a wrong key as is repeated.
LONGEST_KEY = 63
bp = Blueprint("embed", __name__)
open_to_every_page(bp, "GET")


@bp.record_once
def keep_scripts(state: BlueprintSetupState) -> None:
    """Scripts are made and compressed once a version."""
    context_of(state.app).keep(ServeWidget())


@bp.get("/widget/<key>.js")
def main(key: str) -> Response:
    """What a site's page loads."""
    try:
        current = site_here(key)
    except UnknownSite:
        # A script that is not there can say nothing to whoever looks at the page, and a program is to see a 404.
        if request.headers.get("Sec-Fetch-Dest") == "script":
            return _misnamed(key)
        raise
    return _compressed(current, context()[ServeWidget].main(current, wished_language(current)))


@bp.get("/widget/<key>/preferences.js")
def preferences(key: str) -> Response:
    """What is loaded when a visitor opens the preferences."""
    current = site_here(key)
    return _compressed(current, context()[ServeWidget].preferences(current, wished_language(current)))


@bp.get("/widget/<key>/details.js")
def details(key: str) -> Response:
    """What is loaded for what a visitor looks at later."""
    current = site_here(key)
    return _compressed(current, context()[ServeWidget].details(current, wished_language(current)))


@bp.get("/widget/<key>/declaration.js")
def declaration(key: str) -> Response:
    """What a page of the site's own loads to show the declaration."""
    current = site_here(key)
    return _compressed(current, context()[ServeWidget].declaration(current, wished_language(current)))


@bp.get("/widget/<key>/debug.js")
def debug(key: str) -> Response:
    """What shows a page's developers how consent works in it."""
    current = site_here(key)
    return _compressed(current, context()[ServeWidget].debug(current, wished_language(current)))


def _misnamed(key: str) -> Response:
    """A script that does nothing but say in the page's console that the tag names no site."""
    said = (
        f'consent: there is no site "{key[:LONGEST_KEY]}" on this server: no tag is gated, and no banner is shown. '
        "Take the tag that `consent site apply` printed."
    )
    # Only ASCII is left, and nothing that ends a string or an element.
    warning = json.dumps(said).replace("<", "\\u003c")
    headers = {"Cross-Origin-Resource-Policy": "cross-origin"}
    return answer(f"console.warn({warning});\n", SCRIPT, cache=Cache.NO_STORE, vary=["Sec-Fetch-Dest"], headers=headers)


def _compressed(current: CurrentSite, script: Script) -> Response:
    site = context()[CurrentSites].get(current.site.key)
    # A publication may have come while this was made.
    if any(one is current for one in site.everywhere):
        may_be_repeated(site)
    accepted = request.accept_encodings
    if accepted["br"]:
        encoding, body = "br", script.br
    elif accepted["gzip"]:
        encoding, body = "gzip", script.gzip
    else:
        encoding, body = "identity", script.identity
    headers = {"Content-Language": script.language, "Cross-Origin-Resource-Policy": "cross-origin"}
    headers |= {} if encoding == "identity" else {"Content-Encoding": encoding}
    headers |= _kept_by_place(current)
    vary = ["Accept-Encoding", "Accept-Language", *_place_header(current)]
    cache = _cache(current)
    return answer(body, SCRIPT, cache=cache, etag=f"{script.etag}-{encoding}", vary=vary, headers=headers)


def _place_header(current: CurrentSite) -> list[str]:
    """The header that decides, besides those of the browser, where the site has regions."""
    header = place_header()
    return [header] if header and current.site.regions else []


def _kept_by_place(current: CurrentSite) -> dict[str, str]:
    """What lets the nginx of deploy/nginx keep a copy for each place, and nobody else (ADR 26)."""
    return {"X-Accel-Expires": "300"} if current.site.regions and place_header() == KEYED_BY_PLACE else {}


def _cache(current: CurrentSite) -> Cache:
    """Who may keep a script: what asks first may be shown anywhere, what runs before a choice only where it holds.

    A browser knows nothing of the place, and its visitor may be elsewhere the next minute. So it asks each time
    whether that script still holds (ADR 25).
    """
    if not _place_header(current):
        return Cache.RENEWED
    return Cache.OWN_REVALIDATE if current.notice.on_before else Cache.OWN_RENEWED
