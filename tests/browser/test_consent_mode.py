"""The dataLayer, call by call: Google reads Arguments objects in the order default, update, js, config."""

from collections.abc import Callable

from .shop import ADVERTISING, EVERYTHING, Shop, signals
from .site_files import ADS, ANALYTICS

DEFAULT = ["consent", "default", signals()]
JS = ["js", "a date"]


def update(*granted: str) -> list[object]:
    """The one update that follows a decision: all seven types."""
    return ["consent", "update", signals(*granted)]


def test_before_a_choice_there_is_the_default_alone(shop: Shop) -> None:
    shop.open()
    assert shop.data_layer() == [DEFAULT]


def test_accepting_is_default_update_js_config(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    assert shop.data_layer() == [DEFAULT, update(*EVERYTHING), JS, ["config", ANALYTICS], ["config", ADS]]


def test_refusing_is_one_update_and_no_more(shop: Shop) -> None:
    shop.open()
    shop.refuse_all()
    assert shop.data_layer() == [DEFAULT, update()]


def test_only_analytics_grants_one_type(shop: Shop) -> None:
    shop.open()
    shop.choose(analytics=True)
    assert shop.data_layer() == [DEFAULT, update("analytics_storage"), JS, ["config", ANALYTICS]]


def test_only_advertising_grants_three_types(shop: Shop) -> None:
    shop.open()
    shop.choose(advertising=True)
    assert shop.data_layer() == [DEFAULT, update(*ADVERTISING), JS, ["config", ADS]]


def test_ads_off_takes_the_advertising_types_with_it(shop: Shop) -> None:
    """A linked Analytics property collects for Ads on ad_storage alone."""
    shop.open()
    shop.choose(analytics=True, advertising=True, google_ads=False)
    assert shop.data_layer() == [DEFAULT, update("analytics_storage"), JS, ["config", ANALYTICS]]


def test_a_return_visit_says_the_same_in_the_same_order(shop: Shop) -> None:
    shop.open()
    shop.accept_all()
    shop.reload()
    shop.settle()
    assert shop.data_layer() == [DEFAULT, update(*EVERYTHING), JS, ["config", ANALYTICS], ["config", ADS]]


def test_every_hit_says_what_was_granted(shop: Shop) -> None:
    shop.open()
    shop.choose(analytics=True)
    assert [one.query["gcs"] for one in shop.vendors.requests if "gcs" in one.query] == ["G101"]


def test_a_container_starts_with_its_own_event(visit: Callable[..., Shop]) -> None:
    shop = visit("manager").open()
    assert shop.data_layer() == [["consent", "default", signals()]]
    shop.accept_all()
    layer = "dataLayer.filter(({ event }) => event != 'consent_change')"
    kinds = shop.page.evaluate(f"{layer}.map((one) => [Object.prototype.toString.call(one), one[1] ?? one.event])")
    assert kinds == [
        ["[object Arguments]", "default"],
        ["[object Arguments]", "update"],
        ["[object Object]", "gtm.js"],
    ]
    assert [one.path for one in shop.vendors.requests if one.host == "www.googletagmanager.com"] == ["/gtm.js", "/a"]


def test_a_refused_container_is_never_asked_for(visit: Callable[..., Shop]) -> None:
    shop = visit("manager").open()
    shop.refuse_all()
    shop.reload()
    shop.settle()
    assert shop.vendors.requests == []


def test_advanced_mode_loads_google_denied_and_sets_no_cookie(visit: Callable[..., Shop]) -> None:
    shop = visit("advanced").open()
    shop.settle()
    default = ["consent", "default", {**signals(), "wait_for_update": 500}]
    redaction = ["set", "ads_data_redaction", True]
    assert shop.data_layer() == [default, redaction, JS, ["config", ANALYTICS], ["config", ADS]]
    assert shop.vendors.scripts == ["www.googletagmanager.com/gtag/js"]
    assert shop.context.cookies() == []
    shop.refuse_all()
    assert shop.data_layer()[5:] == [update()]
    assert shop.cookies() == {"eu-consent"}


def test_advanced_mode_is_told_of_a_grant_by_one_update(visit: Callable[..., Shop]) -> None:
    shop = visit("advanced").open()
    shop.settle()
    shop.accept_all()
    assert shop.data_layer()[5:] == [update(*EVERYTHING)]
    assert shop.vendors.scripts == ["www.googletagmanager.com/gtag/js"]
    assert shop.vendors.views == [ANALYTICS]
