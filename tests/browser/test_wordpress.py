"""The WordPress plug-in on Debian's WordPress with MariaDB: set up by an administrator, met by visitors."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import wordpress as debian
from tests.support.wordpress import ADMIN, PASSWORD, WordPress

from .servers import ConsentServer
from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, ORIGIN, site_file

HABITS = [
    "wp-rocket", "wp-rocket-mark", "litespeed", "litespeed-guest", "perfmatters", "autoptimize", "siteground",
    "nitropack", "jetpack-boost", "pagespeed", "rocket-loader",
]  # fmt: skip
BLOG = site_file("blog", ANALYTICS_TAG, ADS_TAG).replace(ORIGIN, "http://127.0.0.1:*")
DENIED = {
    "functional": False,
    "preferences": False,
    "statistics": False,
    "statistics-anonymous": False,
    "marketing": False,
}
ANSWERS = f"() => Object.fromEntries({json.dumps(list(DENIED))}.map((name) => [name, wp_has_consent(name)]))"


@pytest.fixture(scope="module")
def blog(pytestconfig: pytest.Config, server: ConsentServer) -> Iterator[WordPress]:
    """A WordPress with the plug-in in its folder, and its site on the consent server."""
    if not debian.is_installed():
        assert not pytestconfig.getoption("--slow"), f"Install WordPress: apt-get install {debian.PACKAGES}"
        pytest.skip("`make wordpress` installs what this needs")
    server.apply(BLOG)
    site = WordPress(Path(__file__).with_name("wordpress"))
    yield site
    faults = [line for line in site.stop().splitlines() if "consent-server" in line or "mu-plugins" in line]
    assert faults == []


@pytest.fixture(scope="module")
def administrator(browser: Browser, blog: WordPress) -> Iterator[Page]:
    """Signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{blog.url}/wp-login.php")
    page.fill("#user_login", ADMIN)
    page.fill("#user_pass", PASSWORD)
    page.click("#wp-submit")
    expect(page.locator("#wpadminbar")).to_be_visible()
    yield page
    context.close()


def set_up(page: Page, blog: WordPress, **fields: str) -> None:
    """Fill in the settings page and save."""
    page.goto(f"{blog.url}/wp-admin/options-general.php?page=consent-server")
    for name, value in fields.items():
        page.fill(f"#consent-server-{name}", value)
    page.click("#submit")


@pytest.fixture(scope="module")
def ready(administrator: Page, blog: WordPress, server: ConsentServer) -> WordPress:
    """Activated and set up."""
    administrator.goto(f"{blog.url}/wp-admin/plugins.php")
    administrator.click("#activate-consent-server")
    assert "/widget/" not in home(blog), "a tag without settings"
    set_up(administrator, blog, server="javascript:alert(1)//", site="Shop!", purposes="marketing: advertising")
    expect(administrator.locator(".notice-error")).to_have_count(3)
    assert "/widget/" not in home(blog), "a tag of settings that cannot be used"
    set_up(administrator, blog, server=f"{server.url}/", site="blog")
    expect(administrator.locator(".notice-success")).to_be_visible()
    assert administrator.input_value("#consent-server-server") == server.url
    return blog


def home(blog: WordPress, query: str = "") -> str:
    """The home page as it is sent."""
    with urlopen(f"{blog.url}/{query}") as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture
def visitor(visit: Callable[..., Shop], ready: WordPress) -> Shop:
    """A visitor of the WordPress site."""
    return visit("blog")


def look(visitor: Shop, blog: WordPress, query: str = "") -> dict[str, Any]:
    """Open the home page, wait until the bridge is there, and return what PHP says of consent."""
    visitor.page.goto(f"{blog.url}/{query}")
    visitor.ready()
    visitor.page.wait_for_function("() => window.wp_consent_type === 'optin'")
    answers: dict[str, Any] = json.loads(visitor.page.locator("#php-consent").inner_text())
    return answers


def test_the_tag_is_the_first_script_of_the_head(visitor: Shop, ready: WordPress) -> None:
    look(visitor, ready)
    first = visitor.page.locator("script").first
    assert first.get_attribute("src") == f"{visitor.server.url}/widget/blog.js"
    assert first.evaluate("script => script.async && script.parentNode === document.head")
    text = home(ready)
    assert text.count("/widget/blog.js") == 1
    assert text.index("/widget/blog.js") < text.index("window.early")
    assert first.evaluate("script => [...document.head.children].indexOf(script)") <= text.partition("<script")[
        0
    ].count("<meta")


@pytest.mark.parametrize("habit", HABITS)
def test_no_optimiser_delays_the_banner(ready: WordPress, habit: str) -> None:
    text = home(ready, f"?habit={habit}")
    delayed = [line for line in text.split("<script") if "data-delayed" in line.partition(">")[0]]
    assert any("late.js" in line for line in delayed), "it delays nothing"
    assert not any(name in line for line in delayed for name in ("/widget/", "bridge.js", "wp-consent-api")), delayed


def test_the_banner_comes_before_the_first_act_where_scripts_are_delayed(visitor: Shop, ready: WordPress) -> None:
    look(visitor, ready, "?habit=wp-rocket")
    expect(visitor.banner).to_be_visible()
    assert visitor.page.evaluate("window.late") is None
    visitor.accept_all()
    visitor.page.wait_for_function("() => window.late")


def test_what_was_chosen_is_what_the_consent_api_says(visitor: Shop, ready: WordPress) -> None:
    assert look(visitor, ready) == {**DENIED, "functional": True}
    assert visitor.page.evaluate(ANSWERS) == DENIED
    assert not {name for name in visitor.cookies() if name.startswith("wp_consent")}
    visitor.choose(analytics=True)
    granted = {**DENIED, "functional": True, "statistics": True, "statistics-anonymous": True}
    assert visitor.page.evaluate(ANSWERS) == granted
    heard = {name: value for event in visitor.page.evaluate("window.heard") for name, value in event.items()}
    assert heard == {name: "allow" if on else "deny" for name, on in granted.items()}
    assert look(visitor, ready) == granted


def test_an_act_elsewhere_on_the_page_is_a_decision(visitor: Shop, ready: WordPress) -> None:
    look(visitor, ready)
    visitor.choose(analytics=True)
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/decisions")):
        visitor.page.click("#allow")
    visitor.settle()
    receipt = visitor.server.receipts("blog")[-1]
    assert (receipt["method"], receipt["grants"]) == ("api", {"analytics": True, "advertising": True})
    visitor.leave(lambda: visitor.page.click("#deny"))
    receipt = visitor.server.receipts("blog")[-1]
    assert (receipt["method"], receipt["grants"]) == ("api", {"analytics": True, "advertising": False})
    assert look(visitor, ready)["marketing"] is False


def test_a_script_cannot_consent_for_the_visitor(visitor: Shop, ready: WordPress) -> None:
    before = len(visitor.server.receipts("blog"))
    look(visitor, ready, "?pushy")
    visitor.page.wait_for_function("() => window.heard.length > 1 && !wp_has_consent('marketing')")
    visitor.settle()
    assert visitor.page.evaluate("consentWidget.decision") is None
    assert len(visitor.server.receipts("blog")) == before
    assert not any("doubleclick" in sent.host or "google" in sent.host for sent in visitor.vendors.requests)


def test_php_reads_the_cookie_as_its_format_says(ready: WordPress) -> None:
    now = int(time.time())
    cookies = {
        f"v=1&t={now}&p.analytics=1&p.advertising=0": True,
        f"p.analytics=1&t={now}&v=1&later=1": True,
        f"v=1&t={now}&p.analytics=0": False,
        f"v=1&t={now}&p.analytics=1&p.analytics=0": False,
        f"v=1&t={now}&p.analytics=0&p.analytics=1": False,
        f"v=1&t={now}&p.analytics=true": False,
        f"v=2&t={now}&p.analytics=1": False,
        f"v=1&v=2&t={now}&p.analytics=1": False,
        f"v=1&t={now + 2 * 86400}&p.analytics=1": False,
        f"v=1&t={now - 400 * 86400}&p.analytics=1": False,
        "v=1&t=&p.analytics=1": False,
        "v=1&p.analytics=1": False,
        "": False,
    }
    code = f"""
        require 'wp-load.php';
        foreach (json_decode('{json.dumps(list(cookies))}') as $cookie) {{
            $_COOKIE['eu-consent'] = $cookie;
            $answers[] = wp_has_consent('statistics');
        }}
        echo json_encode($answers);
    """
    assert dict(zip(cookies, json.loads(ready.run(code)), strict=True)) == cookies


def test_nothing_is_left_of_it(ready: WordPress) -> None:
    kept = "require 'wp-load.php'; echo json_encode(get_option('consent_server'));"
    assert json.loads(ready.run(kept))["site"] == "blog"
    ready.run("""
        require 'wp-load.php'; require 'wp-admin/includes/plugin.php';
        $plugin = 'consent-server/consent-server.php'; deactivate_plugins($plugin); uninstall_plugin($plugin);
    """)
    assert json.loads(ready.run(kept)) is False
    assert "/widget/" not in home(ready)
