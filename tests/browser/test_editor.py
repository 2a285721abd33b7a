"""An operator changes the vendors of a site, by keyboard alone; whoever had granted is asked again, and nobody else."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .axe import DESKTOP, PHONE
from .library import signed_in_by
from .servers import ConsentServer
from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, site_file

FOCUSED = """() => {
  const {id, textContent} = document.activeElement;
  return [id, textContent.trim().replace(/\\s+/g, " ")];
}"""


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: ConsentServer) -> object:
    """An operator's session on the server of the shop."""
    link = server.command("user", "create", "edith@example.org", "--role", "operator").strip()
    return signed_in_by(link, browser.new_context())


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def editor(
    browser: Browser, server: ConsentServer, signed_in: object, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Their window, on the one and on the other."""
    context = browser.new_context(base_url=server.url, storage_state=signed_in, viewport=request.param)  # type: ignore[arg-type]
    context.set_default_timeout(8_000)
    yield context.new_page()
    context.close()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until this has the focus, by its id or its words."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if name in page.evaluate(FOCUSED):
            return
    raise AssertionError(f"The keyboard does not come to {name}.")


def fill_in(page: Page, name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.type(text)


def test_a_change_of_vendors_is_planned_published_and_asked_about(
    visit: Callable[..., Shop], server: ConsentServer, editor: Page, tmp_path: Path
) -> None:
    width = editor.viewport_size["width"] if editor.viewport_size else 0
    site = f"edited-{width}"
    file = tmp_path / "site.toml"
    file.write_text(site_file(site, ANALYTICS_TAG, ADS_TAG), "utf-8")
    server.command("site", "apply", str(file))
    server.wait_for(lambda: server.get(f"/v1/sites/{site}/notice")[0] == 200)
    granted, refused = visit(site).open(), visit(site).open()
    granted.accept_all()
    refused.refuse_all()

    editor.goto(f"/console/sites/{site}/settings?open=vendors")
    banner = editor.frame_locator(".screen iframe:not(.coming)").get_by_role("dialog")
    expect(banner).to_contain_text("1 third party")
    fill_in(editor, "f-vendors-2-key", "Microsoft Clarity")
    fill_in(editor, "f-vendors-2-id", "ABC")
    expect(editor.get_by_text("This is no such id.")).to_be_visible()
    expect(editor.get_by_text("An id of Microsoft Clarity looks like abcde12345.")).to_be_visible()
    editor.keyboard.press("Control+A")
    editor.keyboard.type("abcde12345")
    # What is typed is seen at once, and what is pressed there is a choice of nobody.
    expect(banner).to_contain_text("2 third parties")
    banner.get_by_role("button", name="Accept all").press("Enter")
    expect(banner).to_have_count(0)

    tab_to(editor, "See plan")
    editor.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="What publishing changes")).to_be_visible()
    plan = editor.get_by_role("region", name="The plan")
    expect(plan).to_contain_text("Microsoft Clarity")
    expect(plan).to_contain_text("will be asked again (about 1 standing grant by the counters)")
    tab_to(editor, "Publish")
    editor.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="Published")).to_be_visible()
    server.wait_for_notice(site, "microsoft-clarity")

    granted.vendors.forget()
    granted.reload()
    expect(granted.banner).to_be_visible()
    granted.settle()
    assert granted.vendors.requests == []
    refused.reload()
    refused.settle()
    expect(refused.banner).to_have_count(0)
    assert refused.vendors.requests == []
