"""A receipt as its visitor holds it. The server that all browser tests share seals by itself."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.servers import ConsentServer
from tests.support.factories import SHOP


@dataclass(frozen=True)
class Held:
    """A receipt as its visitor holds it."""

    server: ConsentServer
    path: str
    notice: str
    jws: str
    state: str

    @property
    def url(self) -> str:
        """Its page."""
        return self.server.url + self.path

    def proof(self) -> dict[str, Any]:
        """Its proof, once a checkpoint covers it."""
        self.server.wait_for(lambda: self.server.get(f"{self.path}/proof")[0] != 409)
        proof: dict[str, Any] = json.loads(self.server.get(f"{self.path}/proof")[1])
        return proof


def decide(server: ConsentServer, language: str = "en") -> Held:
    """Decide as a visitor of the shop."""
    notice = hashlib.sha256(server.get("/v1/sites/receipts/notice")[1]).hexdigest()
    body = {
        "decision_id": str(uuid4()), "notice": notice, "action": "save", "method": "preferences",
        "grants": {"analytics": True}, "language": language, "page": f"{SHOP}/pricing",
    }  # fmt: skip
    sent = Request(f"{server.url}/v1/sites/receipts/decisions", json.dumps(body).encode(), {"Origin": SHOP})
    sent.add_header("Content-Type", "text/plain")
    with urlopen(sent) as answer:
        said = json.load(answer)
    path = "/v1/receipts/" + said["receipt_url"].rpartition("/")[2]
    return Held(server, path, notice, said["receipt"], said["state"])


@pytest.fixture(scope="package")
def held(server: ConsentServer) -> Held:
    """A receipt in English."""
    return decide(server)


@pytest.fixture(scope="package")
def proof(held: Held) -> dict[str, Any]:
    """Its proof, in a ledger that holds another's receipt as well."""
    decide(held.server).proof()
    return held.proof()


@pytest.fixture(scope="package")
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """A browser in which nobody is signed in, and nothing is kept from one test to the next."""
    context = browser.new_context()
    yield context
    assert context.storage_state() == {"cookies": [], "origins": []}
    context.close()


@pytest.fixture
def quiet(reader: BrowserContext) -> Iterator[Page]:
    """A tab of theirs that at the end has met no error and broken no policy."""
    page = reader.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    page.close()
    assert faults == []


@pytest.fixture
def other_jwks(tmp_path: Path) -> str:
    """The keys of a server that had no part in any of this."""
    other = ConsentServer(tmp_path)
    other.prepare()
    keys = json.loads((tmp_path / "instance" / "signing-keys.json").read_text("utf-8"))["keys"]
    return json.dumps({"keys": [{name: key[name] for name in ("kty", "crv", "x")} for key in keys]})
