"""The auditor's interface and console: find records, read their story, draw samples, look for gaps."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.access.log_lookup import log_lookup, own_lookups
from consent_server.audit.list_csv import records_csv
from consent_server.audit.queries import (
    FILTER,
    RECORDS,
    REPLAY,
    SAMPLE,
    SEARCH,
    cursor,
    read_span,
    saved_as,
    wanted,
    without_limit,
)  # fmt: skip
from consent_server.audit.read_record import read_record, receipt_shown
from consent_server.audit.read_removed import RemovedBy, read_removed
from consent_server.audit.report_gaps import report_gaps
from consent_server.audit.sample import newest_size, sample_records
from consent_server.audit.search import Item, Page, search_records, site_vocabulary
from consent_server.core.context import context
from consent_server.core.errors import InvalidQuery, UnknownReceipt
from consent_server.core.times import rfc3339
from consent_server.decisions.rules import Action, Method
from consent_server.http.answers import Cache, answer
from consent_server.http.fields import as_uuid, read_query, without_empty
from consent_server.ledger.replay import replay_leaves
from consent_server.ledger.rules_removal import Rule
from consent_server.receipts.pasted import receipt_in
from consent_server.receipts.verify import Verification, verify_offline, verify_receipt
from consent_server.sites.find import find_site
from consent_server.sites.missing_pictures import SIZES
from consent_server.sites.rules_notice import UNKNOWN_LANGUAGE
from consent_server.sites.rules_site import StoredSite
from consent_server.sites.wording import language_in_english

api = Blueprint("auditor_api", __name__)
bp = Blueprint("auditor", __name__, url_prefix="/console/sites/<key>")
console.frame(bp)

PAGE_ROWS = 50
# Searches of one's own that the page offers again.
EARLIER = 8
LONGEST_RECEIPT = 64 * 1024
ACTIONS = {
    Action.ACCEPT_ALL: "Accepted all",
    Action.REFUSE_ALL: "Refused all",
    Action.SAVE: "Saved choices",
    Action.WITHDRAW: "Withdrew",
    Action.GPC: "Global Privacy Control",
}


METHODS = {
    Method.BANNER: "in the banner",
    Method.PREFERENCES: "in the preferences",
    Method.PLACEHOLDER: "at a stand-in for embedded content",
    Method.API: "by the page or without JavaScript",
    Method.SIGNAL: "by the browser's signal",
}
# By which rule a record was removed (GDPR 17, and 5(1)(e)).
RULES = {Rule.ERASURE: "Erased", Rule.RETENTION: "Its retention had ended"}
# What each check of a record asks.
CHECKS = {
    "signature": "The signature matches what the receipt says",
    "key": "A key of this server signed it",
    "record": "It is on record here",
    "inclusion": "It stands in the ledger",
    "fields": "What is searched is what was signed",
}


# The public POST of this address answers preflights, so this one must not.
@api.get("/v1/sites/<key>/decisions", provide_automatic_options=False)
def list_decisions(key: str) -> Response:
    """Records of a site, newest first, page by page."""
    stored = _site(key)
    values = read_span(RECORDS, request.args, stored.site.time_zone)
    page = _search(stored, values, request.args, values["limit"])
    return answer({"items": [_as_json(item) for item in page.items], "next": cursor(page.next)}, cache=Cache.PRIVATE)


@api.get("/v1/sites/<key>/decisions.csv")
def decisions_csv(key: str) -> Response:
    """All records of a search, as a table."""
    stored, ctx = _site(key), context()
    values = read_span(FILTER, request.args, stored.site.time_zone)
    vocabulary = site_vocabulary(ctx.database, stored.id)
    filtered = wanted(values, vocabulary.purposes, vocabulary.notices)
    _log(stored, "table", without_limit(request.args))
    name = saved_as("records", key, request.args, ctx.now(), "csv")
    lines = records_csv(ctx.replica, stored.id, filtered, vocabulary)
    # The first page is read before the answer begins: a database that is away is still a problem document.
    return answer(chain([next(lines)], lines), "text/csv; charset=utf-8", cache=Cache.PRIVATE, headers=name)


@api.get("/v1/sites/<key>/replay")
def replay(key: str) -> Response:
    """A stretch of the ledger, checked leaf by leaf. Who asks for one after the other has checked all of it."""
    stored, ctx = _site(key), context()
    first = read_query(REPLAY, request.args)["first"] or 0
    _log(stored, "gaps", {"from": first})
    replayed = replay_leaves(ctx.database, ctx.keys.ring, stored.id, stored.site.key, first)
    return answer(replayed.to_json(), cache=Cache.PRIVATE)


@bp.get("/records")
def records(key: str) -> str | AnyResponse | tuple[str, int]:
    """Search by everything that a record is known by."""
    stored, given = _site(key), without_empty(request.args)
    try:
        values = read_span(SEARCH, given, stored.site.time_zone)
        if values["receipt"] is not None:
            return redirect(url_for("auditor.record", key=key, receipt_id=values["receipt"]), 303)
        page = _search(stored, values, given, PAGE_ROWS)
    except InvalidQuery as refusal:
        return _records_page(stored, given, None, _by_field(refusal)), 400
    return _records_page(stored, given, page, {})


@bp.get("/records/<receipt_id>")
def record(key: str, receipt_id: str) -> str | tuple[str, int]:
    """A record with its story; of one that is gone, by which removal it may have gone."""
    stored, wanted_id, ctx = _site(key), as_uuid(receipt_id), context()
    if wanted_id is None:
        raise UnknownReceipt("A receipt is named by a UUID.")
    story = read_record(ctx.database, ctx.keys.ring, stored, wanted_id, ctx.now)
    _log(stored, "record", {"leaf": story.record.leaf_index if story else None})
    if story is None:
        if removed := read_removed(ctx.database, ctx.keys.ring, stored.id, wanted_id):
            return _removed_page(stored, removed, None), 404
        raise UnknownReceipt("This site has no record of this receipt.")
    return _page(
        "audit/record.html", stored, story=story, record=story.record, methods=METHODS, heights=dict(SIZES),
        shown_in="an unknown language" if story.record.language == UNKNOWN_LANGUAGE
        else language_in_english(story.record.language),
    )  # fmt: skip


@bp.post("/find")
def find(key: str) -> str | AnyResponse | tuple[str, int]:
    """Find the record of a receipt that somebody has: pasted, or as a file."""
    stored, ctx, receipt = _site(key), context(), _receipt_given()
    _log(stored, "find", {"receipt": receipt})
    checked = verify_offline(receipt, ctx.keys.ring)
    if not checked.readable:
        return _found_page(stored, checked, "This cannot be read as a receipt."), 422
    if not checked.valid:
        return _found_page(stored, checked, "This is a receipt that this server did not sign."), 422
    receipt_id, site = receipt_shown(checked.claims)
    if site != key:
        return _found_page(stored, checked, "This receipt is of another site."), 422
    checked = verify_receipt(receipt, ctx.keys.ring, ctx.database, ctx.now)
    if any(check.name == "record" and not check.ok for check in checked.checks):
        if removed := read_removed(ctx.database, ctx.keys.ring, stored.id, receipt_id):
            return _removed_page(stored, removed, checked), 410
        return _found_page(stored, checked, "This server signed the receipt, and has no record of it any more."), 404
    return redirect(url_for("auditor.record", key=key, receipt_id=receipt_id), 303)


@bp.get("/sample")
def sample(key: str) -> str | AnyResponse | tuple[str, int]:
    """Draw leaves at random; the address holds the seed, so that it draws the same again."""
    stored, given, ctx = _site(key), without_empty(request.args), context()
    try:
        values = read_query(SAMPLE, given)
        size = values["size"] or newest_size(ctx.replica, stored.id)
        if not size:
            return _sample_page(stored, values, None, {})
        if values["seed"] is None or values["size"] is None:
            seed = values["seed"] or secrets.token_hex(8)
            return redirect(url_for("auditor.sample", key=key, n=values["count"], seed=seed, size=size), 303)
        _log(stored, "sample", {"n": values["count"], "seed": values["seed"], "size": size})
        drawn = sample_records(ctx.replica, ctx.keys.ring, stored.id, values["seed"], values["count"], size)
    except InvalidQuery as refusal:
        shown = {"count": given.get("n", ""), "seed": given.get("seed", ""), "size": given.get("size", "")}
        return _sample_page(stored, shown, None, _by_field(refusal)), 400
    return _sample_page(stored, values, drawn, {})


@bp.get("/gaps")
def gaps(key: str) -> str:
    """What is missing or out of order; with `from`, a replay of the leaves from there on."""
    stored, values, ctx = _site(key), read_query(REPLAY, request.args), context()
    first = values["first"]
    _log(stored, "gaps", {} if first is None else {"from": first})
    if first is not None:
        replayed = replay_leaves(ctx.database, ctx.keys.ring, stored.id, stored.site.key, first)
        return _page("audit/replay.html", stored, replayed=replayed)
    return _page("audit/gaps.html", stored, report=report_gaps(ctx.database, ctx.keys.ring, stored.id))


def _site(key: str) -> StoredSite:
    return find_site(context().database, key)


def _log(stored: StoredSite, what: str, about: dict[str, Any]) -> None:
    log_lookup(context().database, auth.caller(), stored.id, what, about, context().now())


def _search(stored: StoredSite, values: dict[str, Any], given: MultiDict[str, str], limit: int) -> Page:
    vocabulary = site_vocabulary(context().database, stored.id)
    filtered = wanted(values, vocabulary.purposes, vocabulary.notices)
    _log(stored, "search", without_limit(given))
    return search_records(context().replica, stored.id, filtered, values["cursor"], limit)


def _by_field(refusal: InvalidQuery) -> dict[str, str]:
    return {fault.pointer[2:]: fault.detail for fault in refusal.faults}


def _receipt_given() -> str:
    file = request.files.get("file")
    data = file.read(LONGEST_RECEIPT) if file and file.filename else request.form.get("receipt", "").encode()
    return receipt_in(data.decode("utf-8-sig", "replace"))


def _page(template: str, stored: StoredSite, **values: Any) -> str:
    words = site_vocabulary(context().database, stored.id)
    return console.page(template, site=stored.site, action_words=ACTIONS, check_words=CHECKS, words=words, **values)


def _records_page(stored: StoredSite, given: MultiDict[str, str], page: Page | None, faults: dict[str, str]) -> str:
    following = cursor(page.next) if page else None
    kept = {name: value for name, value in given.items() if name not in ("cursor", "limit")}
    return _page(
        "audit/records.html", stored, given=given, found=page, faults=faults, filters=kept, following=following,
        earlier=own_lookups(context().database, auth.caller(), stored.id, "search")[:EARLIER],
    )  # fmt: skip


def _found_page(stored: StoredSite, checked: Verification, sentence: str) -> str:
    return _page("audit/found.html", stored, checked=checked, sentence=sentence)


def _removed_page(stored: StoredSite, removed: Sequence[RemovedBy], checked: Verification | None) -> str:
    return _page("audit/removed.html", stored, removed=removed, checked=checked, rules=RULES)


def _sample_page(stored: StoredSite, values: dict[str, Any], drawn: Any, faults: dict[str, str]) -> str:
    return _page("audit/sample.html", stored, values=values, sample=drawn, faults=faults)


def _as_json(item: Item) -> dict[str, Any]:
    return asdict(item) | {"recorded_at": rfc3339(item.recorded_at)}
