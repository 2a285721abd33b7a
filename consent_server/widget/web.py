"""The tag's scripts: one per site and language, compressed once, cached by browsers."""

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask_cors import CORS

from consent_server.core.context import context, context_of
from consent_server.sites.choose_language import wished_language
from consent_server.sites.current_site import CurrentSites
from consent_server.widget.serve import Script, ServeWidget

bp = Blueprint("embed", __name__)
CORS(bp, origins="*", send_wildcard=True, methods=["GET"])


@bp.record_once
def keep_scripts(state: BlueprintSetupState) -> None:
    """Scripts are made and compressed once a version."""
    context_of(state.app).keep(ServeWidget())


CACHE = "public, max-age=300, stale-while-revalidate=86400"


@bp.get("/widget/<key>.js")
def main(key: str) -> Response:
    """What a site's page loads."""
    current = context()[CurrentSites].get(key)
    return _answer(context()[ServeWidget].main(current, wished_language(current)))


@bp.get("/widget/<key>/preferences.js")
def preferences(key: str) -> Response:
    """What is loaded when a visitor opens the preferences."""
    current = context()[CurrentSites].get(key)
    return _answer(context()[ServeWidget].preferences(current, wished_language(current)))


@bp.get("/widget/<key>/details.js")
def details(key: str) -> Response:
    """What is loaded for what a visitor looks at later."""
    current = context()[CurrentSites].get(key)
    return _answer(context()[ServeWidget].details(current, wished_language(current)))


@bp.get("/widget/<key>/declaration.js")
def declaration(key: str) -> Response:
    """What a page of the site's own loads to show the declaration."""
    current = context()[CurrentSites].get(key)
    return _answer(context()[ServeWidget].declaration(current, wished_language(current)))


def _answer(script: Script) -> Response:
    accepted = request.accept_encodings
    if accepted["br"]:
        encoding, body = "br", script.br
    elif accepted["gzip"]:
        encoding, body = "gzip", script.gzip
    else:
        encoding, body = "", script.identity
    response = Response(body, content_type="text/javascript; charset=utf-8")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(f"{script.etag}-{encoding or 'identity'}")
    response.headers["Cache-Control"] = CACHE
    response.headers["Content-Language"] = script.language
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.vary.update(["Accept-Encoding", "Accept-Language"])
    response.make_conditional(request)
    return response
