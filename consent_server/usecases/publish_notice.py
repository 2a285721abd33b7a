"""Freeze what a site declares into a notice, and publish it when a visitor would see a difference."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent_server import catalogue
from consent_server.canonical import encode, sha256_hex
from consent_server.domain.fairness import button_colours
from consent_server.domain.notice import Notice
from consent_server.domain.receipt import ledger_origin
from consent_server.domain.signals import PURPOSE_SIGNALS
from consent_server.domain.site import Site, SiteKey, Tag
from consent_server.storage import configurations, ledger, notices, sites
from consent_server.storage.session import Database
from consent_server.usecases.configure_widget import configure_widget
from consent_server.widget_build import widget_code
from consent_server.wording import Wording

NOTICE_SCHEMA = "1"


@dataclass(frozen=True, slots=True)
class Published:
    """What an application of a site file did, or would do. `previous` is None for a first notice."""

    site: Site
    notice: str
    previous: str | None
    settings_changed: bool
    colours: Mapping[str, str]

    @property
    def new_notice(self) -> bool:
        """Whether a visitor sees a difference."""
        return self.notice != self.previous


def publish_notice(
    database: Database,
    declared: Mapping[str, Any],
    public_url: str,
    now: datetime,
    check_only: bool = False,
    demo: bool = False,
) -> Published:
    """Apply a site's declaration; with `check_only`, only say what would change.

    `demo` marks a site that is new. The mark is never set on a site that is there, and never taken away.
    """
    body = notice_body(declared)
    notice_bytes = encode(body)
    notice_hash = sha256_hex(notice_bytes)
    with database.reading() if check_only else database.transaction() as session:
        stored = {found.site.key: found for found in sites.every(session)}.get(declared["key"])
        site = _site(declared, stored.site.demo if stored else demo)
        code = widget_code(tag.adapter for tag in site.tags if tag.adapter)
        in_force = notices.in_force(session, stored.id) if stored else None
        previous = in_force.notice.hash if in_force else None
        if not check_only:
            site_id = sites.save(session, site)
            ledger.create(session, site_id, ledger_origin(public_url, site.key))
            notices.archive_widget(session, code.hash, code.archived, now)
            if in_force is None or previous != notice_hash:
                notice_id = notices.publish(session, site_id, notice_hash, notice_bytes, now)
            else:
                notice_id = in_force.id
            # From the bytes, as the server will make it: another order of members is other bytes.
            notice = Notice(notice_hash, json.loads(notice_bytes))
            served = configure_widget(notice, site.key, code.hash, site.tags)
            configurations.archive(session, notice_id, code.hash, served.values(), now)
    changed = stored is None or stored.site != site
    return Published(site, notice_hash, previous, changed, body["colours"])


def _site(declared: Mapping[str, Any], demo: bool) -> Site:
    tags = tuple(
        Tag(
            vendor=vendor["key"],
            adapter=vendor.get("adapter"),
            id=vendor.get("id"),
            conversions={name: f"{vendor['id']}/{label}" for name, label in vendor["conversions"].items()},
        )
        for vendor in declared["vendors"]
    )
    return Site(
        SiteKey(declared["key"]),
        declared["name"],
        tuple(declared["origins"]),
        declared["default_language"],
        declared["proof_retention"],
        declared["time_zone"],
        tags,
        demo,
    )


def notice_body(declared: Mapping[str, Any]) -> dict[str, Any]:
    """All that a visitor of the site is shown, in every language. Nothing here is an id or a setting."""
    vendors = [_vendor(vendor) for vendor in declared["vendors"]]
    purposes = _purposes(declared, vendors)
    return {
        "schema": NOTICE_SCHEMA,
        "site": declared["key"],
        "name": declared["name"],
        "languages": declared["languages"],
        "mode": declared["mode"],
        "choice_days": declared["choice_days"],
        **{key: declared[key] for key in ("cookie_domain",) if key in declared},
        "layout": declared["banner"]["layout"],
        "colours": button_colours(declared["banner"]["colours"]["accent"].lower()),
        "controller": declared["controller"],
        **{key: declared[key] for key in ("dpo", "authority") if key in declared},
        "policy": {name: _policy(policy) for name, policy in declared["policy"].items()},
        "purposes": purposes,
        "vendors": vendors,
        "texts": {language: _texts(language, declared, purposes, vendors) for language in declared["languages"]},
    }


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    versions = [{**version, "date": version["date"].isoformat()} for version in policy["versions"]]
    return {"url": policy["url"], "version": policy["version"], "versions": versions}


def _vendor(vendor: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("key", "name", "purposes", "operator", "other_entities", "declared", "policy_url", "transfer")
    return {
        **{key: vendor[key] for key in shown if key in vendor},
        "cookies": vendor["cookies"],
    }


def _purposes(declared: Mapping[str, Any], vendors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    used = {purpose for vendor in vendors for purpose in vendor["purposes"]}
    own = {key: tuple(purpose["signals"]) for key, purpose in declared["purposes"].items()}
    return [{"key": key, "signals": list(signals)} for key, signals in (PURPOSE_SIGNALS | own).items() if key in used]


def _texts(
    language: str,
    declared: Mapping[str, Any],
    purposes: list[dict[str, Any]],
    vendors: list[dict[str, Any]],
) -> dict[str, Any]:
    locale = catalogue.locales()[language]
    wording = Wording(language)
    own = {key: purpose["texts"][language] for key, purpose in declared["purposes"].items()}
    shown = {purpose["key"]: (locale["purposes"] | own)[purpose["key"]] for purpose in purposes}
    banner = {**locale["banner"], **declared["texts"].get(language, {})}
    banner["intro"] = banner["intro"].format(
        name=declared["name"],
        # Parties, not services: two tags of one company are one recipient.
        vendors=wording.count("vendors", len({vendor["operator"]["name"] for vendor in vendors})),
        purposes=wording.listed([texts["phrase"] for texts in shown.values()]),
        months=wording.choice_lifetime(declared["choice_days"]),
    )
    lifetimes = {cookie["lifetime"] for vendor in vendors for cookie in vendor["cookies"] if "lifetime" in cookie}
    words = {cookie["purpose"] for vendor in vendors for cookie in vendor["cookies"]}
    return {
        "direction": locale["meta"]["direction"],
        "banner": banner,
        "purposes": {key: {"title": t["title"], "text": t["text"]} for key, t in shown.items()},
        "preferences": locale["preferences"],
        "cookie_purposes": {word: locale["cookie_purposes"][word] for word in sorted(words)},
        "transfer": locale["transfer"],
        "lifetimes": {str(seconds): wording.lifetime(seconds) for seconds in sorted(lifetimes)},
    }
