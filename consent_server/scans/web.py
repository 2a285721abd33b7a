"""The operators' pages of scans: ask for one, look at what is kept; and the schema of a scan for everybody."""

import json

from flask import Blueprint, Response, redirect, request, url_for
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import InvalidQuery
from consent_server.core.resources import ROOT
from consent_server.health.examine import home_page
from consent_server.http.answers import JSON, answer, open_to_every_page
from consent_server.http.fields import read_query, row_number
from consent_server.scans.ask_scan import ask_scan, list_scans
from consent_server.scans.read_scan import read_kept_scan
from consent_server.scans.view import view_scan
from consent_server.sites.find import find_site

bp = Blueprint("scans", __name__, url_prefix="/console/sites/<key>/scans")
console.frame(bp)
formats = Blueprint("scan_formats", __name__)
open_to_every_page(formats, "GET")

SCHEMA = ROOT / "docs" / "formats" / "scan.schema.json"


@formats.get("/formats/scan.schema.json")
def schema() -> Response:
    """The JSON Schema of a scan."""
    return answer(SCHEMA.read_text("utf-8"), JSON)


@bp.get("")
def scans(key: str) -> str:
    """Those that are kept, and a form for another one."""
    return _page(key)


@bp.post("")
def ask(key: str) -> AnyResponse | tuple[str, int]:
    """Have one made, unless one is still to be made."""
    ctx, url = context(), request.form.get("url", "").strip()
    try:
        ask_scan(ctx.database, key, url, auth.caller().name, ctx.now())
    except InvalidQuery as refusal:
        return _page(key, url, refusal.detail), 422
    return redirect(url_for("scans.scans", key=key), 303)


@bp.get("/<number>")
def scan(key: str, number: str) -> str | Response:
    """One of them, as a page or as JSON."""
    named = row_number(number)
    if named is None:
        raise NotFound
    stored, read = find_site(context().database, key), read_kept_scan(context().database, key, named)
    if read_query(FORMATS, request.args)["format"] == "json" and read.body is not None:
        return answer(json.dumps(read.body, ensure_ascii=False), JSON)
    return console.page(
        "scans/scan.html",
        site=stored.site,
        kept=read.kept,
        scan=view_scan(read.scan) if read.scan else None,
        earlier=read.earlier,
        changed=read.changed,
        add=url_for("editor.settings", key=key),
    )


def _page(key: str, url: str | None = None, fault: str = "") -> str:
    stored, kept = find_site(context().database, key), list_scans(context().database, key)
    start = url if url is not None else kept[0].url if kept else home_page(stored) or ""
    days = context().settings.scan_days
    return console.page("scans/scans.html", site=stored.site, scans=kept, start=start, fault=fault, days=days)


class FormatQuery(Schema):
    """How a scan is shown."""

    format = fields.String(load_default="html", validate=validate.OneOf(("html", "json")))


FORMATS = FormatQuery()
