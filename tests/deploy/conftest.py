"""One server, and each of the web servers in front of it."""

from collections.abc import Iterator

import pytest

from tests.browser.servers import ConsentServer
from tests.support.factories import TABLES, TOP, site_file
from tests.support.web_servers import CONSOLE, SITE, WebServer

# Posts of one address. A day is longer than the tests: no window ends while they count.
POSTS = 20
# Another site of the same server, where a rule of the place decides.
WITH_REGIONS = site_file(TOP.replace('"shop"', '"places"'), tables=TABLES + """
[[regions]]
key = "us"
places = ["US"]
rule = "opt-out"
""")  # fmt: skip


@pytest.fixture(scope="session")
def consent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsentServer]:
    """On a path of the shop's own host, with the consoles on another."""
    server = ConsentServer(
        tmp_path_factory.mktemp("consent"),
        CONSENT_PUBLIC_URL=f"https://{SITE}/_consent",
        CONSENT_CONSOLE_URL=f"https://{CONSOLE}",
        CONSENT_RATE_LIMIT=f"{POSTS} per day",
        CONSENT_COUNTRY_HEADER="X-Consent-Place",
    )
    server.prepare(site_file(), WITH_REGIONS)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["nginx", "apache", "caddy"])
def web(request: pytest.FixtureRequest, consent: ConsentServer) -> Iterator[WebServer]:
    """One web server after the other."""
    server = WebServer(request.param, consent.port)
    yield server
    server.stop()
