"""A notice as it was shown: its words as a page, and its very banner, run by the archived code in a frame."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.exceptions import NotFound

from consent_server import catalogue
from consent_server.domain.errors import UnknownNotice, UnknownSite, UnknownWidget
from consent_server.domain.notice import Notice
from consent_server.extensions import services
from consent_server.storage import notices
from consent_server.usecases.serve_widget import notice_detail, replay
from consent_server.web.schemas import SHA256
from consent_server.wording import Wording

bp = Blueprint("notices", __name__, url_prefix="/v1/notices/<notice_hash>")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; script-src 'self'; frame-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# A frame of no origin and without a network: it reads no storage, and nothing that it does is recorded.
PREVIEW_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'self'; img-src data:; script-src 'self'; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class _Archived:
    notice: Notice
    since: datetime


def wanted() -> bool:
    """Whether the caller prefers a page to the bytes."""
    if "format" in request.args:
        return request.args["format"] == "html"
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def page(notice_hash: str) -> Response:
    """The notice as a page, in one of its languages."""
    archived = _archived(notice_hash)
    body = archived.notice.body
    language = _language(body, request.args.get("lang", ""))
    locale, wording = catalogue.locales()[language], Wording(language)
    html = render_template(
        "notice.html",
        notice_hash=notice_hash,
        notice=body,
        language=language,
        direction=body["texts"][language]["direction"],
        language_names={key: catalogue.locales()[key]["meta"]["name"] for key in body["languages"]},
        shown=body["texts"][language],
        detail=notice_detail(archived.notice, language),
        texts=locale["notice_page"],
        receipt=locale["receipt"],
        since=wording.moment(archived.since),
        choice_lifetime=wording.choice_lifetime(body["choice_days"]),
        widget=_widget(body),
    )
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.vary.update(["Accept", "Accept-Language"])
    return response


@bp.get("/preview")
def preview(notice_hash: str) -> Response:
    """The frame in which archived code shows the notice: `lang`, and `widget`, the hash of the code."""
    body = _archived(notice_hash).notice.body
    language, widget = _language(body, request.args.get("lang", "")), request.args.get("widget", "")
    # Below /widget/, as the code looks for its second script beside its own address.
    source = url_for(
        "notices.preview_script", notice_hash=notice_hash, widget=widget, script=f"{body['site']}.js", lang=language
    )
    html = render_template("preview.html", language=language, site=body["name"], source=source)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/preview/<widget>/widget/<path:script>")
def preview_script(notice_hash: str, widget: str, script: str) -> Response:
    """The archived code called with the archived notice, under the names that the code asks for."""
    notice = _archived(notice_hash).notice
    site = notice.body["site"]
    parts = {f"{site}.js": "main", f"{site}/preferences.js": "preferences"}
    if script not in parts:
        raise NotFound
    with services().database.reading() as session:
        code = notices.widget_code(session, widget)
    made = replay(notice, code, _language(notice.body, request.args.get("lang", "")))
    response = Response(made[parts[script]].identity, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _archived(notice_hash: str) -> _Archived:
    if not SHA256.fullmatch(notice_hash):
        raise UnknownNotice("A notice is named by 64 lower-case hex digits.")
    with services().database.reading() as session:
        body = json.loads(notices.body(session, notice_hash))
        return _Archived(Notice(notice_hash, body), notices.first_published_at(session, notice_hash))


def _language(body: Any, asked: str) -> str:
    languages = body["languages"]
    return asked if asked in languages else request.accept_languages.best_match(languages, languages[0])


def _widget(body: Any) -> str | None:
    """The code to show it with: that of the address, which a receipt names, else the site's code of today."""
    try:
        widget = request.args.get("widget") or services().sites.get(body["site"]).widget.hash
        with services().database.reading() as session:
            notices.widget_code(session, widget)
    except (UnknownSite, UnknownWidget):
        return None
    return str(widget)
