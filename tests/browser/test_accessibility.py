"""Every page of ours and the widget, held to WCAG 2.2 AA by axe-core in each way that people look at it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from . import axe
from .library import Library
from .shop import Shop
from .site_files import FRAME, LAYOUTS
from .views import VIEWS, View


def test_the_check_can_fail(page: Page) -> None:
    buttons = "<button>x</button>" * 2
    page.set_content(
        f"""<title>x</title><style>button {{ font: 9px x; padding: 0; margin: 0; border: 0; color: #000 }}
        @media (min-width: 40em) {{ button {{ width: 24px; height: 24px }} }}
        @media (max-width: 40em) {{ h2 {{ color: #eee }} }}
        @media (prefers-color-scheme: dark) {{ h1 {{ color: #eee }} }}</style>
        <main><h1 style="width:99em">Faint</h1><h2>Paler</h2><img>{buttons}</main>"""
    )
    faults = axe.faults(page)
    for fault in (
        "1280 light: html-has-lang",
        "1280 light: image-alt",
        "1280 dark: color-contrast",
        "390 light: color-contrast",
        "390 light: target-size",
        "390 light: wider than the screen",
    ):
        assert [one for one in faults if one.startswith(fault)], fault
    assert not [one for one in faults if one.startswith(("1280 light: color-contrast", "1280 light: target-size"))]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_page_of_the_server(library: Library, view: View) -> None:
    page = library.page(view.reader)
    view.open(library, page)
    assert axe.faults(page) == []


# Nothing that axe says about the banner may be the fault of the shop's own page.
WIDGET = "consent-widget"


@pytest.mark.parametrize("site", LAYOUTS, ids=LAYOUTS.values())
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_banner(visit: Callable[..., Shop], site: str, lang: str) -> None:
    shop = visit(site)
    shop.serve(lang=lang)
    shop.open()
    expect(shop.banner).to_be_visible()
    assert axe.faults(shop.page, WIDGET) == []


@pytest.mark.parametrize("site", ["shop", "cinema"])
def test_the_preferences(visit: Callable[..., Shop], site: str) -> None:
    shop = visit(site).open()
    shop.unfold_all()
    assert axe.faults(shop.page, WIDGET) == []


def test_the_way_back_and_the_preferences_after_a_choice(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    assert axe.faults(shop.page, WIDGET) == []
    shop.open_preferences()
    assert axe.faults(shop.page, WIDGET) == []


def test_the_placeholder_of_a_frame(visit: Callable[..., Shop]) -> None:
    cinema = visit("cinema")
    cinema.serve(FRAME)
    cinema.open()
    cinema.refuse_all()
    assert axe.faults(cinema.page, "consent-placeholder") == []
