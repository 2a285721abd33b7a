"""What the site's own code says to gtag and fbq: held until granted, dropped when denied, never broken."""

from collections.abc import Callable

import pytest

from .shop import EVERYTHING, Shop, signals
from .site_files import ADS, ANALYTICS, PIXEL, PURCHASE, SIGNUP

STUB = "window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments)}"
SNIPPET = f"{STUB} gtag('js', new Date()); gtag('config', '{ANALYTICS}');"
# Meta's own snippet, up to the line that would load its script.
PIXEL_STUB = (
    "!function(f,n){if(f.fbq)return;n=f.fbq=function(){n.callMethod?n.callMethod.apply(n,arguments):"
    "n.queue.push(arguments)};if(!f._fbq)f._fbq=n;n.push=n;n.loaded=!0;n.version='2.0';n.queue=[]}(window);"
)
DEFAULT = ["consent", "default", signals()]
UPDATE = ["consent", "update", signals(*EVERYTHING)]
JS = ["js", "a date"]


def inline(code: str) -> str:
    """A script of the site's own."""
    return f"<script>{code}</script>"


@pytest.mark.parametrize("before", [True, False], ids=["before the tag", "after the tag"])
def test_the_usual_snippet_is_harmless(shop: Shop, before: bool) -> None:
    own = inline(SNIPPET)
    shop.serve(head=own + shop.tag() if before else shop.tag() + own)
    shop.open()
    assert shop.data_layer() == [DEFAULT]
    assert shop.vendors.requests == []
    shop.accept_all()
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    calls = shop.data_layer()
    assert calls[:2] == [DEFAULT, UPDATE]
    assert sorted(call[1] for call in calls if call[0] == "config") == [ADS, ANALYTICS]


def test_the_usual_snippet_counts_a_return_visit_once(shop: Shop) -> None:
    shop.serve(head=shop.tag() + inline(SNIPPET))
    shop.open()
    shop.accept_all()
    shop.come_back()
    assert shop.vendors.views == [PIXEL, ANALYTICS]


def test_an_update_that_the_site_pushes_itself_opens_nothing(shop: Shop) -> None:
    grant = "gtag('consent','update',{ad_storage:'granted',analytics_storage:'granted'});"
    shop.serve(head=inline(STUB + grant) + shop.tag() + inline(STUB + grant))
    shop.open()
    shop.refuse_all()
    assert shop.data_layer() == [DEFAULT, ["consent", "update", signals()]]


def test_events_are_held_and_come_after_the_configuration(shop: Shop) -> None:
    shop.open()
    shop.page.evaluate("gtag('event', 'view_item', {items: 1})")
    assert shop.data_layer() == [DEFAULT]
    shop.accept_all()
    held = ["event", "view_item", {"items": 1}]
    assert shop.data_layer() == [DEFAULT, UPDATE, JS, ["config", ANALYTICS], ["config", ADS], held]
    hits = [one.query["en"] for one in shop.vendors.requests if one.host == "region1.google-analytics.com"]
    assert hits == ["page_view", "view_item"]


def test_events_of_a_refuser_are_dropped(shop: Shop) -> None:
    shop.open()
    shop.page.evaluate("gtag('event', 'view_item')")
    shop.refuse_all()
    shop.page.evaluate("gtag('event', 'add_to_cart')")
    assert shop.data_layer() == [DEFAULT, ["consent", "update", signals()]]


def test_an_event_for_a_denied_destination_is_dropped(shop: Shop) -> None:
    shop.open()
    shop.choose(analytics=True)
    shop.page.evaluate(f"gtag('event', 'conversion', {{send_to: '{SIGNUP}'}})")
    shop.page.evaluate(f"gtag('config', '{ADS}')")
    shop.settle()
    assert shop.data_layer()[-1] == ["config", ANALYTICS]
    assert shop.vendors.conversions == []


def test_a_conversion_by_call_is_held_until_granted(shop: Shop) -> None:
    shop.open()
    shop.page.evaluate("consentWidget.conversion('purchase', {value: 48, currency: 'EUR', transaction_id: 'T1'})")
    assert shop.data_layer() == [DEFAULT]
    shop.accept_all()
    params = {"value": 48, "currency": "EUR", "transaction_id": "T1", "send_to": PURCHASE}
    assert shop.data_layer()[-1] == ["event", "conversion", params]
    assert shop.vendors.conversions == [{"send_to": PURCHASE, "value": "48", "currency": "EUR", "id": "T1"}]


def test_a_conversion_by_attribute_is_sent_at_once_after_a_grant(shop: Shop) -> None:
    shop.serve('<button data-conversion="signup" data-value="5" data-currency="EUR"><b>Sign up</b></button>')
    shop.open()
    shop.accept_all()
    shop.page.locator("b").click()
    shop.settle()
    assert shop.data_layer()[-1] == ["event", "conversion", {"value": 5, "currency": "EUR", "send_to": SIGNUP}]
    assert [one["send_to"] for one in shop.vendors.conversions] == [SIGNUP]


def test_conversions_of_a_refuser_are_dropped(shop: Shop) -> None:
    shop.serve('<button data-conversion="signup">Sign up</button>')
    shop.open()
    shop.page.evaluate("consentWidget.conversion('purchase')")
    shop.refuse_all()
    shop.page.get_by_text("Sign up").click()
    shop.page.evaluate("consentWidget.conversion('purchase')")
    shop.settle()
    assert shop.data_layer() == [DEFAULT, ["consent", "update", signals()]]
    assert shop.vendors.requests == []


def test_pixel_calls_are_held_in_order_and_each_comes_once(visit: Callable[..., Shop]) -> None:
    # Meta's script never comes here, so that its queue can be read as it was left.
    shop = visit()
    shop.page.route("**/fbevents.js", lambda route: route.abort())
    shop.serve(head=shop.tag() + inline("addEventListener('load', () => {fbq('track', 'ViewContent', {value: 1})})"))
    shop.open()
    shop.page.evaluate("fbq('trackCustom', 'Rang')")
    assert shop.pixel_queue() == []
    shop.accept_all()
    assert shop.pixel_queue() == [
        ["init", PIXEL],
        ["track", "PageView"],
        ["track", "ViewContent", {"value": 1}],
        ["trackCustom", "Rang"],
    ]


@pytest.mark.parametrize("before", [True, False], ids=["before the tag", "after the tag"])
def test_meta_s_own_snippet_counts_once(shop: Shop, before: bool) -> None:
    own = inline(f"{PIXEL_STUB}fbq('init','{PIXEL}');fbq('track','PageView');")
    shop.serve(head=own + shop.tag() if before else shop.tag() + own)
    shop.open()
    assert shop.vendors.requests == []
    shop.accept_all()
    assert shop.vendors.views == [PIXEL, ANALYTICS]
    shop.come_back()
    assert shop.vendors.views == [PIXEL, ANALYTICS]


def test_pixel_calls_of_a_refuser_are_dropped(shop: Shop) -> None:
    shop.open()
    shop.page.evaluate("fbq('track', 'Lead')")
    shop.refuse_all()
    shop.page.evaluate("fbq('track', 'Lead')")
    assert shop.pixel_queue() == []
    assert shop.vendors.requests == []


def test_a_call_to_grant_the_pixel_is_not_the_site_s_to_make(shop: Shop) -> None:
    shop.open()
    shop.refuse_all()
    shop.page.evaluate(f"fbq('consent', 'grant'); fbq('init', '{PIXEL}'); fbq('track', 'PageView')")
    shop.settle()
    assert shop.pixel_queue() == []
    assert shop.vendors.requests == []
