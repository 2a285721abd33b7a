"""The back ends' checks of the signed state, asked about a browser's real choice; tests/examples/ forges tokens."""

from tests.support.checkers import Checker

from .shop import Shop

META = ("shop", "meta-pixel", ["advertising"])
ANALYTICS = ("shop", "google-analytics", ["analytics"])
ADS = ("shop", "google-ads", ["advertising"])


def cookies_of(shop: Shop) -> str:
    """The Cookie header as it reaches a back end."""
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in shop.context.cookies())


def answers(checkers: dict[str, Checker], shop: Shop, *asked: tuple[str, str, list[str]]) -> dict[str, list[bool]]:
    """What each language's check says to each site, vendor and purposes."""
    return {
        language: [checker.answers(shop.server.url, *what, [cookies_of(shop)]) == [True] for what in asked]
        for language, checker in checkers.items()
    }


def test_a_back_end_sends_what_the_visitor_granted(checkers: dict[str, Checker], shop: Shop) -> None:
    shop.open()
    shop.choose(analytics=True, advertising=True, meta_pixel=False)
    expected = {language: [True, True, False] for language in checkers}
    assert answers(checkers, shop, ANALYTICS, ADS, META) == expected


def test_a_back_end_sends_nothing_without_a_grant(checkers: dict[str, Checker], shop: Shop) -> None:
    nothing = {language: [False, False] for language in checkers}
    shop.open()
    assert answers(checkers, shop, ANALYTICS, META) == nothing
    shop.refuse_all()
    assert answers(checkers, shop, ANALYTICS, META) == nothing
