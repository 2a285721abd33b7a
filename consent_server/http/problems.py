"""Refusals as HTTP: the only file that knows both (RFC 9457)."""

import secrets
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, render_template, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from consent_server.core import errors
from consent_server.core.errors import BodyTooLarge, NotSealedYet, Refusal, StorageUnavailable, TooManyRequests
from consent_server.http.answers import HTML, Cache, answer

# Refusal: status, slug of its page under /problems/, title.
PROBLEMS: dict[type[Refusal], tuple[int, str, str]] = {
    errors.MalformedBody: (400, "malformed-body", "Malformed request body"),
    errors.Unauthenticated: (401, "unauthenticated", "Authentication required"),
    errors.InvalidQuery: (400, "invalid-query", "Invalid query parameters"),
    errors.Forbidden: (403, "forbidden", "Not allowed for this role or site"),
    errors.UnknownExperiment: (404, "unknown-experiment", "No such experiment"),
    errors.ExperimentConflict: (409, "experiment-conflict", "Conflicts with an experiment"),
    errors.StaleForm: (403, "stale-form", "The form is out of date"),
    errors.NotOpened: (403, "not-opened", "Only for who opens it themselves"),
    errors.ForeignOrigin: (403, "foreign-origin", "Origin not allowed"),
    errors.UnknownSite: (404, "unknown-site", "No such site"),
    errors.UnknownNotice: (404, "unknown-notice", "No such notice"),
    errors.UnknownWidget: (404, "unknown-widget", "No such widget code"),
    errors.UnknownConfiguration: (404, "unknown-configuration", "Never shown like this"),
    errors.UnknownPicture: (404, "unknown-picture", "No such picture"),
    errors.PictureUnavailable: (500, "picture-unavailable", "Cannot take a picture"),
    errors.UnknownReport: (404, "unknown-report", "No such report"),
    errors.UnknownRequest: (404, "unknown-request", "No such request"),
    errors.UnknownScan: (404, "unknown-scan", "No such scan"),
    errors.UnknownAnnotation: (404, "unknown-annotation", "No such annotation"),
    errors.ExpiredReport: (410, "expired-report", "The report is no longer shared"),
    errors.UnknownReceipt: (404, "unknown-receipt", "No such receipt"),
    errors.RemovedReceipt: (410, "removed-receipt", "The record was removed"),
    errors.UnknownUser: (404, "unknown-user", "No such user"),
    errors.UnknownToken: (404, "unknown-token", "No such token"),
    errors.DecisionConflict: (409, "decision-conflict", "Decision id already used"),
    errors.UserConflict: (409, "user-conflict", "Already exists"),
    errors.LastOperator: (409, "last-operator", "The last operator"),
    errors.SpentLink: (410, "spent-link", "The sign-in link is no longer valid"),
    errors.BodyTooLarge: (413, "body-too-large", "Request body too large"),
    errors.UnsupportedContentType: (415, "unsupported-content-type", "Unsupported content type"),
    errors.InvalidDecision: (422, "invalid-decision", "Invalid decision"),
    errors.InvalidUser: (422, "invalid-user", "Invalid user details"),
    errors.InvalidProof: (422, "invalid-proof", "Invalid proof"),
    errors.NotSealedYet: (409, "not-sealed-yet", "Not in a checkpoint yet"),
    errors.UnknownTile: (404, "unknown-tile", "No such tile"),
    errors.UnknownTimestamp: (404, "unknown-timestamp", "No such timestamp"),
    errors.InvalidRange: (422, "invalid-range", "Invalid range"),
    errors.InvalidSiteFile: (422, "invalid-site-file", "Invalid site file"),
    errors.TimestampRefused: (502, "timestamp-refused", "No valid timestamp"),
    errors.ProviderRefused: (502, "provider-refused", "The provider's answer does not hold"),
    errors.NotInvited: (403, "not-invited", "Not invited"),
    errors.MailNotSent: (502, "mail-not-sent", "The mail was not sent"),
    errors.TooManyRequests: (429, "too-many-requests", "Too many requests"),
    errors.InvalidSettings: (500, "invalid-settings", "Invalid server settings"),
    errors.KeysNotOurs: (409, "keys-not-ours", "The keys are managed elsewhere"),
    errors.StorageUnavailable: (503, "storage-unavailable", "Database unavailable"),
    errors.UnsuitableDatabase: (503, "unsuitable-database", "Database unsuitable"),
}

# Refusals that say when to ask again.
LATER = (StorageUnavailable, TooManyRequests, NotSealedYet)

pages = Blueprint("problems", __name__)


def register(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.register_blueprint(pages)
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, _plain)
    for broken in (ParseException, NoMoreData):
        app.register_error_handler(broken, _broken_off)
    app.register_error_handler(Exception, _incident)


def refused(refusal: Refusal) -> Response:
    """A refusal in the words of the table."""
    status, slug, title = PROBLEMS[type(refusal)]
    faults = [{"pointer": fault.pointer, "detail": fault.detail} for fault in refusal.faults]
    document = {
        "type": f"{request.script_root}/problems/{slug}",
        "title": title,
        "status": status,
        "detail": refusal.detail,
    }
    response = _problem(document | ({"errors": faults} if faults else {}))
    if isinstance(refusal, LATER):
        response.headers["Retry-After"] = str(refusal.retry_after)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="consent"'
    return response


def _broken_off(_: Exception) -> Response:
    # gunicorn reads a body in chunks while the view does.
    return refused(errors.MalformedBody("The body is cut short, or its chunks are not valid HTTP/1.1."))


def _plain(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        return refused(BodyTooLarge("The body is larger than this address accepts."))
    detail = error.description or error.name
    response = _problem({"type": "about:blank", "title": error.name, "status": error.code or 500, "detail": detail})
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _incident(error: Exception) -> Response:
    # The id joins what the visitor reports with the log; the answer says nothing else of the inside.
    incident = secrets.token_hex(8)
    current_app.logger.error("incident %s", incident, exc_info=error)
    detail = f"Something went wrong on the server. Quote this incident when you report it: {incident}"
    return _problem(
        {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "detail": detail,
            "incident": incident,
        }
    )


def reason_refused() -> str | None:
    """The name of the problem that this request was answered with, if it was."""
    reason: str | None = g.get("reason")
    return reason


def _problem(document: dict[str, Any]) -> Response:
    status = int(document["status"])
    kind = document["type"] if document["type"] != "about:blank" else document["title"].lower().replace(" ", "-")
    g.reason = kind.rpartition("/")[2]
    accept = request.accept_mimetypes
    if accept["text/html"] > accept["application/problem+json"] and not request.path.endswith(".js"):
        return answer(render_template("http/problem.html", problem=document), HTML, status, Cache.NO_STORE)
    return answer(document, "application/problem+json", status, Cache.NO_STORE)


@pages.get("/problems/<slug>")
def describe(slug: str) -> str:
    """What a problem's `type` leads to."""
    for refusal, (status, name, title) in PROBLEMS.items():
        if name == slug:
            explanation = " ".join((refusal.__doc__ or "").split())
            return render_template("http/problem_type.html", status=status, title=title, explanation=explanation)
    raise NotFound
