"""Make what the widget's code is called with, and so what a visitor sees: one notice in each of its languages."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from consent_server.core.canonical import encode
from consent_server.core.hashes import sha256_hex
from consent_server.sites import catalogue
from consent_server.sites.rules_consent_mode import google_start
from consent_server.sites.rules_notice import LATER_STORAGE, Asks, Configuration, Notice, consent_basis, policies
from consent_server.sites.rules_site import SAMPLE, Site, Tag
from consent_server.sites.style_banner import banner_css
from consent_server.sites.tag_sources import tag_sources
from consent_server.sites.wording import Wording

CONFIG_TEXTS = (
    "title", "accept", "refuse", "customise", "reopen", "failed",
)  # fmt: skip
PREFERENCES_TEXTS = (
    "title", "intro", "save", "close", "necessary", "necessary_text", "vendors", "cookies", "controller", "dpo",
    "on", "off", "except",
)  # fmt: skip
BANNER_TEXTS = ("placeholder", "once", "always", "placeholder_purpose", "always_purpose", "gpc", "saved")
DETAILS_TEXTS = (
    "operator", "transfer", "policy", "name", "purpose", "lifetime", "third_party",
    "mine", "mine_at", "granted", "denied", "withdraw", "receipt", "receipt_jws", "receipt_json", "no_receipt",
    "erase", "erase_text", "erase_send", "erase_asked", "erase_failed", "erase_done", "except", "withdrawn",
    *BANNER_TEXTS,
)  # fmt: skip


def configure_widget(notice: Notice, site: Site, widget: str, server: str) -> dict[str, Configuration]:
    """What this widget code (by its hash) is served with by a server of this public URL, by language.

    Its shape is for the code of today only. Archived code is never given it: what that was served with is
    archived with it (store_configurations.py).
    """
    return {language: _configuration(notice, site, widget, server, language) for language in notice.languages}


# Said in place of "granted" and "denied" of what no grant is needed for.
RULE_TEXTS = ("objected", "not_objected")


def _configuration(notice: Notice, site: Site, widget: str, server: str, language: str) -> Configuration:
    detail = notice_detail(notice, language)
    sources = {tag.vendor: tag_sources(tag) for tag in _gated(notice, site)}
    vendors = [{**vendor, "sources": sources.get(vendor["key"], ())} for vendor in detail["vendors"]]
    return Configuration(
        language,
        main=_line(_first_layer(notice, site, widget, server, language)),
        preferences=_line(_part(detail, ("controller", "contact", "dpo", "purposes"), (*PREFERENCES_TEXTS, "accept"))),
        details=_line(_part({**detail, "vendors": vendors}, ("vendors", "dates"), (*DETAILS_TEXTS, *RULE_TEXTS))),
    )


def _gated(notice: Notice, site: Site) -> list[Tag]:
    """The tags that nothing may load before a grant; in mode "advanced" Google's are loaded."""
    advanced = notice.body["mode"] == "advanced"
    return [tag for tag in site.tags if not (advanced and tag.adapter == "google")]


def _part(detail: Mapping[str, Any], members: Iterable[str], texts: Iterable[str]) -> dict[str, Any]:
    """What one of the later scripts is called with: no more than it shows."""
    told = {key: detail[key] for key in ("notice", "language", "names", *members)}
    # Some words are in a notice only where something runs before a choice.
    return told | {"texts": {key: detail["texts"][key] for key in texts if key in detail["texts"]}}


def with_arms(
    control: Mapping[str, Configuration], arms: Sequence[tuple[int, Mapping[str, Configuration]]]
) -> dict[str, Configuration]:
    """What is served while an experiment runs: the control's, with each arm's weight and what it has in its place.

    Of an arm the widget makes what the arm's own configuration says, so that this one is archived for none of them.
    """
    return {
        language: _with_arms(own, [(weight, of[language]) for weight, of in arms]) for language, own in control.items()
    }


def _with_arms(control: Configuration, arms: Sequence[tuple[int, Configuration]]) -> Configuration:
    own = json.loads(control.main)
    entries = []
    for weight, arm in arms:
        main = json.loads(arm.main)
        entries.append({"weight": weight, **{key: value for key, value in main.items() if own.get(key) != value}})
    return replace(control, main=_line({**own, "arms": entries}))


def configure_debug(notice: Notice, language: str) -> str:
    """What the overlay for developers is called with. It is no evidence: no visitor sees it."""
    known = catalogue.vendors()
    hosts = {vendor["key"]: known.get(vendor["key"], {}).get("hosts", []) for vendor in notice.body["vendors"]}
    return _line({"names": notice_detail(notice, language)["names"], "hosts": hosts})


def called(code: str, data: str) -> str:
    """A script: code on its first line, on its second the data that it is called with."""
    return f"{code}(\n{data}\n)\n"


def revision(body: Mapping[str, Any]) -> str:
    """Short name (16 hex digits) of what a consent rests on; a stored grant under another one is asked again."""
    return sha256_hex(encode(consent_basis(body)))[:16]


def _line(data: Mapping[str, Any]) -> str:
    # "<" never stands in the data as itself, so that the script may also be pasted into a page.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _first_layer(notice: Notice, site: Site, widget: str, server: str, language: str) -> dict[str, Any]:
    body = notice.body
    texts = body["texts"][language]
    gpc = notice.gpc_purposes
    return {
        "site": site.key,
        "server": server,
        "notice": notice.hash,
        "revision": revision(body),
        "widget": widget[:16],
        "language": language,
        **({} if texts["direction"] == "ltr" else {"direction": texts["direction"]}),
        **({"advanced": True} if body["mode"] == "advanced" else {}),
        "days": body["choice_days"],
        **({"domain": body["cookie_domain"]} if "cookie_domain" in body else {}),
        "layout": body["layout"],
        "css": banner_css(body),
        "shown": list(_shown(body, language)),
        "purposes": [
            {"key": p["key"], "signals": p["signals"]}
            | ({"gpc": True} if p["key"] in gpc else {})
            | ({"on": True} if p["key"] in notice.on_before else {})
            for p in body["purposes"]
        ],
        **({} if notice.asks is Asks.CHOICE else {"asks": notice.asks.value}),
        "vendors": _tags(body["vendors"], site.tags),
        **_google(site, body["mode"] == "advanced"),
        # Its share, where it is another than the script has by itself.
        **({} if site.sample == SAMPLE else {"sample": site.sample and 1 / site.sample}),
        "texts": {key: texts["banner"][key] for key in CONFIG_TEXTS}
        | ({"honored": texts["rules"]["honored"]} if notice.on_before else {}),
    }


def _google(site: Site, advanced: bool) -> dict[str, Any]:
    start = google_start(site.google, advanced)
    return {"google": start} if start and any(tag.adapter == "google" for tag in site.tags) else {}


def _shown(body: Mapping[str, Any], language: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Layer one in the order of reading: name, attributes and text of each element, its answers apart."""
    # A notice from before an upgrade has no words for what is new in the code; `site apply` gives it some.
    built_in = catalogue.locales().get(language, catalogue.locales()["en"])["banner"]
    texts = {key: built_in[key] for key in ("more",)} | body["texts"][language]["banner"]
    yield "button", {"data-action": "close"}, texts["close"]
    if logo := body.get("logo"):
        yield "img", {"src": logo["url"], "alt": logo["alt"]}, ""
    yield "h2", {}, texts["title"]
    # One text, since what is over five lines of it on a phone is behind one button.
    yield "p", {}, " ".join(texts[key] for key in ("intro", "advanced") if key in texts)
    yield "button", {"data-action": "more"}, texts["more"] + "…"
    addresses = policies(body, language)
    for name in ("privacy", "cookies"):
        yield "a", {"href": addresses[name]["url"], "target": "_blank"}, texts[name]


def _tags(vendors: Sequence[Mapping[str, Any]], tags: Sequence[Tag]) -> list[dict[str, Any]]:
    by_vendor = {tag.vendor: tag for tag in tags}
    return [_tag(vendor, by_vendor[vendor["key"]]) for vendor in vendors]


def _tag(vendor: Mapping[str, Any], tag: Tag) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "key": vendor["key"],
        "adapter": tag.adapter,
        "ids": tag.ids,
        "purposes": vendor["purposes"],
        "conversions": dict(tag.conversions),
        "hosts": [] if tag.adapter else tag.hosts or catalogue.vendors().get(tag.vendor, {}).get("hosts"),
    }
    return {key: value for key, value in entry.items() if value}


def notice_detail(notice: Notice, language: str) -> dict[str, Any]:
    """Layer two in one language: every vendor with its operator and its cookies, in words."""
    body, texts = notice.body, notice.body["texts"][language]
    # A notice from before an upgrade may lack a language of today, and words for what is new in the code.
    known = language if language in catalogue.locales() else "en"
    built_in, wording = catalogue.locales()[known], Wording(known)
    return {
        "notice": notice.hash,
        "language": language,
        "controller": _known(body["controller"], wording, "name", "address"),
        "contact": wording.names([body["controller"]["contact"]]),
        "dpo": _known(body.get("dpo", {}), wording, "name", "role", "contact"),
        "purposes": {key: _purpose_text(key, notice, texts) for key in texts["purposes"]},
        "names": {key: purpose["title"] for key, purpose in texts["purposes"].items()}
        | {vendor["key"]: wording.names([vendor["name"]]) for vendor in body["vendors"]},
        "vendors": [_vendor_detail(vendor, texts, wording) for vendor in body["vendors"]],
        "texts": built_in["preferences"]
        | texts["preferences"]
        | {key: texts["banner"].get(key, built_in["banner"][key]) for key in BANNER_TEXTS}
        | (_rule_texts(notice, texts) if notice.on_before else {}),
        "dates": wording.dates(),
    }


def _known(party: Mapping[str, str], wording: Wording, *keys: str) -> str:
    """What is known of somebody, one after the other."""
    return wording.names([party[key] for key in keys if key in party])


def _purpose_text(key: str, notice: Notice, texts: Mapping[str, Any]) -> str:
    text: str = texts["purposes"][key]["text"]
    return f"{text} {texts['rules']['note']}" if key in notice.on_before else text


def _rule_texts(notice: Notice, texts: Mapping[str, Any]) -> dict[str, str]:
    """What layer two says where something runs before a choice; where nothing is asked, nothing is withdrawn either."""
    told = {key: texts["rules"][key] for key in RULE_TEXTS}
    unasked = {"accept": texts["rules"]["accept"], "withdraw": texts["banner"]["refuse"]}
    return told | ({} if notice.asks is Asks.CHOICE else unasked)


def _vendor_detail(vendor: Mapping[str, Any], texts: Mapping[str, Any], wording: Wording) -> dict[str, Any]:
    told = party_words(vendor, texts, wording)
    return {
        "key": vendor["key"],
        "operator": told["operator"],
        "declared": told["declared"],
        "policy": vendor["policy_url"],
        "transfer": told["transfer"],
        "cookies": [_cookie(cookie, texts, wording) for cookie in vendor["cookies"]],
    }


def party_words(party: Mapping[str, Any], texts: Mapping[str, Any], wording: Wording) -> dict[str, str]:
    """Who operates what a vendor or a recipient offers, now and in the site's policy, and what a transfer rests on."""
    declared = party.get("declared")
    named: str = texts["preferences"]["declared"]
    return {
        "operator": _known(party["operator"], wording, "name", "address"),
        "declared": named.format(declared=_known(declared, wording, "name", "address")) if declared else "",
        "transfer": _transfer(party, texts, wording),
    }


def _transfer(party: Mapping[str, Any], texts: Mapping[str, Any], wording: Wording) -> str:
    transfer = party.get("transfer")
    if transfer is None:
        return ""
    recipients = [entity["name"] for entity in party.get("other_entities", ())] or [party["operator"]["name"]]
    sentence: str = texts["transfer"][transfer["mechanism"]]
    return sentence.format(recipient=wording.names(recipients), reference=wording.names([transfer["reference"]]))


def _cookie(cookie: Mapping[str, Any], texts: Mapping[str, Any], wording: Wording) -> dict[str, str]:
    preferences = texts["preferences"]
    endless = preferences["session" if cookie.get("expiry") == "session" else "no_expiry"]
    return {
        "name": cookie["name"],
        "lifetime": texts["lifetimes"][str(cookie["lifetime"])] if "lifetime" in cookie else endless,
        "text": texts["cookie_purposes"][cookie["purpose"]],
        "storage": preferences[f"storage_{cookie['storage']}"],
        "host": wording.names([cookie["host"]]) if "host" in cookie else "",
        **({"kind": cookie["storage"]} if cookie["storage"] in LATER_STORAGE else {}),
    }
