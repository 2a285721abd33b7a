"""ISO/IEC TS 27560 in DPV: the decision in the form of a standard; and the notice as a page."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from pyld import jsonld

from consent_server.core.canonical import decode_strict
from tests.support.factories import FULL, TOP, VENDORS, Body, site_file
from tests.support.sites import Apply
from tests.support.visitor import post

DPV, PD, LOC = "https://w3id.org/dpv#", "https://w3id.org/dpv/pd#", "https://w3id.org/dpv/loc#"
GDPR, EU = "https://w3id.org/dpv/legal/eu/gdpr#", "https://w3id.org/dpv/legal/eu#"
# The terms that W3C's guide to ISO/IEC TS 27560 uses, and those of DPV 2.3 for the purposes of a cookie notice.
TERMS = {
    DPV: """ConsentReceipt ConsentRecord ConsentNotice ConsentGiven ConsentRefused ConsentWithdrawn ExpressedConsent
        Consumer DataSubject DataController DataSubjectRight Process ProvideConsent WithdrawConsent StorageDuration
        StorageLocation UntilEventDuration WithinDevice ServiceUsageAnalytics TargetedAdvertising
        PersonalisedAdvertising Advertising CommunicationForCustomerCare ServicePersonalisation
        RequestedServiceProvision hasRecordOfActivity hasDataSubject hasDataController hasName hasAddress hasContact
        hasJurisdiction hasApplicableLaw hasNotice hasProcess hasPurpose hasLegalBasis hasPersonalData hasRecipient
        hasStorageCondition hasLocation hasDuration hasConsentStatus isIndicatedBy hasIndicationMethod
        isIndicatedAtTime hasConsentControl isExercisedAt hasRight""",
    PD: "IPAddress UID UserAgent BrowsingBehaviour BrowsingReferral",
    GDPR: "A6-1-a A7-3 A15 A16 A17 A18 A20 A21 A77",
    EU: "law-GDPR",
}
NAMED = {prefix + name for prefix, names in TERMS.items() for name in names.split()}
RECEIPT = {"@id", "@type", "dct:identifier", "dct:conformsTo", "dct:created", "dct:publisher", "schema:recipient"}
RECORD = {
    "@id", "@type", "dct:identifier", "dct:conformsTo", "dpv:hasDataSubject", "dpv:hasDataController", "dpv:hasNotice",
    "dpv:hasProcess", "dpv:hasConsentControl", "dpv:hasRight",
}  # fmt: skip
OWN = """
[[vendors]]
key = "heatmaps"
name = "Heatmaps"
purposes = ["layout-tests"]
policy_url = "https://heatmaps.example/privacy"
operator = { name = "Heatmaps BV", address = "1 Gracht, Amsterdam", country = "NL" }
cookies = [{ name = "heat_id", storage = "local", expiry = "none", purpose = "visitor-id" }]
[purposes.layout-tests]
signals = ["analytics_storage"]
[purposes.layout-tests.texts.en]
title = "Layout tests"
phrase = "layout tests"
text = "Compares two layouts."
[purposes.layout-tests.texts.fr]
title = "Essais de mise en page"
phrase = "essais de mise en page"
text = "Compare deux mises en page."
"""


def no_network(url: str, *_: Any) -> None:
    raise AssertionError(f"{url} was fetched")


def expanded(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = jsonld.expand(document, {"documentLoader": no_network})
    return found


def iris(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from iris(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("@id", "@type"):
                yield from [value] if isinstance(value, str) else value
            elif not key.startswith("@"):
                yield key
                yield from iris(value)


def form(client: FlaskClient, sent: dict[str, Any], query: str = "?format=jsonld") -> Any:
    link = urlsplit(post(client, sent).get_json()["receipt_url"]).path
    return client.get(f"{link}{query}")


def record(client: FlaskClient, sent: dict[str, Any]) -> dict[str, Any]:
    document = form(client, sent)
    assert document.status_code == 200
    found: dict[str, Any] = decode_strict(document.data)["dpv:hasRecordOfActivity"]
    return found


def statuses(found: dict[str, Any]) -> dict[str, Any]:
    return {one["dct:title"]: one["dpv:hasConsentStatus"][0]["@type"] for one in found["dpv:hasProcess"]}


@pytest.mark.parametrize("action", ["accept_all", "refuse_all", "save", "withdraw", "gpc"])
def test_it_expands_to_defined_terms_alone(client: FlaskClient, body: Body, action: str) -> None:
    granted = {"accept_all": [True, True], "save": [True, False]}.get(action, [False, False])
    response = form(client, body.choice(*granted, action=action, language="fr"))
    assert response.mimetype == "application/ld+json"
    document = decode_strict(response.data)
    [node] = expanded(document)
    assert node["@type"] == [f"{DPV}ConsentReceipt"]
    foreign = {
        iri
        for iri in iris(node)
        if iri.startswith("https://w3id.org/dpv") and iri not in NAMED and "/schema/dpv-27560#" not in iri
    }
    assert {iri for iri in foreign if not re.fullmatch(f"{LOC}[A-Z]{{2}}", iri)} == set()
    assert not any(iri.startswith(("dpv:", "pd:", "eu-gdpr:", "loc:")) for iri in iris(node))


def test_it_has_the_structure_of_the_guide(client: FlaskClient, body: Body) -> None:
    sent = body.choice(True, False)
    document = form(client, sent).get_json()
    assert document.keys() >= RECEIPT
    found = document["dpv:hasRecordOfActivity"]
    assert found.keys() >= RECORD
    assert found["dct:identifier"] == sent["decision_id"]
    assert found["dpv:hasNotice"]["@id"].endswith(f"/v1/notices/{body.notice}")
    assert found["dpv:hasNotice"]["dct:date"] == "2026-11-23"
    assert found["dpv:hasConsentControl"]["dpv:isExercisedAt"] == "https://shop.example/pricing#consent"
    assert found["dpv:hasDataController"]["dpv:hasName"] == "Example Shop Ltd"
    for process in found["dpv:hasProcess"]:
        assert {"dpv:hasPurpose", "dpv:hasLegalBasis", "dpv:hasPersonalData", "dpv:hasRecipient"} <= process.keys()
        [status] = process["dpv:hasConsentStatus"]
        assert status["dpv:isIndicatedAtTime"] == "2026-11-23T17:00:00Z"
        assert status["dpv:hasDuration"] == "P180D"
    analytics = found["dpv:hasProcess"][0]
    assert analytics["dpv:hasPurpose"] == "dpv:ServiceUsageAnalytics"
    assert [one["dpv:hasName"] for one in analytics["dpv:hasRecipient"][1:]] == ["Google Ireland Limited"]


def test_the_link_of_the_visitor_is_not_in_it(client: FlaskClient, body: Body) -> None:
    said = post(client, body()).get_json()
    link = urlsplit(said["receipt_url"]).path
    assert link.rpartition(".")[2] not in client.get(link, headers={"Accept": "application/ld+json"}).text


def test_a_grant_and_a_refusal(client: FlaskClient, body: Body) -> None:
    assert statuses(record(client, body.choice(True, False))) == {
        "Audience measurement": ["dpv:ConsentGiven", "dpv:ExpressedConsent"],
        "Advertising": "dpv:ConsentRefused",
    }


def test_a_withdrawal_and_a_signal(client: FlaskClient, body: Body) -> None:
    gone = statuses(record(client, body.choice(False, False, action="withdraw", change=True)))
    assert set(gone.values()) == {"dpv:ConsentWithdrawn"}
    kept = statuses(record(client, body.choice(True, False, action="gpc", method="signal", change=True, gpc=True)))
    assert kept["Advertising"] == "dpv:ConsentWithdrawn"
    assert kept["Audience measurement"] == ["dpv:ConsentGiven", "dpv:ExpressedConsent"]


def test_a_refusal_names_nobody(client: FlaskClient, body: Body) -> None:
    assert record(client, body.refusal())["dpv:hasDataSubject"] == {"skos:broader": "dpv:Consumer"}


def test_a_vendor_that_was_answered_otherwise_stands_alone(client: FlaskClient, body: Body) -> None:
    found = record(client, body.choice(True, True, vendors={"meta-pixel": False}))
    assert statuses(found)["Advertising: Meta pixel"] == "dpv:ConsentRefused"
    together = next(one for one in found["dpv:hasProcess"] if one["dct:title"] == "Advertising")
    assert "Meta" not in json.dumps(together)


def test_the_country_decides_jurisdiction_and_law(client: FlaskClient, apply_site: Apply, body: Body) -> None:
    assert not {"dpv:hasJurisdiction", "dpv:hasApplicableLaw"} & record(client, body()).keys()
    for country, law in (("IE", "legal-eu:law-GDPR"), ("US", None)):
        notice = apply_site(site_file(tables=FULL.replace('"IE"', f'"{country}"')))
        found = record(client, Body(notice)())
        assert found["dpv:hasJurisdiction"] == f"loc:{country}"
        assert found.get("dpv:hasApplicableLaw") == law


def test_a_purpose_of_the_sites_own(client: FlaskClient, apply_site: Apply) -> None:
    notice = apply_site(site_file(vendors=VENDORS + OWN))
    sent = Body(notice)(grants={"analytics": True, "advertising": True, "layout-tests": True})
    document = form(client, sent).get_json()
    expanded(document)
    process = document["dpv:hasRecordOfActivity"]["dpv:hasProcess"][-1]
    assert process["dpv:hasPurpose"]["dct:title"] == "Layout tests"
    assert process["dpv:hasPurpose"]["skos:broader"] == ["dpv:ServiceUsageAnalytics"]
    assert "pd:UID" in process["dpv:hasPersonalData"]


# The notice as a page


def test_a_notice_is_bytes_unless_a_page_is_wanted(client: FlaskClient, notice: str) -> None:
    path = f"/v1/notices/{notice}"
    plain = client.get(path)
    assert plain.mimetype == "application/json"
    assert client.get(path, headers={"Accept": "*/*"}).data == plain.data
    page = client.get(f"{path}?lang=fr", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert "Accept" in page.vary
    body = plain.get_json()
    for said in (body["texts"]["fr"]["banner"]["title"], "_ga_*", "Meta pixel", "Google Ireland Limited", notice):
        assert said in page.text
    for part in ("banner", "preferences"):
        for text in body["texts"]["fr"][part].values():
            assert text.replace("'", "&#39;") in page.text
    assert client.get(f"{path}?format=json", headers={"Accept": "text/html"}).data == plain.data


def test_a_preview_is_the_archived_code_and_the_notice(client: FlaskClient, notice: str, apply_site: Apply) -> None:
    page = client.get(f"/v1/notices/{notice}?format=html").text
    widget = re.search(r"/preview\?lang=en&amp;widget=([0-9a-f]{64})", page)
    assert widget
    apply_site(site_file(TOP.replace('name = "Example Shop"', 'name = "Renamed"')))
    base = f"/v1/notices/{notice}/preview"
    frame = client.get(f"{base}?lang=fr&widget={widget[1]}")
    assert "sandbox allow-scripts" in frame.headers["Content-Security-Policy"]
    assert "connect-src 'none'" in frame.headers["Content-Security-Policy"]
    code = client.get(f"/v1/widgets/{widget[1]}").text.split("\n")
    for script, line in (("shop.js", code[0]), ("shop/preferences.js", code[1]), ("shop/details.js", code[2])):
        text = client.get(f"{base}/{widget[1]}/widget/{script}?lang=fr").text
        assert text.split("\n")[0] == f"{line}("
        assert json.loads(text.split("\n")[1])["notice"] == notice
    assert client.get(f"{base}/{'0' * 64}/widget/shop.js").status_code == 404
    assert client.get(f"{base}/{widget[1]}/widget/rival.js").status_code == 404
    assert client.get(f"/v1/notices/{'0' * 64}/preview").status_code == 404
