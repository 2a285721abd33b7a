"""The page that says what publishing a draft changes and for whom, and publishes it."""

from typing import Any, NamedTuple

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.core.context import context
from consent_server.core.errors import ExperimentConflict, Fault, InvalidSiteFile
from consent_server.core.terminal import site_tag
from consent_server.editor.link_draft import draft_link
from consent_server.editor.open_draft import Settings, open_draft
from consent_server.editor.publish_draft import DraftPlan, plan_draft, publish_draft
from consent_server.editor.publisher import publisher_here
from consent_server.editor.rules import DraftConflict, version
from consent_server.http.answers import HTML, answer
from consent_server.sites.missing_pictures import missing_pictures
from consent_server.sites.publish import Published
from consent_server.sites.rules_plan import PlanOutdated
from consent_server.sites.rules_titles import read_title
from consent_server.sites.tell_published import tell_beside

bp = Blueprint("editor_plan", __name__, url_prefix="/console/sites/<key>/settings/plan")
console.frame(bp)

# What each sign of a difference is called in the style sheet.
SIGNS = {"+": "more", "-": "less", "": "other"}


class Refused(NamedTuple):
    """Why nothing was published, or cannot be."""

    title: str
    detail: str = ""
    faults: tuple[Fault, ...] = ()


@bp.get("")
def plan(key: str) -> AnyResponse:
    """What differs, who is asked again, and the banner before and after."""
    return _plan(key)


@bp.post("")
def publish(key: str) -> AnyResponse:
    """Publish the draft, if it and what is in force are those that the plan was made for."""
    given = request.form
    try:
        title = read_title(given["title"]) if "title" in given else None
    except ValueError as fault:
        return _plan(key, 422, title=given["title"], title_fault=str(fault))
    try:
        published = publish_draft(publisher_here(), key, given.get("draft", ""), given.get("state", ""), title)
    except DraftConflict as conflict:
        return _plan(key, 409, Refused("Nothing was published: the draft is another one by now", _whose(conflict)))
    except PlanOutdated:
        why = "The plan below is made anew: read it, and publish then."
        return _plan(key, 409, Refused("Nothing was published: what is in force changed since you saw the plan", why))
    except (InvalidSiteFile, ExperimentConflict) as refusal:
        return _plan(key, 422, Refused("Nothing was published", refusal.detail, refusal.faults))
    return _published(key, published)


def _plan(key: str, status: int = 200, refused: Refused | None = None, **title: str) -> AnyResponse:
    opened = open_draft(context().database, key)
    if opened.draft is None and refused is None:
        return redirect(url_for("editor.settings", key=key), 303)
    planned = None
    try:
        planned = plan_draft(publisher_here(), key)
    except (InvalidSiteFile, ExperimentConflict) as refusal:
        refused = refused or Refused("This cannot be published yet", refusal.detail, refusal.faults)
    values: dict[str, Any] = {"opened": opened, "planned": planned, "refusal": refused, "signs": SIGNS, **title}
    if planned:
        values |= {
            "beside": list(tell_beside(planned.published, check=True)),
            "preview": draft_link(key, planned.draft),
            "before": _before(opened, planned),
        }
    html = console.page("editor/plan.html", site=opened.site, **values)
    return answer(html, HTML, status, headers={"Content-Security-Policy": console.FRAMES_POLICY})


def _before(opened: Settings, planned: DraftPlan) -> str | None:
    """Where the frame of what is in force is: its file, as the draft's; else what was archived of it."""
    if opened.applied:
        return draft_link(opened.key, version(opened.applied.text))
    previous = planned.published.plan.previous
    return url_for("notices.preview", notice_hash=previous) if previous else None


def _published(key: str, published: Published) -> Response:
    missing = missing_pictures(context().database, key)
    return answer(
        console.page(
            "editor/published.html", site=published.site, published=published, missing=len(missing), tag=site_tag(key)
        ),
        HTML,
    )


def _whose(conflict: DraftConflict) -> str:
    if conflict.at is None:
        return "It was discarded or published meanwhile."
    return f"{conflict.who or 'A command'} saved it at {conflict.at:%Y-%m-%d %H:%M} UTC. The plan below is of that one."
