"""The cookie as earlier versions wrote it, read by the server. tests/widget reads the same with the widget's code."""

import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import func, select

from consent_server.core.context import context_of
from consent_server.decisions.rows import TallyRow

from .conftest import Kept, Server


@pytest.fixture
def cookies(kept: Kept) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kept.json("cookies.json")
    return found


def test_server_and_widget_wrote_the_same(cookies: list[dict[str, Any]]) -> None:
    assert [cookie["by_server"] for cookie in cookies] == [cookie["by_widget"] for cookie in cookies]


@pytest.mark.parametrize("own_server", ["sqlite"], indirect=True)
def test_the_server_reads_a_cookie(own_server: Server, cookies: list[dict[str, Any]]) -> None:
    for cookie in cookies:
        claims = chosen_with(own_server, cookie)
        assert claims["change"] is True, cookie["name"]
        visitor = parse_qs(cookie["by_server"]).get("i", [None])[0]
        # An identifier from before there were tags acts for nobody: a new one is given.
        assert claims["sub"] != visitor, cookie["name"]


def chosen_with(server: Server, cookie: dict[str, str]) -> dict[str, Any]:
    """Accept everything on the page without script, in a browser that has this cookie; the claims of the receipt."""
    key = cookie["site"]
    headers = {"Origin": "https://shop.example", "Sec-Fetch-Site": "same-origin"}
    headers["Cookie"] = f"eu-consent={cookie['by_server']}"
    notice = server.get(f"/v1/sites/{key}/notice").get_etag()[0]
    form = {"notice": notice, "language": "en", "form": cookie["name"], "action": "accept_all"}
    response = server.post(f"/sites/{key}/choice", data=form, headers=headers)
    assert response.status_code == 200, response.text
    link = re.findall('href="(https://consent.example/v1/receipts/[^"]+)"', response.text)[0]
    claims: dict[str, Any] = server.get(link).get_json()
    return claims


@pytest.mark.parametrize("own_server", ["sqlite"], indirect=True)
def test_who_has_a_cookie_is_not_counted_as_asked(own_server: Server, cookies: list[dict[str, Any]]) -> None:
    def shown() -> int:
        with context_of(own_server.app).database.reading() as session:
            return session.scalar(select(func.sum(TallyRow.count))) or 0

    before, opened = shown(), {"Sec-Fetch-Dest": "document"}
    own_server.get("/sites/shop/choice", **opened, Cookie=f"eu-consent={cookies[0]['by_widget']}")
    assert shown() == before
    own_server.get("/sites/shop/choice", **opened)
    assert shown() == before + 1
