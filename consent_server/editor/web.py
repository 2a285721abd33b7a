"""The pages on which operators change a site: as a form or as a file, to a draft that is published later."""

import re

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import ExperimentConflict, InvalidSiteFile
from consent_server.editor.fill_in import Given, with_form
from consent_server.editor.form import ONLY_IN_FILE, id_fields, vendor_options
from consent_server.editor.open_draft import Settings, faults_of, open_draft
from consent_server.editor.page import anchor, form_page
from consent_server.editor.publish_draft import plan_draft
from consent_server.editor.publisher import publisher_here
from consent_server.editor.rules import DraftConflict
from consent_server.editor.save_draft import LONGEST, discard_draft, draft_earlier, save_draft
from consent_server.http.answers import HTML, answer
from consent_server.http.fields import row_number
from consent_server.sites import catalogue
from consent_server.sites.rules_lines import line_of, lines_of
from consent_server.sites.site_file import read_document

bp = Blueprint("editor", __name__, url_prefix="/console/sites")
console.frame(bp)
bp.add_app_template_filter(anchor)


@bp.get("/<key>/settings")
def settings(key: str) -> AnyResponse:
    """The form."""
    opened = open_draft(context().database, key)
    if opened.text is None or _is_no_toml(opened.text):
        # A text that no form can show.
        return redirect(url_for("editor.file", key=key), 303)
    return _form(opened, opened.text)


@bp.post("/<key>/settings")
def save(key: str) -> AnyResponse:
    """Keep the draft as the form has it, and do what the button says."""
    ctx, act, seen = context(), request.form.get("act", ""), request.form.get("version", "")
    given = {name: request.form.getlist(name) for name in request.form}
    opened = open_draft(ctx.database, key)
    try:
        if act == "discard":
            return _discarded(key, discard_draft(ctx.database, key, seen))
        if act.startswith("earlier "):
            draft_earlier(ctx.database, key, _number(act), seen, auth.caller().name, ctx.now())
        elif opened.version != seen or opened.text is None:
            raise opened.conflict()
        else:
            text = with_form(opened.text, given, act)
            save_draft(ctx.database, key, text, seen, auth.caller().name, ctx.now())
    except DraftConflict as conflict:
        again = open_draft(ctx.database, key)
        return _form(again, _readable(again), 409, given, conflict=conflict)
    except InvalidSiteFile as refusal:
        return _form(opened, _readable(opened), 422, given, refusal=refusal.detail)
    return redirect(_next(key, act), 303)


@bp.get("/<key>/settings/file")
def file(key: str) -> AnyResponse:
    """The same draft as the file that it is."""
    opened = open_draft(context().database, key)
    return _file(opened, opened.text or "")


@bp.post("/<key>/settings/file")
def save_file(key: str) -> AnyResponse:
    """Keep the draft as it was written, also where it is not right yet."""
    ctx, seen = context(), request.form.get("version", "")
    text = request.form.get("text", "").replace("\r\n", "\n")
    try:
        save_draft(ctx.database, key, text, seen, auth.caller().name, ctx.now())
    except DraftConflict as conflict:
        return _file(open_draft(ctx.database, key), text, 409, conflict=conflict)
    except InvalidSiteFile as refusal:
        return _file(open_draft(ctx.database, key), text, 422, refusal=refusal.detail)
    return redirect(url_for("editor.file", key=key, saved=1), 303)


def _readable(opened: Settings) -> str:
    """The text that a form can be of: what was sent is shown in one whatever somebody else saved."""
    applied = opened.applied.text if opened.applied else ""
    return next((text for text in (opened.text, applied) if text and not _is_no_toml(text)), "")


def _is_no_toml(text: str) -> bool:
    try:
        read_document(text)
    except InvalidSiteFile:
        return True
    return False


def _status(opened: Settings) -> dict[str, object]:
    """What the bar at the bottom says of the draft."""
    if opened.draft is None:
        return {"draft": None, "changes": 0, "wrong": 0, "refusal": ""}
    said: dict[str, object] = {"draft": opened.draft, "changes": 0, "wrong": 0, "refusal": ""}
    try:
        planned = plan_draft(publisher_here(), opened.key)
        return said | {"changes": planned.changes if planned else 0}
    except InvalidSiteFile as refusal:
        return said | {"wrong": len(refusal.faults) or 1}
    except ExperimentConflict as refusal:
        return said | {"refusal": refusal.detail}


def _form(
    opened: Settings, text: str, status: int = 200, given: Given | None = None, conflict: DraftConflict | None = None,
    refusal: str = "",
) -> Response:  # fmt: skip
    page = form_page(text, opened.key, given)
    html = console.page(
        "editor/settings.html", site=opened.site, opened=opened, form=page, conflict=conflict, refusal=refusal,
        vendors=vendor_options(), ids=id_fields(), only_in_file=[words for words in ONLY_IN_FILE.values() if words],
        status=_status(opened),
        languages=[(key, catalogue.locales()[key]["meta"]["name"]) for key in page.languages],
    )  # fmt: skip
    return answer(html, HTML, status, headers={"Content-Security-Policy": console.FRAMES_POLICY})


def _file(
    opened: Settings, text: str, status: int = 200, conflict: DraftConflict | None = None, refusal: str = ""
) -> Response:
    faults = faults_of(text, opened.key) if text else []
    lines = lines_of(text)
    html = console.page(
        "editor/file.html", site=opened.site, opened=opened, text=text, conflict=conflict, refusal=refusal,
        faults=[(fault, line_of(lines, fault.pointer)) for fault in faults], status=_status(opened), longest=LONGEST,
    )  # fmt: skip
    return answer(html, HTML, status)


def _next(key: str, act: str) -> str:
    """Where one goes on: to the plan, or back to the part of the form that the button is in."""
    if act == "plan":
        return url_for("editor_plan.plan", key=key)
    part = re.search(r"vendors|regions|experiment", act)
    anchors = {"vendors": "vendors", "regions": "where", "experiment": "experiment"}
    here = anchors[part[0]] if part else None
    return url_for("editor.settings", key=key, saved=1, open=here, _anchor=here)


def _discarded(key: str, is_there: bool) -> AnyResponse:
    return redirect(url_for("editor.settings", key=key) if is_there else url_for("home.sites"), 303)


def _number(act: str) -> int:
    return row_number(act.removeprefix("earlier ")) or 0
