"""A receipt as ISO/IEC TS 27560:2023 has it, in the W3C Data Privacy Vocabulary (docs/formats/receipt.md)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from consent_server.decisions.rules import implied
from consent_server.sites.rules_notice import readable_language
from consent_server.sites.rules_places import members

PROFILE = "https://w3id.org/dpv/schema/dpv-27560#"
DAY = 86_400

PURPOSES = {
    "analytics": "dpv:ServiceUsageAnalytics",
    "advertising": "dpv:TargetedAdvertising",
    "functional": "dpv:ServicePersonalisation",
    "support": "dpv:CommunicationForCustomerCare",
    "media": "dpv:RequestedServiceProvision",
}
# What a purpose of the site's own is a kind of, by the Consent Mode types that it grants.
BROADER = {
    "analytics_storage": "dpv:ServiceUsageAnalytics",
    "ad_storage": "dpv:Advertising",
    "ad_user_data": "dpv:Advertising",
    "ad_personalization": "dpv:PersonalisedAdvertising",
    "functionality_storage": "dpv:ServicePersonalisation",
    "personalization_storage": "dpv:ServicePersonalisation",
}
# Every request to a third party hands these over.
ALWAYS = ("pd:IPAddress", "pd:UserAgent", "pd:BrowsingReferral")
IDENTIFIERS = frozenset({"visitor-id", "ad-click", "ad-delivery", "sign-in"})
# Article number of the GDPR, and the English name of the right.
RIGHTS = (
    ("A7-3", "Withdraw consent"),
    ("A15", "Access"),
    ("A16", "Rectification"),
    ("A17", "Erasure"),
    ("A18", "Restriction of processing"),
    ("A20", "Data portability"),
    ("A21", "Objection"),
    ("A77", "Complaint to a supervisory authority"),
)
EEA = members("EEA")


def dpv_receipt(
    claims: Mapping[str, Any], notice: Mapping[str, Any], notice_at: datetime, context: Mapping[str, Any]
) -> dict[str, Any]:
    """The JSON-LD document of a receipt; `notice_at` is when its notice was first published.

    It says nothing that receipt and notice do not say. The receipt has no address here: its link is a secret.
    """
    notice_url = f"{claims['iss']}/v1/notices/{claims['notice']}"
    controller = f"{notice_url}#controller"
    country = notice["controller"].get("country")
    profiles = ["", "-eu-gdpr"] if country in EEA else [""]
    return {
        "@context": context,
        "@id": f"urn:uuid:{claims['jti']}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": claims["jti"],
        "dct:conformsTo": [f"{PROFILE}receipt{profile}" for profile in profiles],
        "dct:created": _time(claims["iat"]),
        "dct:publisher": controller,
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": {
            "@id": f"urn:uuid:{claims['decision_id']}",
            "@type": "dpv:ConsentRecord",
            "dct:identifier": claims["decision_id"],
            "dct:conformsTo": [f"{PROFILE}record{profile}" for profile in profiles],
            "dpv:hasDataSubject": _subject(claims),
            "dpv:hasDataController": _controller(controller, notice["controller"]),
            **({"dpv:hasJurisdiction": f"loc:{country}"} if country else {}),
            **({"dpv:hasApplicableLaw": "legal-eu:law-GDPR"} if country in EEA else {}),
            "dpv:hasNotice": _notice(notice_url, claims, notice, notice_at),
            "dpv:hasProcess": list(_processes(claims, notice, notice_url, controller)),
            "dpv:hasConsentControl": {
                "@type": ["dpv:WithdrawConsent", "dpv:ProvideConsent"],
                "dpv:isExercisedAt": claims["withdraw"],
            },
            "dpv:hasRight": [_right(article, title, claims, notice) for article, title in RIGHTS],
        },
    }


def _notice(iri: str, claims: Mapping[str, Any], notice: Mapping[str, Any], notice_at: datetime) -> dict[str, Any]:
    return {
        "@id": iri,
        "@type": "dpv:ConsentNotice",
        "dct:date": f"{notice_at:%Y-%m-%d}",
        "dct:language": claims["language"],
        "dct:coverage": f"{notice_at:%Y-%m-%d}/P{notice['choice_days']}D",
    }


def _subject(claims: Mapping[str, Any]) -> dict[str, Any]:
    # A visitor who refuses has no identifier, so here stands somebody without a name.
    named = {"@id": f"urn:uuid:{claims['sub']}"} if "sub" in claims else {}
    return {**named, "skos:broader": "dpv:Consumer"}


def _controller(iri: str, controller: Mapping[str, Any]) -> dict[str, Any]:
    registration = controller.get("registration")
    return {
        "@id": iri,
        "@type": "dpv:DataController",
        "dpv:hasName": controller["name"],
        "dpv:hasAddress": _address(controller),
        "dpv:hasContact": controller["contact"],
        **({"dct:identifier": registration} if registration else {}),
    }


def _address(party: Mapping[str, Any]) -> dict[str, Any]:
    country = party.get("country")
    return {
        "@type": "schema:PostalAddress",
        "schema:streetAddress": party["address"],
        **({"schema:addressCountry": country} if country else {}),
    }


def _processes(
    claims: Mapping[str, Any], notice: Mapping[str, Any], notice_url: str, controller: str
) -> Iterator[dict[str, Any]]:
    """One for each purpose that was answered, and one for each vendor that was answered otherwise than its purposes."""
    exceptions = [vendor for vendor in notice["vendors"] if _is_exception(vendor, claims)]
    objections = claims.get("objections", {}).get("purposes", {})
    for purpose in notice["purposes"]:
        if purpose["key"] in objections:
            serving = [vendor for vendor in notice["vendors"] if purpose["key"] in vendor["purposes"]]
            process = _process(claims, notice, notice_url, controller, purpose, serving, granted=False)
            yield _objectable(process, objections[purpose["key"]])
            continue
        asked = [vendor for vendor in notice["vendors"] if purpose["key"] in vendor["purposes"]]
        followed = [vendor for vendor in asked if vendor not in exceptions]
        if (granted := claims["grants"].get(purpose["key"])) is not None:
            yield _process(claims, notice, notice_url, controller, purpose, followed, granted)
        for vendor in asked:
            if vendor in exceptions:
                granted = claims["vendors"][vendor["key"]]
                alone = _process(claims, notice, notice_url, controller, purpose, [vendor], granted)
                yield alone | {
                    "@id": f"{alone['@id']}-{vendor['key']}",
                    "dct:title": f"{alone['dct:title']}: {vendor['name']}",
                }


def _objectable(process: dict[str, Any], objected: bool) -> dict[str, Any]:
    """A process that runs until somebody objects: no consent, given or refused, is said of it, and no basis made up."""
    said = {key: value for key, value in process.items() if key not in ("dpv:hasConsentStatus", "dpv:hasLegalBasis")}
    return said | {
        "dpv:hasRight": "eu-gdpr:A21",
        "dct:description": "The visitor objected." if objected else "The visitor was told, and did not object.",
    }


def _is_exception(vendor: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    answered = claims["vendors"].get(vendor["key"])
    return answered is not None and answered is not implied(claims["grants"], vendor["purposes"])


def _process(
    claims: Mapping[str, Any],
    notice: Mapping[str, Any],
    notice_url: str,
    controller: str,
    purpose: Mapping[str, Any],
    vendors: Sequence[Mapping[str, Any]],
    granted: bool,
) -> dict[str, Any]:
    cookies = [cookie for vendor in vendors for cookie in vendor["cookies"]]
    texts = notice["texts"][readable_language(notice, claims["language"])]["purposes"][purpose["key"]]
    identified = any(cookie["purpose"] in IDENTIFIERS for cookie in cookies)
    return {
        "@id": f"urn:uuid:{claims['decision_id']}#{purpose['key']}",
        "@type": "dpv:Process",
        "dct:title": texts["title"],
        "dpv:hasPurpose": _purpose(purpose, texts, notice_url),
        "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
        "dpv:hasPersonalData": [*ALWAYS, "pd:BrowsingBehaviour", *(["pd:UID"] if identified else [])],
        "dpv:hasRecipient": [controller, *(_recipient(vendor, notice_url) for vendor in vendors)],
        **({"dpv:hasStorageCondition": list(_storage(cookies))} if cookies else {}),
        "dpv:hasConsentStatus": [_status(claims, notice, purpose, granted)],
    }


def _purpose(purpose: Mapping[str, Any], texts: Mapping[str, str], notice_url: str) -> str | dict[str, Any]:
    if purpose["key"] in PURPOSES:
        return PURPOSES[purpose["key"]]
    broader = sorted({BROADER[signal] for signal in purpose["signals"] if signal in BROADER})
    own = {"@id": f"{notice_url}#purpose-{purpose['key']}", "dct:title": texts["title"]}
    return own | ({"skos:broader": broader} if broader else {})


def _recipient(vendor: Mapping[str, Any], notice_url: str) -> dict[str, Any]:
    return {
        "@id": f"{notice_url}#vendor-{vendor['key']}",
        "dct:title": vendor["name"],
        "dpv:hasName": vendor["operator"]["name"],
        "dpv:hasAddress": _address(vendor["operator"]),
        "schema:url": vendor["policy_url"],
    }


def _storage(cookies: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Where and how long, of what is stored on the visitor's device: of nothing else does the notice speak."""
    yield {"@type": "dpv:StorageLocation", "dpv:hasLocation": "dpv:WithinDevice"}
    longest = max((cookie["lifetime"] for cookie in cookies if "lifetime" in cookie), default=0)
    if longest:
        yield {"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{-(-longest // DAY)}D"}
    endings = {"session": "End of the browser session", "none": "Deletion by the visitor or at a withdrawal"}
    for expiry in sorted({cookie["expiry"] for cookie in cookies if "expiry" in cookie}):
        until = {"@type": "dpv:UntilEventDuration", "rdf:value": endings[expiry]}
        yield {"@type": "dpv:StorageDuration", "dpv:hasDuration": until}


def _status(
    claims: Mapping[str, Any], notice: Mapping[str, Any], purpose: Mapping[str, Any], granted: bool
) -> dict[str, Any]:
    return {
        "@type": ["dpv:ConsentGiven", "dpv:ExpressedConsent"] if granted else _denial(claims, purpose),
        "dpv:isIndicatedBy": "dpv:DataSubject",
        "dpv:hasIndicationMethod": f"{claims['method']}: {claims['action']}",
        "dpv:isIndicatedAtTime": _time(claims["iat"]),
        "dpv:hasDuration": f"P{notice['choice_days']}D",
    }


def _denial(claims: Mapping[str, Any], purpose: Mapping[str, Any]) -> str:
    """A withdrawal where the act was one. Of a changed choice one receipt alone cannot tell what stood before."""
    by_signal = claims["action"] == "gpc" and any(signal.startswith("ad_") for signal in purpose["signals"])
    return "dpv:ConsentWithdrawn" if claims["action"] == "withdraw" or by_signal else "dpv:ConsentRefused"


def _right(article: str, title: str, claims: Mapping[str, Any], notice: Mapping[str, Any]) -> dict[str, Any]:
    places = {"A7-3": claims["withdraw"], "A77": notice.get("authority", {}).get("url")}
    return {
        "@type": ["dpv:DataSubjectRight", f"eu-gdpr:{article}"],
        "dct:title": title,
        "dpv:isExercisedAt": places.get(article) or claims["policy"]["privacy"]["url"],
    }


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
