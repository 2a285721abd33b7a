"""A notice as it was shown: its words as a page, and its very banner, run by the archived code in a frame."""

from typing import Any

from flask import Blueprint, Response, json, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.http import generate_etag

from consent_server.core.context import context
from consent_server.core.errors import UnknownConfiguration
from consent_server.http.answers import CSS, DAY, HTML, JSON, SCRIPT, TEXT, Cache, answer, open_to_every_page
from consent_server.ledger.read_timestamps import time_of_notice
from consent_server.sites import catalogue
from consent_server.sites.choose_language import choose_language
from consent_server.sites.configure_widget import notice_detail
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.find import find_site
from consent_server.sites.missing_pictures import SIZES
from consent_server.sites.read_archive import read_notice, read_widget
from consent_server.sites.style_page import page_css
from consent_server.sites.wording import Wording
from consent_server.widget.replay_notice import pictures_of, read_picture, replay_notice, widgets_of

archive = Blueprint("archive", __name__)
open_to_every_page(archive, "GET", headers=["Content-Type"], ask_again_after=DAY)
bp = Blueprint("notices", __name__, url_prefix="/v1/notices/<notice_hash>")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; frame-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# A frame of no origin and without a network: it reads no storage, and nothing that it does is recorded.
PREVIEW_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'self'; img-src data:; script-src 'self'; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@archive.get("/v1/notices/<notice_hash>")
def notice(notice_hash: str) -> Response:
    """An archived notice: the very bytes whose SHA-256 is its name, or a page for who reads it."""
    if _page_wanted():
        return _page(notice_hash)
    body = context()[CurrentSites].body(notice_hash)
    return answer(body, JSON, cache=Cache.IMMUTABLE, etag=notice_hash, vary=["Accept"])


@archive.get("/v1/widgets/<widget_hash>")
def widget(widget_hash: str) -> Response:
    """Archived widget code: the very bytes whose SHA-256 receipts name."""
    return answer(read_widget(context().database, widget_hash), TEXT, cache=Cache.IMMUTABLE)


def _page_wanted() -> bool:
    """Whether the caller prefers a page to the bytes."""
    if "format" in request.args:
        return request.args["format"] == "html"
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _page(notice_hash: str) -> Response:
    """The notice as a page, in one of its languages."""
    database = context().database
    archived = read_notice(database, notice_hash)
    body = archived.notice.body
    language = choose_language(body["languages"], body["languages"][0])
    widget = _widget(notice_hash)
    locale, wording = catalogue.locales()[language], Wording(language)
    html = render_template(
        "widget/notice.html",
        notice_hash=notice_hash,
        notice=body,
        site=find_site(database, body["site"]).site,
        language=language,
        direction=body["texts"][language]["direction"],
        language_names={key: catalogue.locales()[key]["meta"]["name"] for key in body["languages"]},
        shown=body["texts"][language],
        policies=archived.notice.policies(language),
        detail=notice_detail(archived.notice, language),
        texts=locale["notice_page"],
        receipt=locale["receipt"],
        since=wording.moment(archived.since),
        stamped_at=time_of_notice(database, notice_hash),
        choice_lifetime=wording.choice_lifetime(body["choice_days"]),
        widget=widget,
        pictures=pictures_of(database, notice_hash, widget, language) if widget else (),
        heights=SIZES,
        moment=wording.moment,
    )
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return answer(html, HTML, vary=["Accept", "Accept-Language"], headers=headers)


@bp.get("/look.css")
def look(notice_hash: str) -> Response:
    """The site's own look for our pages that are about this notice: its colours, its scheme, its round corners."""
    css = page_css(json.loads(context()[CurrentSites].body(notice_hash)))
    return answer(css, CSS, cache=Cache.MINUTES, etag=generate_etag(css.encode()))


@bp.get("/preview")
def preview(notice_hash: str) -> Response:
    """The frame in which archived code shows the notice: `lang`, and `widget`, the hash of the code."""
    body = read_notice(context().database, notice_hash).notice.body
    language = _asked_language(body)
    widget = request.args.get("widget") or next(iter(widgets_of(context().database, notice_hash)), "")
    # The frame would stay empty: asked here, what is not archived is a refusal.
    replay_notice(context().database, notice_hash, widget, language)
    # Below /widget/, as the code looks for its later scripts beside its own address.
    source = url_for(
        "notices.preview_script", notice_hash=notice_hash, widget=widget, script=f"{body['site']}.js", lang=language
    )
    html = render_template(
        "widget/preview.html", language=language, site=find_site(context().database, body["site"]).site, source=source
    )
    return answer(html, HTML, cache=Cache.NO_STORE, headers={"Content-Security-Policy": PREVIEW_POLICY})


@bp.get("/preview/<widget>/widget/<path:script>")
def preview_script(notice_hash: str, widget: str, script: str) -> Response:
    """The archived code called with what it was served with, under the names that the code asks for."""
    body = read_notice(context().database, notice_hash).notice.body
    replay = replay_notice(context().database, notice_hash, widget, _asked_language(body))
    site = body["site"]
    named = {f"{site}.js" if part == "main" else f"{site}/{part}.js": text for part, text in replay.items()}
    if script not in named:
        raise NotFound
    return answer(named[script], SCRIPT, cache=Cache.NO_STORE)


@bp.get("/pictures/<picture>.png")
def picture(notice_hash: str, picture: str) -> Response:
    """A picture of the banner, by its SHA-256."""
    png = read_picture(context().database, notice_hash, picture)
    return answer(png, "image/png", cache=Cache.IMMUTABLE, etag=picture)


def _asked_language(body: Any) -> str:
    asked = request.args.get("lang") or choose_language(body["languages"], body["languages"][0])
    if asked not in body["languages"]:
        raise UnknownConfiguration("The notice was not shown in this language.")
    return asked


def _widget(notice_hash: str) -> str | None:
    """The code to show it with: that of the address, which a receipt names, else the newest that showed it."""
    known = widgets_of(context().database, notice_hash)
    asked = request.args.get("widget", next(iter(known), None))
    return asked if asked in known else None
