"""What a site declares, made from its notice: a page, the same for a page of the site's own, and for programs."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, json, render_template, request
from flask.blueprints import BlueprintSetupState
from werkzeug.http import generate_etag

from consent_server.core.context import context, context_of
from consent_server.core.errors import Fault, InvalidQuery
from consent_server.core.times import rfc3339
from consent_server.http.answers import HTML, JSON, Cache, answer, open_to_every_page
from consent_server.sites import catalogue
from consent_server.sites.choose_language import wished_language
from consent_server.sites.configure_widget import notice_detail, party_words
from consent_server.sites.current_site import CurrentSite, CurrentSites
from consent_server.sites.rules_changes import What
from consent_server.sites.rules_cookie import NAME
from consent_server.sites.rules_places import Rule
from consent_server.sites.rules_regions import ELSEWHERE, Region
from consent_server.sites.rules_rights import REPLY_DAYS
from consent_server.sites.style_page import site_policy
from consent_server.sites.wording import Wording
from consent_server.widget.declare import DeclareSite, Version
from consent_server.widget.elements import as_elements

bp = Blueprint("declaration", __name__)
open_to_every_page(bp, "GET")


@bp.record_once
def keep_changes(state: BlueprintSetupState) -> None:
    """What two notices differ in never changes, and is found once."""
    made_for = context_of(state.app)
    made_for.keep(DeclareSite(made_for.database))


SCHEMA = "1"
TYPES = {"html": "text/html", "json": "application/json"}
# What the widget itself stores, and the text that says what for: the choice, and what waits to be done with it.
OWN_KEYS = {
    NAME: "necessary_choice",
    "eu-consent-outbox": "necessary_outbox",
    "eu-consent-purge": "necessary_purge",
    "eu-consent-receipt": "necessary_receipt",
}
RIGHTS = ("withdraw", "access", "rectify", "erase", "restrict", "port", "object", "complain")


@bp.get("/sites/<key>/declaration")
def declaration(key: str) -> Response:
    """By `Accept` or `?format=`: `html` the page, `json` its facts, `elements` the page's body for another page."""
    current = context()[CurrentSites].shown(key)
    language = wished_language(current)
    versions = context()[DeclareSite](current, language)
    wanted = _wanted()
    if wanted == "html":
        body = render_template("widget/declaration.html", **_shown(current, language, versions))
    elif wanted == "json":
        body = json.dumps(_facts(current, language, versions, _told(current, language)))
    else:
        shown = _shown(current, language, versions)
        elements = as_elements(render_template("widget/declaration_body.html", **shown))
        body = json.dumps({"language": language, "direction": shown["direction"], "elements": elements})
    policy = site_policy(current.notice.body) if wanted == "html" else {}
    return answer(
        body, HTML if wanted == "html" else JSON, cache=Cache.MINUTES, etag=generate_etag(body.encode()),
        vary=["Accept", "Accept-Language"], headers={"Content-Language": language, **policy},
    )  # fmt: skip


def _wanted() -> str:
    accepted = request.accept_mimetypes.best_match(list(TYPES.values()))
    wanted = request.args.get("format", "json" if accepted == TYPES["json"] else "html")
    if wanted not in (*TYPES, "elements"):
        fault = Fault("#/format", f"Must be one of {', '.join(TYPES)}, elements.")
        raise InvalidQuery("The declaration is not available in this form.", [fault])
    return wanted


def _facts(current: CurrentSite, language: str, versions: list[Version], told: dict[str, Any]) -> dict[str, Any]:
    """docs/formats/declaration.md"""
    body, wording = current.notice.body, Wording(language)
    texts = body["texts"][language]
    return {
        "schema": SCHEMA,
        "site": body["site"],
        "name": body["name"],
        "language": language,
        "languages": body["languages"],
        "notice": current.notice.hash,
        "since": rfc3339(versions[0].since),
        "mode": body["mode"],
        **{key: body[key] for key in ("regional_grants",) if key in body},
        "sample": current.site.sample,
        **{party: body[party] for party in ("controller", "dpo", "authority") if party in body},
        "policy": current.notice.policies(language),
        "purposes": [
            purpose
            | texts["purposes"][purpose["key"]]
            | {"vendors": [key for key, purposes in current.notice.vendors.items() if purpose["key"] in purposes]}
            for purpose in body["purposes"]
        ],
        "vendors": [_vendor(vendor, told[vendor["key"]]) for vendor in body["vendors"]],
        "necessary": [
            {"name": NAME, "storage": "cookie", "lifetime": body["choice_days"] * 86_400},
            *({"name": name, "storage": "local", "expiry": "none"} for name in OWN_KEYS if name != NAME),
        ],
        "recipients": [one | {"words": party_words(one, texts, wording)} for one in body.get("recipients", ())],
        "retention": {"choice": f"P{body['choice_days']}D", "record": current.site.proof_retention},
        "rights": {"contact": body["controller"]["contact"], "reply": f"P{REPLY_DAYS}D"},
        "history": [_version(version) for version in versions],
        **({"regions": [_region(one, current) for one in current.site.regions]} if current.site.regions else {}),
    }


def _region(region: Region, current: CurrentSite) -> dict[str, Any]:
    """What holds in a region before a choice, and which purposes then run until somebody objects."""
    notice = current.regions[region.key].notice if region.key in current.regions else current.notice
    return region.to_json() | {"notice": notice.hash, "objections": sorted(notice.on_before)}


def _told(current: CurrentSite, language: str) -> dict[str, Any]:
    """Each vendor in words, as layer two has it, by its key."""
    return {vendor["key"]: vendor for vendor in notice_detail(current.notice, language)["vendors"]}


def _vendor(vendor: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    cookies = [
        cookie | {"words": {"storage": words["storage"], "lifetime": words["lifetime"], "purpose": words["text"]}}
        for cookie, words in zip(vendor["cookies"], told["cookies"], strict=True)
    ]
    return vendor | {"words": {key: told[key] for key in ("operator", "declared", "transfer")}, "cookies": cookies}


def _version(version: Version) -> dict[str, Any]:
    changed = [{"what": change.what, "names": change.names} for change in version.changes]
    return {"notice": version.notice, "since": rfc3339(version.since), "changes": changed}


def _shown(current: CurrentSite, language: str, versions: list[Version]) -> dict[str, Any]:
    """What the templates tell, in the words of the notice and of this language."""
    locales, wording = catalogue.locales(), Wording(language)
    locale, said = locales[language], current.notice.body["texts"][language]
    told = _told(current, language)
    facts = _facts(current, language, versions, told)
    return {
        "site": current.site,
        "language": language,
        "direction": said["direction"],
        "languages": {one: locales[one]["meta"]["name"] for one in current.notice.languages},
        "base": context().settings.public_url,
        "facts": facts,
        "notice": current.notice.body,
        **_side_by_side(facts, wording),
        "told": told,
        "comma": locale["meta"]["comma"],
        "necessary": [_necessary(one, wording, locale) for one in facts["necessary"]],
        "sections": _sections(facts, locale),
        "texts": locale["declaration"],
        "rules": locale["rules"],
        "by_place": _by_place(facts, said, locale, wording),
        "banner": said["banner"],
        "words": locale["preferences"] | said["preferences"],
        "page": locale["notice_page"],
        "receipt": locale["receipt"],
        "rights": [locale["declaration"][f"right_{right}"] for right in RIGHTS],
        "since": wording.moment(versions[0].since),
        "choice_lifetime": wording.choice_lifetime(current.notice.body["choice_days"]),
        "record_lifetime": wording.duration(current.site.proof_retention),
        "reply_time": wording.count("days", REPLY_DAYS),
        "day": lambda written: wording.day(date.fromisoformat(written)),
        "history": [(version.notice, wording.day(version.since), _changes(version, language)) for version in versions],
    }


def _side_by_side(facts: dict[str, Any], wording: Wording) -> dict[str, dict[str, str]]:
    """The vendors of each purpose and the purposes of each vendor, as people know them."""
    names = {one["key"]: one["name"] for one in facts["vendors"]}
    titles = {one["key"]: one["title"] for one in facts["purposes"]}

    def each(ones: list[dict[str, Any]], member: str, named: dict[str, str]) -> dict[str, str]:
        return {one["key"]: wording.names([named[key] for key in one[member]]) for one in ones}

    return {
        "vendors_of": each(facts["purposes"], "vendors", names),
        "purposes_of": each(facts["vendors"], "purposes", titles),
    }


def _necessary(stored: dict[str, Any], wording: Wording, locale: dict[str, Any]) -> dict[str, str]:
    """A cookie or a key of the widget's own, in the words that those of vendors have."""
    words, days = locale["preferences"], stored.get("lifetime", 0) // 86_400
    return {
        "name": stored["name"],
        "storage": words[f"storage_{stored['storage']}"],
        "lifetime": wording.choice_lifetime(days) if days else words["no_expiry"],
        "text": locale["declaration"][OWN_KEYS[stored["name"]]],
    }


def _sections(facts: dict[str, Any], locale: dict[str, Any]) -> list[tuple[str, str]]:
    """The page's contents: the section of each heading."""
    texts, page = locale["declaration"], locale["notice_page"]
    headings = {
        "who": texts["who"],
        "purposes": page["purposes"],
        "regions": locale["rules"]["by_place"],
        "vendors": page["vendors"],
        "necessary": locale["preferences"]["necessary"],
        "recipients": texts["recipients"],
        "retention": texts["retention"],
        "rights": texts["rights"],
        "policies": texts["policies"],
        "history": texts["history"],
    }
    return [(section, title) for section, title in headings.items() if facts.get(section, section != "regions")]


def _by_place(
    facts: dict[str, Any], said: dict[str, Any], locale: dict[str, Any], wording: Wording
) -> list[tuple[str, str]]:
    """Places, and what holds there in a sentence; what holds everywhere else comes last."""
    rules, told = locale["rules"], []
    for region in facts.get("regions", ()):
        sentence = rules[region["rule"]]
        if region["rule"] == Rule.OPT_IN and region["objections"]:
            titles = wording.listed([said["purposes"][key]["title"] for key in region["objections"]])
            aside = rules["without_consent"].format(purposes=titles, customise=said["banner"]["customise"])
            sentence = f"{sentence} {aside}"
        places = [rules["elsewhere"] if code == ELSEWHERE else wording.place(code) for code in region["places"]]
        told.append((wording.listed(places), sentence))
    elsewhere = all(ELSEWHERE not in region["places"] for region in facts.get("regions", ()))
    return [*told, (rules["elsewhere"], rules[Rule.OPT_IN])] if told and elsewhere else told


def _changes(version: Version, language: str) -> list[str]:
    locale, wording = catalogue.locales()[language], Wording(language)
    texts, page = locale["declaration"], locale["notice_page"]
    # These two are named as on the notice's own page.
    said = {What.MODE: page["mode"], What.LANGUAGES: page["languages"]}
    return [
        said[change.what]
        if change.what in said
        else texts[f"change_{change.what}"].format(names=wording.names(change.names))
        for change in version.changes
    ] or [texts["first"]]
