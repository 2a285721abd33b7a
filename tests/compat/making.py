"""A server at work, what its operator and its visitors do, and the folder where what comes out of it is kept."""

import json
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from consent_server import worker

PUBLIC_URL = "https://consent.example"
PASSWORD = "correct horse battery staple"
HEADERS = {
    "Origin": "https://shop.example",
    # Only a page of the server's own host is given the choice as a cookie with the answer.
    "Sec-Fetch-Site": "same-origin",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
BOTH = {"analytics": True, "advertising": True}
NONE = {"analytics": False, "advertising": False}
MEDIA, NO_MEDIA = {"media": True}, {"media": False}
ACCEPT: dict[str, Any] = {"action": "accept_all", "method": "banner", "grants": BOTH}
REFUSE: dict[str, Any] = {"action": "refuse_all", "method": "banner", "grants": NONE}
SAVE: dict[str, Any] = {"action": "save", "method": "preferences", "grants": NONE | {"analytics": True}}


@dataclass
class Made:
    """A server at work, and the folder where what comes out of it is kept."""

    app: Flask
    folder: Path
    now: list[datetime]
    notices: dict[str, str] = field(default_factory=dict)
    cookies: list[dict[str, Any]] = field(default_factory=list)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    posted: int = 0

    # Commands and requests

    def run(self, *command: str) -> str:
        """A command of the product; what it prints."""
        result = self.app.test_cli_runner().invoke(args=command)
        assert result.exit_code == 0, f"{command}: {result.output}"
        return result.stdout

    def get(self, path: str, status: int = 200, **kwargs: Any) -> TestResponse:
        client = self.app.test_client(use_cookies=False)
        response = client.get(path, base_url=PUBLIC_URL, **kwargs)
        assert response.status_code == status, f"{path}: {response.text}"
        return response

    def post(self, path: str, body: dict[str, Any], status: int) -> TestResponse:
        client = self.app.test_client(use_cookies=False)
        response = client.post(path, json=body, headers=HEADERS, base_url=PUBLIC_URL)
        assert response.status_code == status, f"{path}: {response.text}"
        return response

    def token(self, role: str) -> dict[str, Any]:
        return {"headers": {"Authorization": f"Bearer {self.about['tokens'][role]}"}}

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_json(self, name: str, content: Any) -> None:
        self.write(name, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    # What an operator does

    def apply(self, name: str) -> None:
        """Apply a site file, and wait until the server has seen it."""
        printed = self.run("site", "apply", str(self.folder / "sites" / f"{name}.toml"))
        self.notices[name] = re.findall("^notice ([0-9a-f]{64})", printed, re.M)[0]
        arms = re.findall("^  [0-9]+ % ([a-z]+) notice ([0-9a-f]{64})", printed, re.M)
        self.notices |= {f"{name} {arm}": notice for arm, notice in arms}
        key = name.removesuffix("-first")
        deadline = time.monotonic() + 5
        while self.get(f"/v1/sites/{key}/notice").get_etag()[0] != self.notices[name]:
            assert time.monotonic() < deadline, f"{name} is not seen"
            time.sleep(0.05)

    def work(self, *names: str) -> None:
        """What the server does by itself, of these names."""
        services = self.app.extensions["consent"]
        for task in worker.tasks(services):
            if task.name in names:
                task.run(services)

    def set_password(self, email: str, link: str) -> None:
        client = self.app.test_client()
        page = client.get(link, base_url=PUBLIC_URL)
        form = {"t": link.partition("?t=")[2], "password": PASSWORD, "again": PASSWORD, **form_token(page)}
        assert client.post("/sign-in/link", data=form, base_url=PUBLIC_URL).status_code == 303
        self.about["users"][email] = PASSWORD

    def sign_in(self, email: str) -> str:
        """The session's cookie."""
        client = self.app.test_client()
        form = {"email": email, "password": PASSWORD, **form_token(client.get("/sign-in", base_url=PUBLIC_URL))}
        assert client.post("/sign-in", data=form, base_url=PUBLIC_URL).status_code == 303
        cookie = client.get_cookie("consent-session", domain="consent.example")
        assert cookie
        return cookie.value

    def submit(self, role: str, page: str, path: str, **form: str) -> TestResponse:
        """Send a form of a console page as a user."""
        client = self.app.test_client()
        client.set_cookie("consent-session", self.about["sessions"][role], domain="consent.example", secure=True)
        token = form_token(client.get(page, base_url=PUBLIC_URL))
        response = client.post(path, data={**form, **token}, base_url=PUBLIC_URL)
        assert response.status_code in (200, 303), response.text
        return response

    # What a visitor does

    def decide(self, name: str, site: str = "shop", notice: str = "shop-first", **changes: Any) -> dict[str, Any]:
        """Post a decision and keep its receipt and its cookie under this name; the answer."""
        body = self.body(site, notice) | changes
        response = self.post(f"/v1/sites/{site}/decisions", body, 201)
        answer: dict[str, Any] = response.get_json()
        self.receipts[name] = {"site": site, "body": body, "answer": answer}
        value = response.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        # Where the action is not what the grants say by themselves, the cookie does not tell it.
        grants = list((body["grants"] | body["vendors"]).values())
        action = "accept_all" if all(grants) else "save" if any(grants) else "refuse_all"
        choice = {
            "action": action,
            "at": int(datetime.fromisoformat(answer["recorded_at"]).timestamp()),
            "revision": dict(pair.split("=", 1) for pair in value.split("&"))["n"],
            "grants": body["grants"],
            "vendors": body["vendors"],
            "gpc": body["gpc"],
            "visitor": answer["visitor"],
            "state": answer["state"],
        }
        self.cookies.append({"name": name, "site": site, "by_server": value, "choice": choice})
        return answer

    def body(self, site: str, notice: str) -> dict[str, Any]:
        self.posted += 1
        return {
            "decision_id": str(UUID(int=(0x0190B5E0_0000_4000_8000 << 48) + self.posted)),
            "notice": self.notices[notice],
            "vendors": {},
            "visitor": None,
            "change": False,
            "language": "en",
            "page": "https://shop.example/pricing",
            "gpc": False,
            "widget": self.widget(site),
            **ACCEPT,
        }

    def widget(self, site: str) -> str:
        """What the served configuration says that its code is."""
        data = self.get(f"/widget/{site}.js").text.splitlines()[1]
        return str(re.findall('"widget":"([0-9a-f]{16})"', data)[0])

    def show(self, site: str, notice: str, times: int, language: str = "en") -> None:
        for _ in range(times):
            self.post(f"/v1/sites/{site}/shown", {"notice": self.notices[notice], "language": language}, 204)


def form_token(page: TestResponse) -> dict[str, str]:
    found = re.search('name="form_token" value="([^"]+)"', page.text)
    assert found, page.text
    return {"form_token": found[1]}
