"""One browser and one server for the whole session; the server seals by itself."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from playwright.sync_api import Page

from tests.e2e.servers import ConsentServer
from tests.support.factories import FULL, SHOP, site_file


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsentServer]:
    """The consent server of these tests."""
    server = ConsentServer(tmp_path_factory.mktemp("receipts"))
    server.prepare(site_file(tables=FULL))
    server.start()
    yield server
    server.stop()


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

    def proof(self, page: Page) -> dict[str, Any]:
        """Its proof, once a checkpoint covers it."""
        asked = """async (url) => {
          for (;;) {
            const answer = await fetch(url);
            if (answer.status !== 409) return answer.json();
            await new Promise((done) => setTimeout(done, 100));
          }
        }"""
        page.goto(f"{self.server.url}/healthz")
        found: dict[str, Any] = page.evaluate(asked, f"{self.url}/proof")
        return found


def decide(server: ConsentServer, language: str = "en") -> Held:
    """Decide as a visitor of the shop."""
    notice = hashlib.sha256(server.get("/v1/sites/shop/notice")[1]).hexdigest()
    body = {
        "decision_id": str(uuid4()), "notice": notice, "action": "save", "method": "preferences",
        "grants": {"analytics": True}, "language": language, "page": f"{SHOP}/pricing",
    }  # fmt: skip
    sent = Request(f"{server.url}/v1/sites/shop/decisions", json.dumps(body).encode(), {"Origin": SHOP})
    sent.add_header("Content-Type", "text/plain")
    with urlopen(sent) as answer:
        said = json.load(answer)
    path = "/v1/receipts/" + said["receipt_url"].rpartition("/")[2]
    return Held(server, path, notice, said["receipt"], said["state"])


@pytest.fixture
def held(server: ConsentServer) -> Held:
    """A receipt in English."""
    return decide(server)


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page that at the end has met no error and broken no policy."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    assert faults == []


@pytest.fixture
def other_jwks(tmp_path: Path) -> str:
    """The keys of a server that had no part in any of this."""
    other = ConsentServer(tmp_path)
    other.prepare()
    keys = json.loads((tmp_path / "instance" / "signing-keys.json").read_text("utf-8"))["keys"]
    return json.dumps({"keys": [{name: key[name] for name in ("kty", "crv", "x")} for key in keys]})
