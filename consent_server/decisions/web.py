"""Public routes for visitors' browsers: decisions, banners shown, notices."""

from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from consent_server.core.context import context, context_of
from consent_server.core.times import rfc3339
from consent_server.decisions.bodies import CONVERSIONS_IN, DECISION_IN, PAGE_LOAD_IN, SHOWN_IN
from consent_server.decisions.count_events import CountEvents
from consent_server.decisions.count_refused import RefusedPosts
from consent_server.decisions.count_standing import count_standing
from consent_server.decisions.keep_choice import keep_choice
from consent_server.decisions.read_request import note_outcome, page_origin, posted, visit
from consent_server.decisions.record import RecordDecision, Recorded
from consent_server.decisions.record_conversions import RecordConversions
from consent_server.decisions.record_page_load import RecordPageLoad
from consent_server.decisions.record_shown import RecordShown
from consent_server.decisions.rules import Answer
from consent_server.decisions.tag_sightings import TagSightings
from consent_server.http.answers import DAY, Cache, answer, open_to_every_page
from consent_server.http.rate_limit import limited
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.standing_grants import StandingGrants

bp = Blueprint("api", __name__)
# No route here reads a cookie or a credential, so any page may read the answers. Who may write is
# decided by the Origin header against the site's own list.
open_to_every_page(bp, "GET", "POST", headers=["Content-Type"], ask_again_after=DAY, readable=["Retry-After"])


@bp.record_once
def keep_writers(state: BlueprintSetupState) -> None:
    """Each shares its commits among those who wait at that moment."""
    made_for = context_of(state.app)
    database, sites, now = made_for.database, made_for[CurrentSites], made_for.now
    count = CountEvents(database)
    public_url, signer = made_for.settings.public_url, made_for.signer
    made_for.keep(RecordDecision(database, sites, made_for.keys, public_url, now, made_for.random, signer))
    made_for.keep(RecordShown(count, sites, now))
    made_for.keep(RecordConversions(count, sites, now))
    made_for.keep(RecordPageLoad(count, sites, now))
    made_for.keep(RefusedPosts(database, now))
    made_for.keep(TagSightings(database, now))
    made_for.keep(StandingGrants(partial(count_standing, now=now)))


bp.after_request(note_outcome)


@bp.post("/v1/sites/<key>/decisions")
@limited
def record_decision(key: str) -> Response:
    """Record a decision; answered after it is durable."""
    current, choice = posted(DECISION_IN, key)
    page = current.site.own_page(choice.page)
    if page != choice.page:
        choice = replace(choice, page=page)
    recorded = context()[RecordDecision](current, choice, visit())
    response = answer(_recorded(choice, recorded), status=201 if recorded.new else 200, cache=Cache.NO_STORE)
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        keep_choice(response, current.notice, recorded, page_origin() or "")
    return response


def _recorded(choice: Answer, recorded: Recorded) -> dict[str, Any]:
    body: dict[str, Any] = {
        "decision_id": str(choice.decision_id),
        "receipt_id": str(recorded.receipt_id),
        "receipt": recorded.receipt,
        "receipt_url": recorded.link and f"{context().settings.public_url}/v1/receipts/{recorded.link}",
        "state": recorded.state,
        "visitor": recorded.visitor,
        "recorded_at": rfc3339(recorded.recorded_at),
        "expires_at": rfc3339(recorded.expires_at),
    }
    return body | ({"stale": True} if recorded.stale else {})


@bp.post("/v1/sites/<key>/shown")
@limited
def record_shown(key: str) -> Response:
    """Count a banner shown."""
    current, body = posted(SHOWN_IN, key)
    context()[RecordShown](current, body["notice"], body["language"], visit(), body["asked"], body["arrival"])
    return Response(status=204)


@bp.post("/v1/sites/<key>/conversions")
@limited
def record_conversions(key: str) -> Response:
    """Count a page's conversions by vendor: sent, or kept back by a denial."""
    current, body = posted(CONVERSIONS_IN, key)
    counts = {kind: body[kind] for kind in ("sent", "blocked")}
    context()[RecordConversions](current, body["notice"], body["language"], counts, visit())
    return Response(status=204)


@bp.post("/v1/sites/<key>/page-loads")
@limited
def record_page_load(key: str) -> Response:
    """Count a page load that was sampled: which vendors may run there."""
    current, body = posted(PAGE_LOAD_IN, key)
    state = (body["language"], body["answered"], body["granted"])
    context()[RecordPageLoad](current, body["notice"], *state, visit())
    return Response(status=204)
