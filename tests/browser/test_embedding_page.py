"""docs/embedding.md: its markup stands in one page, its code runs there in order, and prints what the page says."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import pytest
from playwright.sync_api import expect

from consent_server.core.resources import ROOT

from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, SIGNUP, site_file

TEXT = (ROOT / "docs" / "embedding.md").read_text("utf-8")
SERVER = "https://shop.example/_consent"
HEAT_MAP = """
[[vendors]]
key = "heat-map"
name = "Heat Map"
purposes = ["analytics"]
policy_url = "https://heatmap.example/privacy"
hosts = ["heatmap.example"]
[vendors.operator]
name = "Heat Map GmbH"
address = "Platz 1, Berlin, Germany"
country = "DE"
"""
YOUTUBE = '[[vendors]]\nkey = "youtube"\n'
# What the server says of an origin that it does not know.
PROBLEM = """document.dispatchEvent(new CustomEvent("consent:error", {detail: {
  type: "/problems/foreign-origin", status: 403, title: "Origin not allowed",
  detail: "Add https://shop.example to origins.", decision_id: "00000000-0000-4000-8000-000000000000",
}}))"""


def blocks(language: str) -> list[str]:
    """The examples in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def promised(example: str) -> list[str]:
    """What an example says that it prints, `…` standing for anything."""
    return re.findall(r"// → (.*?)(?:</script>)?$", example, re.MULTILINE)


def kept(promises: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether all that was promised was printed, in order."""
    rest = iter(printed)
    # Square brackets would be a set of letters.
    return all(any(fnmatchcase(line, promise.replace("…", "*")) for line in rest) for promise in promises)


@pytest.fixture
def site(visit: Callable[..., Shop]) -> Shop:
    """A visitor of the site of the page."""
    shop = visit(site="embedding", warned=True)
    media = YOUTUBE + HEAT_MAP
    shop.server.apply(site_file("embedding", ANALYTICS_TAG, ADS_TAG, media))
    return shop


def with_server(example: str, shop: Shop) -> str:
    """An example with the server and the site of this test in it."""
    example = example.replace(f"{SERVER}/widget/shop.js", f"{shop.server.url}/widget/{shop.site}.js")
    return example.replace(f"{SERVER}/sites/shop", f"{shop.server.url}/sites/{shop.site}")


def run(shop: Shop, example: str, printed: list[str]) -> None:
    """Run an example as a page would, and wait for what it promises."""
    before = len(printed)
    if "withdraw()" in example:
        with shop.page.expect_event("load"):
            shop.page.evaluate(f"setTimeout(() => {{ {example} }})")
        shop.ready()
    else:
        shop.page.evaluate(f"async () => {{ {example} }}")
    if "consent:error" in example:
        shop.page.evaluate(PROBLEM)
    shop.settle()
    assert kept(promised(example), printed[before:]), (example, printed[before:])


def test_every_example_does_what_the_page_says(site: Shop) -> None:
    tag, *markup = (with_server(example, site) for example in blocks("html"))
    site.serve("".join(f"<main>{example}</main>" for example in markup), head=tag)
    printed: list[str] = []
    site.page.on("console", lambda message: printed.append(message.text))
    site.open()
    site.settle()
    assert site.vendors.requests == []
    expect(site.page.locator("consent-placeholder")).to_have_count(2)
    expect(site.page.get_by_text("Thank you for letting us count.")).to_have_count(0)
    shown: dict[str, Callable[[], object]] = {
        "show()": lambda: expect(site.banner).to_be_visible(),
        "conversion(": lambda: [one["id"] for one in site.vendors.conversions].index("A-1002"),
    }
    for example in blocks("js"):
        run(site, example, printed)
        silent = [check for words, check in shown.items() if words in example]
        assert promised(example) or silent, f"This example promises nothing that can be seen: {example}"
        for check in silent:
            check()
        if "acceptAll" in example:
            expect(site.page.get_by_text("Thank you for letting us count.")).to_be_visible()
            expect(site.page.locator("consent-placeholder")).to_have_count(0)
            assert set(re.findall(r'src="https://([^/"]+)', "".join(markup))) <= site.vendors.hosts
            assert kept([promise for each in markup for promise in promised(each)], printed)
            site.page.get_by_role("button", name="Sign up").click()
            site.settle()
            assert site.vendors.conversions == [{"send_to": SIGNUP, "value": "12.5", "currency": "EUR", "id": "A-1001"}]
    site.page.get_by_role("link", name="Cookie settings").click()
    expect(site.button("save")).to_be_visible()


def test_everything_of_the_interface_is_on_the_page() -> None:
    types = (ROOT / "static" / "widget" / "src" / "public.ts").read_text("utf-8")
    (interface,) = re.findall(r"export interface ConsentWidget \{(.*?)^\}", types, re.DOTALL | re.MULTILINE)
    (events,) = re.findall(r"export interface ConsentEvents \{(.*?)^\}", types, re.DOTALL | re.MULTILINE)
    members = set(re.findall(r"^  (?:readonly )?(\w+)", interface, re.MULTILINE))
    examples = "".join(blocks("js"))
    assert len(members) == 11
    assert {name for name in members if not re.search(rf"consentWidget\.{name}\b", examples)} == set()
    told = re.findall(r"^  (\w+):", events, re.MULTILINE)
    assert [f"consent:{name}" for name in told] == re.findall(r"^\| `(consent:\w+)` \|", TEXT, re.MULTILINE)
