"""A page on which a choice is made by a form: for browsers that run no script, or that hide the banner."""

from contextlib import suppress
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request

from consent_server.core.context import context
from consent_server.core.errors import (
    Fault,
    ForeignOrigin,
    InvalidDecision,
    MalformedBody,
    StorageUnavailable,
    UnsupportedContentType,
)
from consent_server.core.hashes import SHA256_HEX
from consent_server.decisions.bodies import page_address
from consent_server.decisions.keep_choice import keep_choice
from consent_server.decisions.read_request import note_outcome, page_origin, visit
from consent_server.decisions.record import RecordDecision
from consent_server.decisions.record_shown import RecordShown
from consent_server.decisions.rules import Action, Answer, Decision, Method
from consent_server.decisions.rules_cookie import visitor_of
from consent_server.http.answers import HTML, Cache, answer
from consent_server.http.bodies import BODY_LIMIT
from consent_server.http.rate_limit import limited, within_limit
from consent_server.sites import catalogue
from consent_server.sites.choose_language import wished_language
from consent_server.sites.configure_widget import notice_detail
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.rules_cookie import NAME, below
from consent_server.sites.rules_notice import Notice, readable_language
from consent_server.sites.rules_origin import origin_of
from consent_server.sites.style_page import site_policy
from consent_server.sites.visitor_place import site_here

bp = Blueprint("choice", __name__)
bp.after_request(note_outcome)

FORM = "application/x-www-form-urlencoded"
ACTIONS = (Action.ACCEPT_ALL, Action.REFUSE_ALL, Action.SAVE)


@bp.get("/sites/<key>/choice")
def ask(key: str) -> Response:
    """The notice in force with accept, refuse and a switch for each purpose, all of them off."""
    current = site_here(key)
    language = wished_language(current)
    # Where the cookie can be seen, who has answered is not asked but has come back.
    if NAME not in request.cookies and _is_seen() and within_limit():
        # A view that cannot be counted is no reason to ask nobody.
        with suppress(StorageUnavailable):
            context()[RecordShown](current, current.notice.hash, language, visit())
    detail = notice_detail(current.notice, language)
    vendors = {
        purpose: [vendor for vendor in detail["vendors"] if purpose in current.notice.vendors[vendor["key"]]]
        for purpose in current.notice.purposes
    }
    # What runs in the browser now, where nobody objected yet, by a choice or by the browser's signal.
    signal = current.notice.gpc_purposes if request.headers.get("Sec-GPC") == "1" else ()
    runs = current.notice.on_before.difference(signal)
    return _page(
        "widget/choice.html", current, current.notice, language,
        detail=detail, vendors=vendors, form=uuid4(), runs=runs,
    )  # fmt: skip


def _is_seen() -> bool:
    """Whether a person opens the page, and no picture, frame or program of another page asks for its address."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"


@bp.post("/sites/<key>/choice")
@limited
def decide(key: str) -> Response:
    """Record what the form says; on the site's own host also keep it in the browser."""
    current = context()[CurrentSites].shown(key)
    origin = _origin_of_form(current)
    on_site = _keeps_cookies(current, origin)
    notice, choice = _answer(current, origin, on_site)
    recorded = context()[RecordDecision](current, choice, visit())
    language = readable_language(notice.body, recorded.decision.answer.language)
    response = _page(
        "widget/chosen.html", current, notice, language,
        runs=recorded.decision.runs, states=_states(notice, recorded.decision, language), kept=on_site,
        receipt=recorded.link and f"{context().settings.public_url}/v1/receipts/{recorded.link}",
    )  # fmt: skip
    if on_site:
        keep_choice(response, notice, recorded, origin)
    return response


def _states(notice: Notice, decision: Decision, language: str) -> dict[str, str]:
    """What became of each purpose, in a word: granted or denied, or objected to or not."""
    receipt = catalogue.locales().get(language, catalogue.locales()["en"])["receipt"]
    granted = {key: receipt["granted" if on else "denied"] for key, on in decision.grants.items()}
    rules = notice.body["texts"][language].get("rules", {})
    objected = decision.objections.purposes.items()
    return granted | {key: rules["objected" if against else "not_objected"] for key, against in objected}


def _origin_of_form(current: CurrentSite) -> str:
    """Where the form stands. Raises ForeignOrigin for a form that is not ours.

    A browser says where a form stands (Fetch, Origin and Sec-Fetch-Site; no page can say it otherwise), so that
    the form needs no token, and with it no identifier.
    """
    origin, fetched = page_origin(), request.headers.get("Sec-Fetch-Site")
    ours = {origin_of(context().settings.public_url), origin_of(request.host_url)}
    if origin and (fetched == "same-origin" or (fetched is None and (origin in ours or current.site.admits(origin)))):
        return origin
    if origin or fetched:
        raise ForeignOrigin("This form was sent from another site's page. Open this page and choose here.")
    raise ForeignOrigin(
        "Your browser did not say on which page this form stands, so nothing was recorded. That happens where this "
        "page is sent with `Referrer-Policy: no-referrer` and without https: whoever runs it should change either."
    )


def _keeps_cookies(current: CurrentSite, origin: str) -> bool:
    """Whether the form is on a host whose cookies are the site's."""
    domain = current.notice.body.get("cookie_domain")
    return current.site.admits(origin) or (domain is not None and below(urlsplit(origin).hostname or "", domain))


def _answer(current: CurrentSite, origin: str, on_site: bool) -> tuple[Notice, Answer]:
    if request.mimetype != FORM:
        raise UnsupportedContentType("Send the form of this page.")
    request.max_content_length = BODY_LIMIT
    sent = request.form
    shown = sent.get("notice", "")
    found = context()[CurrentSites].notice(current, shown) if SHA256_HEX.fullmatch(shown) else None
    if found is None:
        raise InvalidDecision("The form is not for a notice of this site; nothing was recorded. Open the page again.")
    notice = found[1]
    action = next((one for one in ACTIONS if one == sent.get("action")), None)
    if action is None:
        raise MalformedBody("Nothing was chosen.", [Fault("#/action", f"Must be one of {', '.join(ACTIONS)}.")])
    ticked = sent.getlist("grant") if action is Action.SAVE else notice.purposes if action is Action.ACCEPT_ALL else ()
    choice = Answer(
        decision_id=_decision_id(sent.get("form", ""), action, ticked),
        notice=shown,
        action=action,
        method=Method.FORM,
        grants=dict.fromkeys(notice.purposes, False) | dict.fromkeys(ticked, True),
        vendors={},
        visitor=visitor_of(request.cookies.get(NAME, "")) if on_site else None,
        change=on_site and NAME in request.cookies,
        language=sent.get("language", ""),
        page=_address(origin),
        gpc=request.headers.get("Sec-GPC") == "1",
        widget=None,
    )
    return notice, choice


def _decision_id(form: str, action: Action, ticked: tuple[str, ...] | list[str]) -> UUID:
    # A form that is sent twice is one decision; sent again with another answer, it is another.
    said = "\n".join([form or str(uuid4()), action, *sorted(ticked)])
    return UUID(bytes=sha256(said.encode()).digest()[:16], version=4)


def _address(origin: str) -> str:
    """Where the visitor chose: this page as the browser calls it, whatever a proxy made of that."""
    referrer = request.headers.get("Referer", "")
    return page_address(referrer if referrer.startswith(f"{origin}/") else request.base_url)


def _page(template: str, current: CurrentSite, notice: Notice, language: str, **shown: object) -> Response:
    locales = catalogue.locales()
    locale = locales.get(language, locales["en"])
    texts = notice.body["texts"][language]
    page = render_template(
        template,
        language=language,
        direction=texts["direction"],
        languages={one: locales.get(one, {"meta": {"name": one}})["meta"]["name"] for one in notice.languages},
        notice=notice,
        policies=notice.policies(language),
        banner=texts["banner"],
        preferences=texts["preferences"],
        purposes=[(key, texts["purposes"][key]) for key in notice.purposes],
        texts=locale["choice"],
        receipt_texts=locale["receipt"],
        declaration_title=locale["declaration"]["title"],
        site_name=notice.body["name"],
        site=current.site,
        home=current.site.home(),
        **shown,
    )
    # With no referrer at all, a browser would say of its own form that it comes from nowhere.
    headers = {"Referrer-Policy": "same-origin", **site_policy(notice.body)}
    return answer(page, HTML, cache=Cache.NO_STORE, vary=["Accept-Language"], headers=headers)
