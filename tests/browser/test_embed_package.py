"""The npm package, packed and used by two applications: typed, small, safe on a server, clean to hydrate."""

import json
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from playwright.sync_api import Page, expect

from consent_server.core.resources import ROOT

from .policies import NONCE, RECORD_VIOLATIONS, policy
from .servers import Answer
from .shop import Shop
from .site_files import ORIGIN

Visit = Callable[..., Shop]
EMBED = ROOT / "packages" / "embed"
MODULES = "node_modules"
FENCE = re.DOTALL | re.MULTILINE
MOST_BYTES = 1_000
NOBODY = "http://127.0.0.1:9"


def run(*command: str, cwd: Path) -> str:
    """What a command prints; it must not fail."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The applications, built with the packed package; away from the sources, since tests run beside one another."""
    assert (EMBED / "test-apps" / MODULES).exists(), "Install what the applications need: make ready"
    root = tmp_path_factory.mktemp("embed")
    embed = root / "packages" / "embed"
    shutil.copytree(EMBED, embed, ignore=shutil.ignore_patterns(MODULES, "dist"))
    types = Path("static", "widget", "dist", "consent-widget.d.ts")
    (root / types).parent.mkdir(parents=True)
    shutil.copy(ROOT / types, root / types)
    (root / MODULES).symlink_to(ROOT / MODULES)
    (packed,) = run("npm", "pack", "--silent", cwd=embed).split()
    installed = embed / "test-apps" / MODULES / "@consent-server"
    with tarfile.open(embed / packed) as archive:
        archive.extractall(installed, filter="data")
    (installed / "package").rename(installed / "embed")
    # Where both the applications and the package look for their framework.
    (embed / MODULES).symlink_to(EMBED / "test-apps" / MODULES)
    # A warning of the bundler would be one in everybody's build.
    assert run("node", "build.mjs", cwd=embed / "test-apps") == ""
    return embed / "test-apps"


def serve(shop: Shop, apps: Path, name: str, *, head: str = "", **options: Any) -> None:
    """Put a page on the site that a server has drawn with this application."""
    built = apps / name / "dist"
    shop.pages.answers["/app.js"] = Answer((built / "app.js").read_text("utf-8"), "text/javascript")
    body = f'<div id="app">{(built / "app.html").read_text("utf-8")}</div>'
    body += f'<script type="module" src="/app.js" nonce="{NONCE}"></script>'
    shop.serve(body, head=head, **options)


def load(page: Page, **options: Any) -> str:
    """Load the widget as the application does; the reason, if it does not come."""
    act = "options => loadConsentWidget(options).then(() => '', (fault) => fault.message)"
    fault: str = page.evaluate(act, options)
    return fault


def expect_shown(page: Page, state: str, analytics: str) -> None:
    expect(page.locator("#state")).to_have_text(state)
    expect(page.locator("#analytics")).to_have_text(analytics)


def test_each_entry_is_small_and_brings_no_package(apps: Path) -> None:
    package = apps / MODULES / "@consent-server" / "embed"
    scripts = {path.stem: path.read_bytes() for path in (package / "dist").glob("*.js")}
    assert scripts.keys() == {"index", "react", "vue"}
    assert {name: size for name, text in scripts.items() if (size := len(brotli.compress(text))) >= MOST_BYTES} == {}
    assert not (package / MODULES).exists()


def test_its_types_are_those_of_the_widget(apps: Path) -> None:
    run(str(ROOT / MODULES / ".bin" / "tsc"), "-p", "types", cwd=apps)


def test_the_examples_of_its_pages_compile(apps: Path) -> None:
    folder = apps / "examples"
    folder.mkdir()
    for page in (ROOT / "docs" / "embedding.md", EMBED / "README.md"):
        for number, (kind, text) in enumerate(
            re.findall(r"^```(js|jsx|ts)\n(.*?)^```", page.read_text("utf-8"), FENCE)
        ):
            if "@consent-server" in text:
                # What a page gives its component is for the page to say.
                (folder / f"{page.stem}-{number}.{kind}").write_text(text, "utf-8")
    assert {path.suffix for path in folder.iterdir()} == {".js", ".jsx", ".ts"}
    (folder / "nuxt.d.ts").write_text("declare function defineNuxtPlugin(begin: () => void): unknown;", "utf-8")
    options = {"allowJs": True, "checkJs": True, "jsx": "react-jsx", "noImplicitAny": False, "types": []}
    options |= {"strict": True, "noEmit": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022"}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}), "utf-8")
    run(str(ROOT / MODULES / ".bin" / "tsc"), "-p", "examples", cwd=apps)


def test_its_version_is_the_server_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert json.loads((EMBED / "package.json").read_text("utf-8"))["version"] == project["version"]


@pytest.mark.parametrize("name", ["react", "vue"])
def test_an_application_follows_the_visitor_from_the_server_s_page_on(visit: Visit, apps: Path, name: str) -> None:
    shop = visit()
    said: list[str] = []
    shop.page.on("console", lambda message: said.append(message.text))
    serve(shop, apps, name)
    shop.page.goto(ORIGIN)
    expect_shown(shop.page, "waiting", "denied")
    assert shop.page.evaluate(
        """async (options) => {
          const [one, other] = await Promise.all([loadConsentWidget(options), loadConsentWidget(options)]);
          return one === other && one === window.consentWidget;
        }""",
        {"site": "shop", "server": shop.server.url + "/"},
    )
    expect(shop.page.locator("script[src*='/widget/shop.js']")).to_have_count(1)
    expect_shown(shop.page, "asked", "denied")
    shop.accept_all()
    expect_shown(shop.page, "accept_all", "granted")
    shop.page.locator("#app button").click()
    expect(shop.button("save")).to_be_visible()

    # Once more, with a tag in the page that has run before anything is hydrated.
    serve(shop, apps, name, head=shop.tag().replace(" async", ""))
    shop.page.goto(ORIGIN)
    expect_shown(shop.page, "accept_all", "granted")
    assert load(shop.page, site="shop", server=shop.server.url) == ""
    expect(shop.page.locator("script[src*='/widget/shop.js']")).to_have_count(1)
    shop.page.evaluate("unmount()")
    shop.page.evaluate("document.dispatchEvent(new CustomEvent('consent:change'))")
    expect(shop.page.locator("#state")).to_have_count(0)
    assert said == []


def test_it_says_why_the_widget_does_not_come_and_tries_again(visit: Visit, apps: Path) -> None:
    shop = visit(warned=True)
    serve(shop, apps, "vue")
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("'loadConsentWidget' in window")
    assert load(shop.page, site="nowhere", server=shop.server.url) == (
        f'consent: there is no site "nowhere" at {shop.server.url}: see the tag that "consent site apply" prints'
    )
    assert "does not come: no connection" in load(shop.page, site="shop", server=NOBODY)
    empty = {"Content-Type": "text/javascript", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    shop.context.route("**/widget/shop.js", lambda route: route.fulfill(body="", headers=empty))
    assert "the console says why" in load(shop.page, site="shop", server=shop.server.url)
    expect(shop.page.locator("script[src*='/widget/']")).to_have_count(0)
    shop.context.unroute("**/widget/shop.js")
    assert load(shop.page, site="shop", server=shop.server.url) == ""
    expect(shop.banner).to_be_visible()


def test_it_finds_a_tag_of_the_page_that_has_failed(visit: Visit, apps: Path) -> None:
    shop = visit()
    serve(shop, apps, "vue", head=f'<script src="{NOBODY}/widget/shop.js"></script>')
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("'loadConsentWidget' in window")
    assert "does not come" in load(shop.page, site="shop", server=shop.server.url)


def test_it_meets_a_strict_policy_on_the_site_s_own_host(visit: Visit, apps: Path) -> None:
    shop = visit(init=RECORD_VIOLATIONS)
    rules = policy(shop, "require-trusted-types-for 'script'", "trusted-types consent-widget consent-embed vue")
    serve(shop, apps, "vue", headers=rules)
    shop.page.goto(ORIGIN)
    shop.page.wait_for_function("'loadConsentWidget' in window")
    assert load(shop.page, site="shop", server="/_consent", nonce=NONCE, language="fr", debug=True) == ""
    expect(shop.banner).to_have_attribute("lang", "fr")
    expect(shop.page.locator("script[data-consent-debug][src='/_consent/widget/shop.js?lang=fr']")).to_have_count(1)
    assert shop.page.evaluate("violations") == []
