"""One browser and two servers for the whole session; a new profile for each test."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

from tests.support.process import free_port

from .fake_vendors import Vendors
from .library import Library, site_files
from .servers import ConsentServer, PageServer
from .shop import Shop
from .site_files import DOMAIN, ORIGIN, SITES

HOST = ORIGIN.removeprefix("https://")
FOREIGN = re.compile(rf"^https?://(?!127\.0\.0\.1[:/]|[a-z.]+\.{re.escape(DOMAIN)}/)")


@pytest.fixture(scope="session")
def page_port() -> int:
    """Where the site's pages are served."""
    return free_port()


@pytest.fixture(scope="session")
def browser_type_launch_args(page_port: int) -> dict[str, Any]:
    """Debian's Chromium; the site's hosts are this machine, and nothing of the browser's own goes out.

    Without windows where there is such a build: a new profile then costs a fifth.
    """
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert chromium, "Install Chromium: apt-get install chromium-headless-shell"
    return {
        "executable_path": chromium,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            # The pages' certificate is the tests' own, and a service worker has no context that could overlook it.
            "--ignore-certificate-errors",
            f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1:{page_port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ],
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsentServer]:
    """The consent server that all tests share; each reads only what it recorded."""
    server = ConsentServer(tmp_path_factory.mktemp("consent"))
    server.prepare(*SITES.values())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pages(server: ConsentServer, page_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """The site's pages."""
    pages = PageServer(tmp_path_factory.mktemp("pages"), HOST, page_port, server.port)
    yield pages
    pages.shutdown()
    pages.server_close()


@pytest.fixture
def visit(browser: Browser, server: ConsentServer, pages: PageServer) -> Iterator[Callable[..., Shop]]:
    """Makes visitors: `visit(site="shop", init="…", **context options)`, each in a profile of their own.

    At the end no page may have met an uncaught error, nor, unless `warned`, a fault that the widget caught itself.
    """
    yield from _visitors(browser, server, pages)


@pytest.fixture(scope="module")
def visit_once(browser: Browser, server: ConsentServer, pages: PageServer) -> Iterator[Callable[..., Shop]]:
    """The same, for what many tests then ask about."""
    yield from _visitors(browser, server, pages)


def _visitors(browser: Browser, server: ConsentServer, pages: PageServer) -> Iterator[Callable[..., Shop]]:
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(
        site: str = "shop", *, init: str = "", warned: bool = False, server: ConsentServer = server, **options: Any
    ) -> Shop:
        context = browser.new_context(ignore_https_errors=True, **options)
        contexts.append(context)
        context.set_default_timeout(8_000)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        vendors = Vendors()
        context.route(FOREIGN, vendors.answer)
        if init:
            context.add_init_script(init)
        pages.answers.clear()
        shop = Shop(context.new_page(), pages, server, vendors, site)
        if not warned:
            shop.page.on("console", lambda message: _note(message, faults))
        shop.serve()
        return shop

    yield make
    # What fails while the profile is taken down is no fault of the page.
    found = list(faults)
    for context in contexts:
        context.unroute_all(behavior="ignoreErrors")
        context.close()
    assert found == []


def _note(message: ConsoleMessage, faults: list[str]) -> None:
    # The widget reports a fault of its own here instead of throwing it into the page.
    if message.type == "warning" and message.text.startswith("consent:"):
        faults.append(message.text)


@pytest.fixture
def shop(visit: Callable[..., Shop]) -> Shop:
    """A visitor of the shop with Analytics, Ads and the Meta pixel, in basic mode."""
    return visit()


@pytest.fixture(scope="session")
def library(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A server with records of every kind, and its readers."""
    server = ConsentServer(tmp_path_factory.mktemp("library"))
    server.prepare(*site_files())
    server.start()
    library = Library(server, browser)
    library.stock()
    yield library
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ConsentServer]:
    """A consent server that a test may stop and start."""
    server = ConsentServer(tmp_path)
    server.prepare(SITES["shop"])
    server.start()
    yield server
    server.stop()
