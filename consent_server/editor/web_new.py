"""The page on which a site begins: the answers that `consent init` asks for make a draft."""

from dataclasses import replace

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.core.errors import InvalidSiteFile
from consent_server.editor.form import vendor_options
from consent_server.editor.save_draft import begin_site, list_begun
from consent_server.sites import catalogue
from consent_server.sites.draft_site_file import Answers, read_answer

bp = Blueprint("new_site", __name__, url_prefix="/console/sites/new")
console.frame(bp)

QUESTIONS = ("name", "origin", "contact", "languages")
VENDORS_ASKED = 3


@bp.get("")
def new() -> str:
    """What is asked of a site that is yet to be."""
    auth.caller().require_all_sites()
    return _page({}, {})


@bp.post("")
def begin() -> AnyResponse | tuple[str, int]:
    """Begin a site as a draft. Nothing of it is seen before it is published."""
    auth.caller().require_all_sites()
    ctx = context()
    answers, faults = _answers()
    if not faults:
        try:
            key = begin_site(ctx.database, answers, auth.caller().name, ctx.now())
            return redirect(url_for("editor.settings", key=key), 303)
        except InvalidSiteFile as refusal:
            faults = {fault.pointer: fault.detail for fault in refusal.faults}
    return _page(request.form.to_dict(), faults), 422


def _page(given: dict[str, str], faults: dict[str, str]) -> str:
    return console.page(
        "editor/new.html",
        given=given,
        faults=faults,
        begun=list_begun(context().database),
        asked=VENDORS_ASKED,
        vendors=vendor_options(),
        languages=[(key, locale["meta"]["name"]) for key, locale in catalogue.locales().items()],
    )


def _answers() -> tuple[Answers, dict[str, str]]:
    """What was answered, and what is wrong with it by question."""
    answers, faults = Answers(), {}
    sent = {name: " ".join(request.form.getlist(name)) for name in QUESTIONS}
    for question, text in {**sent, "vendors": _vendors()}.items():
        if not text.strip():
            faults[question] = "is missing"
            continue
        try:
            answers = replace(answers, **{question: read_answer(question, text)})
        except InvalidSiteFile as refusal:
            faults[question] = "; ".join(fault.detail for fault in refusal.faults)
    return answers, faults


def _vendors() -> str:
    """Those that were picked, as `consent init` takes them: "meta-pixel=1234567890123456 youtube"."""
    by_name = {name.lower(): key for key, name in vendor_options()}
    form = request.form
    picked = [(form.get(f"vendor{n}", "").strip(), form.get(f"id{n}", "").strip()) for n in range(VENDORS_ASKED)]
    named = [(by_name.get(vendor.lower(), vendor), own_id) for vendor, own_id in picked if vendor]
    return " ".join(f"{vendor}={own_id}" if own_id else vendor for vendor, own_id in named)
