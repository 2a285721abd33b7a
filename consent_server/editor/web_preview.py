"""The frame in which the real widget shows a draft: it has no origin, no network and no storage."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from consent_server.access import console
from consent_server.core.context import context
from consent_server.core.errors import Fault, InvalidSiteFile
from consent_server.editor.fill_in import with_form
from consent_server.editor.link_draft import linked_text
from consent_server.editor.open_draft import open_draft
from consent_server.editor.preview_draft import preview_file
from consent_server.http.answers import HTML, Cache, answer

bp = Blueprint("editor_preview", __name__)
console.frame(bp, framed=True)
# Opened by its signature alone: in a frame a session does not count.
signed = Blueprint("draft_preview", __name__)
# The widget's code is named by its hashes: nothing else runs, and nothing reaches anybody.
POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'self'; img-src https: data:; script-src 'self' {hashes}; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
SCHEMES = ("light", "dark")


@bp.post("/console/sites/<key>/settings/preview")
def draft(key: str) -> Response:
    """What visitors would be shown with what stands in the form, which is not saved for it."""
    given = {name: request.form.getlist(name) for name in request.form}
    opened = open_draft(context().database, key)
    try:
        return _page(with_form(opened.text or "", given), request.form)
    except InvalidSiteFile as refusal:
        return _faults(refusal, request.form)


@signed.get("/previews/<link>")
def saved(link: str) -> Response:
    """The same for a draft as it was saved, beside its plan."""
    text = linked_text(link)
    if text is None:
        raise NotFound
    try:
        return _page(text, request.args)
    except InvalidSiteFile as refusal:
        return _faults(refusal, request.args)


def _page(text: str, given: Mapping[str, str]) -> Response:
    preview = preview_file(text, given.get("preview-language", ""), context().settings.public_url)
    scripts = [Markup(script) for script in preview.scripts]  # noqa: S704  ours, with data in which "<" is escaped
    html = render_template("editor/preview.html", preview=preview, scripts=scripts, scheme=_scheme(given))
    return _answer(html, preview.scripts)


def _faults(refusal: InvalidSiteFile, given: Mapping[str, str]) -> Response:
    faults = refusal.faults or [Fault("file", refusal.detail)]
    return _answer(render_template("editor/preview_faults.html", faults=faults, scheme=_scheme(given)), ())


def _scheme(given: Mapping[str, str]) -> str:
    asked = given.get("preview-scheme", "")
    return asked if asked in SCHEMES else "auto"


def _answer(html: str, scripts: Sequence[str]) -> Response:
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    policy = POLICY.format(hashes=" ".join(f"'sha256-{digest}'" for digest in digests))
    return answer(html, HTML, cache=Cache.NO_STORE, headers={"Content-Security-Policy": policy})
