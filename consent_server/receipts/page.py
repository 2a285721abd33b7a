"""A receipt as a page in the visitor's language: to read, to check, and to act on by whoever holds its link."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, render_template, request

from consent_server.access.guard import form_token
from consent_server.core.context import context
from consent_server.core.errors import RemovedReceipt
from consent_server.decisions.keep_choice import set_choice
from consent_server.decisions.rules import Method, exceptions, implied
from consent_server.decisions.rules_cookie import visitor_of, withdrawn_value
from consent_server.decisions.visitor_tags import VisitorTags
from consent_server.http import problems
from consent_server.http.answers import HTML, Cache, answer
from consent_server.receipts.read_page import ReceiptPage, read_page
from consent_server.receipts.withdraw import Standing, State
from consent_server.sites import catalogue
from consent_server.sites.choose_language import choose_language
from consent_server.sites.configure_widget import revision
from consent_server.sites.current_site import CurrentSites
from consent_server.sites.rules_cookie import NAME
from consent_server.sites.rules_notice import UNKNOWN_LANGUAGE, readable_language
from consent_server.sites.rules_rights import answer_by
from consent_server.sites.style_page import site_policy
from consent_server.sites.wording import Wording, isolated

# What is said of an act where nothing was asked.
UNASKED = {"accept_all": "all_on", "refuse_all": "all_off", "withdraw": "all_off", "gpc": "signal"}


def receipt_page(receipt_id: str, held: bool) -> Response:
    """The page; with its two forms only for who holds the signed link. Raises UnknownReceipt."""
    ctx = context()
    page = read_page(ctx.database, ctx.keys.ring, receipt_id, ctx.now())
    standing = page.standing
    follows = held and _is_copy_of(standing)
    response = answer(_html(page, held, follows), HTML, headers=site_policy(page.receipt.notice))
    if follows:
        claims = standing.newest.claims
        value = withdrawn_value(
            revision(standing.newest.notice), claims["grants"], claims["gpc"], standing.newest.recorded_at
        )
        site = ctx[CurrentSites].get(claims["site"])
        set_choice(response, site.notice, request.url, value, standing.valid_until - ctx.now())
    return response


def _is_copy_of(standing: Standing) -> bool:
    """Whether this browser keeps a choice that was withdrawn elsewhere.

    Only where this server is on the site's own host does the request show that, and only the visitor's own copy
    follows: one that carries the identifier of the record.
    """
    kept = visitor_of(request.cookies.get(NAME, ""))
    visitor = VisitorTags(context().signer).read(standing.newest.claims["site"], kept)
    return standing.state is State.WITHDRAWN and visitor is not None and visitor == standing.visitor


def _html(page: ReceiptPage, held: bool, follows: bool) -> str:
    standing, claims, notice = page.standing, page.receipt.claims, page.receipt.notice
    language = readable_language(notice, claims["language"])
    locale = catalogue.locales().get(language) or catalogue.locales()["en"]
    wording = Wording(language if language in catalogue.locales() else "en")
    return render_template(
        "receipts/receipt.html",
        claims=claims,
        language=language,
        direction=locale["meta"]["direction"],
        language_name=locale["meta"]["name"] if claims["language"] != UNKNOWN_LANGUAGE else None,
        texts=locale["receipt"],
        check=locale["check"],
        rules=locale["rules"],
        objectable=not all(claims.get("objections", {}).get("purposes", {}).values()),
        act=_act(claims, locale),
        purposes=_purposes(claims, notice, locale, wording),
        vendors=[
            (v["name"], *state)
            for v in notice["vendors"]
            if (state := _state(claims, "vendors", v["key"], locale)) is not None
        ],
        let_in=_let_in(claims, notice, locale["banner"]["always"]),
        proof=page.proof,
        sealed_at=wording.moment(page.proof.sealed_at) if page.proof else None,
        site=page.site,
        notice=notice,
        notice_words=locale["declaration"]["shown"],
        recorded_at=wording.moment(page.receipt.recorded_at),
        valid_until=wording.moment(datetime.fromtimestamp(claims["valid_until"], UTC)),
        link=request.script_root + request.path,
        held=held,
        # A session counts for a script only with what stands on a page of ours.
        form_token=None if held else form_token(),
        standing=standing,
        # Whoever withdrew in a browser has no other copy of the choice to look after.
        elsewhere=standing.state is State.WITHDRAWN and standing.newest.claims["method"] == "api" and not follows,
        follows=follows,
        stands_since=wording.moment(standing.newest.recorded_at),
        stands_until=wording.moment(standing.valid_until),
        asked_at=wording.moment(page.asked_at) if page.asked_at else None,
        refusal=page.refusal,
        refused_at=wording.day(page.refusal.at) if page.refusal else None,
        answer_by=wording.day(answer_by(page.asked_at)) if page.asked_at else None,
    )


def _act(claims: dict[str, Any], locale: dict[str, Any]) -> str:
    """What the visitor did, in a sentence. Where nothing was asked, nothing was accepted or rejected either."""
    sentence = UNASKED.get(claims["action"]) if "rule" in claims and not claims["grants"] else None
    text: str = locale["rules"][sentence] if sentence else locale["receipt"][f"action_{claims['action']}"]
    return text


def _purposes(
    claims: dict[str, Any], notice: dict[str, Any], locale: dict[str, Any], wording: Wording
) -> list[tuple[dict[str, str], str, str, bool, str]]:
    texts = notice["texts"][readable_language(notice, claims["language"])]["purposes"]
    names = {vendor["key"]: isolated(vendor["name"], locale["meta"]["direction"]) for vendor in notice["vendors"]}
    purposes = {vendor["key"]: vendor["purposes"] for vendor in notice["vendors"]}
    apart = exceptions(claims["grants"], claims["vendors"], purposes)

    def said(key: str, word: str) -> str:
        """The word, and where a vendor was answered otherwise also of which."""
        told = wording.listed([names[vendor] for vendor in apart[key]]) if apart.get(key) else ""
        return locale["preferences"]["except"].format(state=word, names=told) if told else word

    states = [
        (key, _state(claims, "grants", key, locale)) for key in (purpose["key"] for purpose in notice["purposes"])
    ]
    return [(texts[key], *state[:3], said(key, state[3])) for key, state in states if state is not None]


def _state(claims: dict[str, Any], part: str, key: str, locale: dict[str, Any]) -> tuple[str, str, bool, str] | None:
    """What a purpose or vendor stands under in the receipt, its key, whether it may run, and the word for that."""
    if key in claims[part]:
        granted = claims[part][key]
        return part, key, granted, locale["receipt"]["granted" if granted else "denied"]
    objected = claims.get("objections", {}).get("purposes" if part == "grants" else part, {}).get(key)
    if objected is None:
        return None
    return f"objections-{part}", key, not objected, locale["rules"]["objected" if objected else "not_objected"]


def _let_in(claims: dict[str, Any], notice: dict[str, Any], words: str) -> list[str]:
    """The words of the buttons of the stand-ins that were pressed before the rest was asked: "Always show YouTube"."""
    if claims["method"] != Method.PLACEHOLDER or len(claims["grants"]) == len(notice["purposes"]):
        return []
    shown = notice["texts"][readable_language(notice, claims["language"])]
    words = shown["banner"].get("always", words)
    # Until there were words for purposes, their titles stood in those for vendors.
    purpose_words = shown["banner"].get("always_purpose", words)
    purposes = [shown["purposes"][key]["title"] for key, granted in claims["grants"].items() if granted]
    vendors = [
        isolated(vendor["name"], shown["direction"])
        for vendor in notice["vendors"]
        if claims["vendors"].get(vendor["key"]) and not implied(claims["grants"], vendor["purposes"])
    ]
    return [
        *(purpose_words.format(vendor=title, purpose=title) for title in purposes),
        *(words.format(vendor=name) for name in vendors),
    ]


def removed_page(refusal: RemovedReceipt) -> Response:
    """What a removed record answers. The language is the browser's: that of the record went with the record."""
    accept = request.accept_mimetypes
    if accept["text/html"] <= accept["application/problem+json"]:
        return problems.refused(refusal)
    language = choose_language(list(catalogue.locales()), "en")
    locale = catalogue.locales()[language]
    page = render_template(
        "receipts/receipt_gone.html", language=language, direction=locale["meta"]["direction"], texts=locale["receipt"]
    )
    return answer(page, HTML, 410, Cache.NO_STORE, vary=["Accept", "Accept-Language"])
