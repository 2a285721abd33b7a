"""When the site publishes another notice: a grant is asked for again where it matters, a refusal is not."""

from collections.abc import Callable

from playwright.sync_api import expect

from .servers import ConsentServer
from .shop import Shop
from .site_files import ADS_TAG, ANALYTICS_TAG, FILMS, site_file


def test_another_vendor_is_asked_for_again_and_nothing_loads_until_then(
    visit: Callable[..., Shop], server: ConsentServer
) -> None:
    server.apply(site_file("growing", ANALYTICS_TAG, ADS_TAG))
    granted, refused = visit("growing").open(), visit("growing").open()
    first = granted.accept_all()
    refused.refuse_all()
    server.apply(site_file("growing", ANALYTICS_TAG, ADS_TAG, FILMS))
    server.wait_for_notice("growing", "filmhaus")

    granted.vendors.forget()
    granted.reload()
    expect(granted.banner).to_be_visible()
    granted.settle()
    assert granted.vendors.requests == []
    second = granted.accept_all()
    assert second["notice"] != first["notice"]
    assert second["change"] is True
    assert second["sub"] == first["sub"]

    refused.reload()
    refused.settle()
    expect(refused.banner).to_have_count(0)
    assert refused.vendors.requests == []


def test_another_version_of_the_policy_alone_disturbs_nobody(visit: Callable[..., Shop], server: ConsentServer) -> None:
    text = site_file("steady", ANALYTICS_TAG)
    server.apply(text)
    shop = visit("steady").open()
    shop.accept_all()
    server.apply(text.replace('version = "2026-01-01"', 'version = "2026-06-01"'))
    server.wait_for_notice("steady", "2026-06-01")
    shop.come_back()
    expect(shop.banner).to_have_count(0)
    assert shop.vendors.scripts == ["www.googletagmanager.com/gtag/js"]
