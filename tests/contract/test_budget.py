"""What a visitor's browser has to fetch stays within bench/budget.toml, measured as the server sends it."""

import tomllib

import brotli
import pytest
from flask.testing import FlaskClient

from consent_server.core.resources import ROOT
from tests.browser.site_files import ADS_TAG, ANALYTICS_TAG, PIXEL_TAG, site_file
from tests.support.sites import Apply

DIST = ROOT / "static" / "widget" / "dist"
BUDGET: dict[str, int] = tomllib.loads((ROOT / "bench" / "budget.toml").read_text("utf-8"))
PARTS = {
    "widget": ["widget.js"], "look": ["looks/common.css", "looks/bar.css"],
    "rules": ["rules/widget.js"], "google": ["vendors/google.js"], "meta": ["vendors/meta.js"],
}  # fmt: skip


def compressed(data: bytes) -> int:
    return len(brotli.compress(data, mode=brotli.MODE_TEXT, quality=11))


@pytest.fixture
def spent(client: FlaskClient, apply_site: Apply) -> dict[str, int]:
    """Bytes by part, for a site with Analytics, Ads and the Meta pixel."""
    apply_site(site_file("shop", ANALYTICS_TAG, ADS_TAG, PIXEL_TAG))
    headers = {"Accept-Encoding": "br", "Accept-Language": "en"}
    paths = {"first_view": ".js", "preferences": "/preferences.js", "details": "/details.js"}
    scripts = {part: client.get(f"/widget/shop{rest}", headers=headers) for part, rest in paths.items()}
    assert {one.headers["Content-Encoding"] for one in scripts.values()} == {"br"}
    notice = brotli.decompress(scripts["first_view"].data).rpartition(b"(\n")[2]
    return {
        **{part: len(one.data) for part, one in scripts.items()},
        **{part: sum(compressed((DIST / file).read_bytes()) for file in files) for part, files in PARTS.items()},
        "notice": compressed(notice),
    }


def test_nothing_is_heavier_than_its_budget(spent: dict[str, int]) -> None:
    assert spent.keys() == BUDGET.keys()
    over = {part: f"{bytes_} of {BUDGET[part]}" for part, bytes_ in spent.items() if bytes_ > BUDGET[part]}
    assert over == {}, spent


def test_every_number_was_decided() -> None:
    decided = "".join(path.read_text("utf-8") for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert [part for part, limit in BUDGET.items() if f"`{part}` {limit:,}" not in decided] == []
