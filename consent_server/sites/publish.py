"""Freeze what a site declares into a notice, and publish it when a visitor would see a difference."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent_server.core.canonical import encode
from consent_server.core.database import Database, Session
from consent_server.core.hashes import sha256_hex
from consent_server.sites import catalogue
from consent_server.sites import store as sites
from consent_server.sites import store_changes as changes
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_files as site_files
from consent_server.sites import store_ledgers as ledgers
from consent_server.sites import store_notices as notices
from consent_server.sites.configure_widget import configure_widget
from consent_server.sites.plan_publication import plan_publication
from consent_server.sites.rules_colours import Correction, banner_colours
from consent_server.sites.rules_consent_mode import google_settings, regional_grants
from consent_server.sites.rules_notice import LATER_STORAGE, Notice, on_before
from consent_server.sites.rules_origin import Reading
from consent_server.sites.rules_places import Rule
from consent_server.sites.rules_plan import PlanOutdated, PublicationPlan
from consent_server.sites.rules_regions import Region
from consent_server.sites.rules_signals import PURPOSE_SIGNALS
from consent_server.sites.rules_site import CONTROL, Site, SiteKey, Tag, ledger_origin
from consent_server.sites.rules_titles import title_of_region
from consent_server.sites.run_experiment import Arm, ExperimentPlan, check_promotion, plan_experiment, run_experiment
from consent_server.sites.site_file import arm_of
from consent_server.sites.site_regions import conditions, declared_in, regions
from consent_server.sites.standing_grants import StandingGrants
from consent_server.sites.widget_code import widget_code_of
from consent_server.sites.word_rule import SHOWN, beside_the_question, without_a_question
from consent_server.sites.wording import Wording, isolated

NOTICE_SCHEMA = "1"
# What stands in a notice only where a site says it: so a new token here makes no new notice of an old site file.
LOOKS = {"corner": "start", "scheme": "auto", "font": "system", "radius": 9, "logo": None}


@dataclass(frozen=True, slots=True)
class PublishedRegion:
    """What is shown in a region, what was before, and what the operator has to see to."""

    region: Region
    notice: Arm
    previous: str | None
    conditions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Published:
    """What an application of a site file did, or would do."""

    site: Site
    plan: PublicationPlan
    settings_changed: bool
    corrections: Sequence[Correction]
    readings: Sequence[Reading]
    experiment: ExperimentPlan
    regions: Sequence[PublishedRegion] = ()

    @property
    def notice(self) -> str:
        """The hash of the notice in force."""
        return self.plan.notice

    @property
    def new_notice(self) -> bool:
        """Whether a visitor sees a difference."""
        return self.plan.is_new


def publish_notice(
    database: Database,
    declared: Mapping[str, Any],
    public_url: str,
    now: datetime,
    check_only: bool = False,
    demo: bool = False,
    undo_promotion: bool = False,
    title: str | None = None,
    standing: StandingGrants | None = None,
    text: str | None = None,
    who: str | None = None,
    seen: str | None = None,
) -> Published:
    """Apply a site's declaration; with `check_only`, only say what would change.

    `demo` marks a site that is new. The mark is never set on a site that is there, and never taken away. With
    `undo_promotion`, also a declaration that sets back what a promoted arm changed. `title` is what a new notice is
    called, else what it changed; `text` is the file that says all this, and `who` published it in the console. `seen`
    is the state (store_files.py) that a plan was made for. Raises InvalidSiteFile for arms that show the same,
    ExperimentConflict, and PlanOutdated where the site is no longer in that state.
    """
    body = notice_body(declared)
    notice_bytes = encode(body)
    notice = Notice(sha256_hex(notice_bytes), body)
    with database.reading() if check_only else database.transaction() as session:
        stored = sites.find(session, declared["key"]) if check_only else sites.hold(session, declared["key"])
        if seen is not None and site_files.state(session, stored) != seen:
            raise PlanOutdated
        site = site_of(declared, stored.site.demo if stored else demo)
        if stored and not undo_promotion:
            check_promotion(session, stored.id, notice)
        experiment = plan_experiment(session, stored.id if stored else None, *_experiment(declared, body))
        regional = list(_regions(session, stored.id if stored else None, declared))
        shown_there = {one.region.key: one.notice.notice for one in regional}
        plan = plan_publication(session, stored, site, notice, title, standing, shown_there)
        if not check_only:
            site_id = sites.save(session, site)
            ledgers.create(session, site_id, ledger_origin(public_url, site.key))
            if plan.is_new:
                notice_id = notices.store(session, site_id, notice.hash, notice_bytes, now)
                notices.publish(session, site_id, notice_id, now, plan.title)
            run_experiment(session, site_id, experiment, now)
            shown = experiment.arms or _arms(declared, body)
            _archive(session, site_id, site, shown, public_url, now, arms=experiment.key is not None)
            for one in regional:
                _archive(session, site_id, site, [one.notice], public_url, now)
                if one.previous != one.notice.notice.hash:
                    notice_id = notices.store(session, site_id, one.notice.notice.hash, one.notice.stored_as, now)
                    notices.publish(session, site_id, notice_id, now, title_of_region(one.region), one.region.key)
            site_files.keep(session, site_id, text, now, who)
            changes.record(session)
    changed = stored is None or stored.site != site
    _, corrections = banner_colours(declared["banner"]["colours"])
    return Published(site, plan, changed, corrections, declared["readings"], experiment, regional)


def _archive(
    session: Session,
    site_id: int,
    site: Site,
    shown: Sequence[Arm],
    public_url: str,
    now: datetime,
    arms: bool = False,
) -> None:
    """Keep the code that shows these notices, and what it is called with."""
    adapters = (tag.adapter for tag in site.tags if tag.adapter)
    code = widget_code_of((arm.notice for arm in shown), adapters, arms)
    notices.archive_widget(session, code.hash, code.archived, now)
    for arm in shown:
        notice_id = notices.store(session, site_id, arm.notice.hash, arm.stored_as, now)
        served = configure_widget(arm.notice, site, code.hash, public_url)
        configurations.archive(session, notice_id, code.hash, served.values(), now)


def _regions(session: Session, site_id: int | None, declared: Mapping[str, Any]) -> Iterator[PublishedRegion]:
    before = notices.regions_in_force(session, site_id) if site_id is not None else {}
    for region, said in zip(regions(declared), declared["regions"], strict=True):
        shown = _arm(region.key, 100, notice_body(declared_in(declared, said)))
        yield PublishedRegion(region, shown, before.get(region.key, (0, None))[1], conditions(declared, said))


def _experiment(declared: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str | None, list[Arm]]:
    return (declared["experiment"]["key"], _arms(declared, body)) if "experiment" in declared else (None, [])


def _arms(declared: Mapping[str, Any], body: Mapping[str, Any]) -> list[Arm]:
    """All that a site shows: its own notice, which has what the others leave of 100 views."""
    others = declared.get("experiment", {}).get("arms", [])
    rest = 100 - sum(arm["weight"] for arm in others)
    own = [(arm["name"], arm["weight"], notice_body(arm_of(declared, arm))) for arm in others]
    return [_arm(*one) for one in [(CONTROL, rest, body), *own]]


def _arm(name: str, weight: int, body: Mapping[str, Any]) -> Arm:
    stored_as = encode(body)
    # From the bytes, as the server will make it: another order of members is other bytes.
    return Arm(name, weight, Notice(sha256_hex(stored_as), json.loads(stored_as)), stored_as)


def site_of(declared: Mapping[str, Any], demo: bool) -> Site:
    """What the server needs to know of the site that a file declares."""
    tags = tuple(map(_tag, declared["vendors"]))
    return Site(
        SiteKey(declared["key"]),
        declared["name"],
        tuple(declared["origins"]),
        declared["default_language"],
        declared["proof_retention"],
        declared["time_zone"],
        tags,
        demo,
        google_settings(declared),
        declared["statistics"]["sample"],
        regions(declared),
        declared["statistics"]["weekly_mail"],
    )


def _tag(vendor: Mapping[str, Any]) -> Tag:
    return Tag(
        vendor=vendor["key"],
        adapter=vendor.get("adapter"),
        ids=tuple(vendor["ids"]),
        conversions={name: tuple(sent_to) for name, sent_to in vendor["conversions"].items()},
        # Those of the catalogue are read where they are used.
        hosts=() if vendor["key"] in catalogue.vendors() else tuple(vendor.get("hosts", ())),
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
        **({"rule": rule} if (rule := declared.get("rule", Rule.OPT_IN)) != Rule.OPT_IN else {}),
        **({"regional_grants": granted} if (granted := regional_grants(declared)) else {}),
        "choice_days": declared["choice_days"],
        **{key: declared[key] for key in ("cookie_domain",) if key in declared},
        "layout": declared["banner"]["layout"],
        "colours": banner_colours(declared["banner"]["colours"])[0],
        **{token: value for token, value in declared["banner"].items() if value != LOOKS.get(token, value)},
        "controller": declared["controller"],
        **{key: declared[key] for key in ("dpo", "authority") if key in declared},
        "policy": {name: _policy(policy, declared) for name, policy in declared["policy"].items()},
        "purposes": purposes,
        "vendors": vendors,
        **({"recipients": declared["recipients"]} if declared["recipients"] else {}),
        "texts": {language: _texts(language, declared, purposes, vendors) for language in declared["languages"]},
    }


def _policy(policy: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    url = policy["url"]
    if not isinstance(url, str):
        # Each language's own, so that a notice is read without the site's settings.
        url = {language: url.get(language, url.get(declared["default_language"])) for language in declared["languages"]}
    versions = [{**version, "date": version["date"].isoformat()} for version in policy["versions"]]
    return {"url": url, "version": policy["version"], "versions": versions}


def _vendor(vendor: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("key", "name", "purposes", "operator", "other_entities", "declared", "policy_url", "transfer")
    return {
        **{key: vendor[key] for key in shown if key in vendor},
        "cookies": vendor["cookies"],
    }


def _purposes(declared: Mapping[str, Any], vendors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    used = {purpose for vendor in vendors for purpose in vendor["purposes"]}
    own = {key: tuple(purpose["signals"]) for key, purpose in declared["purposes"].items()}
    return [_purpose(key, signals, declared) for key, signals in (PURPOSE_SIGNALS | own).items() if key in used]


def _purpose(key: str, signals: Sequence[str], declared: Mapping[str, Any]) -> dict[str, Any]:
    if key in declared.get("objections", ()):
        # No type of Consent Mode is granted by what nobody consents to.
        return {"key": key, "signals": [], "basis": "objection"}
    return {"key": key, "signals": list(signals)}


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
    if declared["mode"] != "advanced":
        del banner["advanced"]
    before = on_before({**declared, "purposes": purposes})
    asked = [key for key in shown if key not in before] or [*shown]
    if before == shown.keys():
        banner = without_a_question(language, declared, banner)
    elif before:
        banner = beside_the_question(language, [shown[key]["phrase"] for key in shown if key in before], banner)
    banner["intro"] = banner["intro"].format(
        name=isolated(declared["name"], locale["meta"]["direction"]),
        # Parties, not services: two tags of one company are one recipient.
        vendors=wording.count("vendors", len({v["operator"]["name"] for v in vendors if {*asked} & {*v["purposes"]}})),
        purposes=wording.listed([shown[key]["phrase"] for key in asked]),
        months=wording.choice_lifetime(declared["choice_days"]),
        reopen=banner["reopen"],
    )
    lifetimes = {cookie["lifetime"] for vendor in vendors for cookie in vendor["cookies"] if "lifetime" in cookie}
    words = {cookie["purpose"] for vendor in vendors for cookie in vendor["cookies"]}
    kinds = {cookie["storage"] for vendor in vendors for cookie in vendor["cookies"]}
    unused = {f"storage_{kind}" for kind in LATER_STORAGE if kind not in kinds}
    return {
        "direction": locale["meta"]["direction"],
        "banner": banner,
        "purposes": {key: {"title": t["title"], "text": t["text"]} for key, t in shown.items()},
        "preferences": {key: text for key, text in locale["preferences"].items() if key not in unused},
        "cookie_purposes": {word: locale["cookie_purposes"][word] for word in sorted(words)},
        "transfer": locale["transfer"],
        "lifetimes": {str(seconds): wording.lifetime(seconds) for seconds in sorted(lifetimes)},
        **({"rules": {key: locale["rules"][key] for key in SHOWN}} if before else {}),
    }
