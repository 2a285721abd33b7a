"""Receipts of an earlier version: verified, and shown in every form as before."""

import json
import re
from html import unescape
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from .conftest import LAST, Kept, Server

NAMES = sorted(path.stem for path in (LAST / "receipts").glob("*.json") if "." not in path.stem)
ERASED = sorted(path.stem for path in (LAST / "receipts").glob("erased*.jws"))
FORMS = {"json": "application/json", "jsonld": "application/ld+json", "jws": "application/jose"}


def link_of(kept: Kept, name: str) -> str:
    return str(kept.receipts[name]["answer"]["receipt_url"])


def outcome(answer: dict[str, Any]) -> dict[str, bool]:
    return {check["name"]: check["ok"] for check in answer["checks"]}


def test_the_folder_holds_each_kind_of_receipt(kept: Kept) -> None:
    claims = [kept.json(f"receipts/{name}.json") for name in NAMES]
    assert {one["action"] for one in claims} == {"accept_all", "refuse_all", "save", "withdraw", "gpc"}
    assert {one["change"] for one in claims} == {one["gpc"] for one in claims} == {True, False}
    assert len({one["notice"] for one in claims}) == 6
    headers = [jwt.decode(kept.text(f"receipts/{name}.jws"), keys(kept), algorithms=["EdDSA"]).header for name in NAMES]
    assert len({header["kid"] for header in headers}) == 2


def keys(kept: Kept) -> KeySet:
    return KeySet.import_key_set(kept.json("keys/jwks.json"))


@pytest.mark.parametrize("name", [*NAMES, *ERASED])
def test_a_receipt_verifies_offline(server: Server, kept: Kept, name: str) -> None:
    receipt, jwks = kept.folder / "receipts" / f"{name}.jws", kept.folder / "keys" / "jwks.json"
    for printed in (server.run("receipt", "verify", receipt), server.run("receipt", "verify", receipt, "--jwks", jwks)):
        assert printed[0] == 0, printed
        assert dict(re.findall("^(?:ok|FAIL) +([a-z]+): (.*)$", printed[1], re.M)).keys() == {"key", "signature"}


def test_receipts_verify_on_each_database(own_server: Server, kept: Kept) -> None:
    for name in NAMES:
        answer = own_server.post("/v1/receipts/verify", json={"receipt": kept.text(f"receipts/{name}.jws")}).get_json()
        assert answer["claims"] == kept.json(f"receipts/{name}.json")
        assert answer["valid"] is True, name
        assert set(outcome(answer).items()) == {(check, True) for check in ("key", "signature", "record", "inclusion")}


@pytest.mark.parametrize("name", ERASED)
def test_an_erased_receipt_is_gone_and_still_verifies(server: Server, kept: Kept, name: str) -> None:
    receipt = kept.text(f"receipts/{name}.jws")
    answer = server.post("/v1/receipts/verify", json={"receipt": receipt}).get_json()
    assert {"key": True, "signature": True, "record": False}.items() <= outcome(answer).items()
    assert server.get(link_of(kept, name)).status_code == 410


@pytest.mark.parametrize("name", NAMES)
def test_a_link_opens_each_form_as_before(server: Server, kept: Kept, name: str) -> None:
    for form, content_type in FORMS.items():
        for url, headers in ((f"?format={form}", {}), ("", {"Accept": content_type})):
            response = server.get(link_of(kept, name) + url, **headers)
            assert response.status_code == 200
            assert response.mimetype == content_type
            before = kept.text(f"receipts/{name}.{form}")
            assert response.text == before if form == "jws" else response.get_json() == json.loads(before)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_the_same_facts(server: Server, kept: Kept, name: str) -> None:
    claims = kept.json(f"receipts/{name}.json")
    page = server.get(link_of(kept, name), Accept="text/html").text
    shown = unescape(re.sub("<[^>]+>", " ", page))
    facts = [claims["jti"], claims["page"], claims["notice"], *claims["controller"].values()]
    facts += [policy["version"] for policy in claims["policy"].values()]
    facts += [policy["url"] for policy in claims["policy"].values()]
    assert [fact for fact in facts if fact not in shown] == []
    assert claims.get("sub", claims["jti"]) in shown
    assert states(page, "grants") == claims["grants"]
    assert states(page, "vendors") == claims["vendors"]
    notice = server.get(f"/v1/notices/{claims['notice']}").get_json()
    texts = notice["texts"][claims["language"]]["purposes"]
    titles = [texts[purpose]["title"] for purpose in claims["grants"]]
    titles += [vendor["name"] for vendor in notice["vendors"]]
    assert [title for title in titles if title not in shown] == []
    if name != "unsealed":
        assert f" {kept.json(f'receipts/{name}.proof.json')['leaf_index']} " in shown


def states(page: str, of: str) -> dict[str, bool]:
    """What the page says of each purpose or vendor."""
    found = re.findall(f'data-of="{of}" data-key="([^"]+)".*?class="state (granted|denied)"', page, re.S)
    return {key: state == "granted" for key, state in found}


def test_a_link_to_what_was_asked_to_be_erased_says_so(server: Server, kept: Kept) -> None:
    page = server.get(link_of(kept, "french"), Accept="text/html").text
    assert "/erasure" not in page
    assert "/erasure" in server.get(link_of(kept, "accept_all"), Accept="text/html").text


@pytest.mark.parametrize("name", [name for name in NAMES if name != "unsealed"])
def test_a_proof_still_holds(server: Server, kept: Kept, name: str) -> None:
    before = kept.json(f"receipts/{name}.proof.json")
    proof = server.get(f"{link_of(kept, name)}/proof").get_json()
    assert proof == before


@pytest.mark.parametrize("name", NAMES)
def test_a_state_verifies_with_the_published_keys(server: Server, kept: Kept, name: str) -> None:
    state, claims = kept.receipts[name]["answer"]["state"], kept.json(f"receipts/{name}.json")
    if "sub" not in claims:
        assert state is None
        return
    published = KeySet.import_key_set(server.get("/.well-known/jwks.json").get_json())
    token = jwt.decode(state, published, algorithms=["EdDSA"])
    assert token.header["typ"] == "consent-state+jwt"
    given = {name: token.claims[name] for name in ("site", "notice", "grants", "iat", "exp")}
    named = {name: claims[name] for name in ("site", "notice", "grants", "iat")}
    assert given == named | {"exp": claims["valid_until"]}


def test_the_published_keys_are_those_of_before(server: Server, kept: Kept) -> None:
    now = server.get("/.well-known/jwks.json").get_json()["keys"]
    before = kept.json("keys/jwks.json")["keys"]
    assert [old.items() <= new.items() for old, new in zip(before, now, strict=True)] == [True, True]


def test_a_decision_sent_again_is_answered_as_before(either_server: Server, kept: Kept) -> None:
    for name in ("accept_all", "withdraw", "stale"):
        sent = kept.receipts[name]
        address = f"/v1/sites/{sent['site']}/decisions"
        response = either_server.post(address, json=sent["body"], headers={"Origin": "https://shop.example"})
        assert response.status_code == 200
        again = response.get_json()
        # What the browser keeps of the visitor has had a tag since.
        assert (again["visitor"] or "").partition(".")[0] == (sent["answer"]["visitor"] or "")
        # The state is signed anew, by the key that signs now.
        assert (again["state"] is None) is (sent["answer"]["state"] is None)
        assert again == sent["answer"] | {"state": again["state"], "visitor": again["visitor"]}


def test_a_receipt_is_enough_to_withdraw(own_server: Server, kept: Kept) -> None:
    link = link_of(kept, "save")
    action = f'action="{link.removeprefix(own_server.public_url)}/withdrawal"'
    assert action in own_server.get(link, Accept="text/html").text
    response = own_server.post(f"{link}/withdrawal")
    assert response.status_code == 303
    newest = own_server.get(response.headers["Location"]).get_json()
    assert newest["action"] == "withdraw"
    assert set(newest["grants"].values()) == {False}
    assert "sub" not in newest
    assert action not in own_server.get(link, Accept="text/html").text
