"""A policy may have an address for each language: every page and every receipt links the reader's."""

from flask.testing import FlaskClient

from tests.support import jose
from tests.support.factories import TABLES, TOP, Body, notice_of, site_file
from tests.support.sites import Apply
from tests.support.visitor import config, post

PRIVACY = 'url = "https://shop.example/privacy"'
BY_LANGUAGE = TABLES.replace(
    PRIVACY, 'url = { en = "https://shop.example/en/privacy", fr = "https://shop.example/fr/vie-privee" }'
)
ADDRESSES = {"en": "https://shop.example/en/privacy", "fr": "https://shop.example/fr/vie-privee"}
COOKIES = "https://shop.example/cookies"


def test_every_page_links_the_address_of_its_language(client: FlaskClient, apply_site: Apply) -> None:
    notice = apply_site(site_file(tables=BY_LANGUAGE))
    for language, address in ADDRESSES.items():
        others = set(ADDRESSES.values()) - {address}
        banner = config(client.get(f"/widget/shop.js?lang={language}").text)["shown"]
        assert [shown[1]["href"] for shown in banner if shown[0] == "a"] == [address, COOKIES]
        pages = [
            client.get(f"/sites/shop/choice?lang={language}"),
            client.get(f"/sites/shop/declaration?lang={language}&format=html"),
            client.get(f"/sites/shop/declaration?lang={language}&format=elements"),
            client.get(f"/v1/notices/{notice}?format=html&lang={language}"),
        ]
        for page in pages:
            assert page.status_code == 200, page.request.path
            assert address in page.text, page.request.path
            assert COOKIES in page.text, page.request.path
            assert not [other for other in others if other in page.text], page.request.path
        declared = client.get(f"/sites/shop/declaration?lang={language}&format=json").get_json()["policy"]
        assert {name: policy["url"] for name, policy in declared.items()} == {"privacy": address, "cookies": COOKIES}
        recorded = post(client, Body(notice)(language=language)).get_json()
        assert jose.claims(recorded["receipt"])["policy"]["privacy"] == {"version": "2026-03-01", "url": address}
        receipt = client.get(recorded["receipt_url"], headers={"Accept": "text/html"}).text
        assert address in receipt


def test_a_language_without_an_address_has_the_one_of_the_default(apply_site: Apply) -> None:
    default = TABLES.replace(PRIVACY, 'url = { fr = "https://shop.example/fr" }')
    text = site_file(f'{TOP}default_language = "fr"\n', tables=default)
    body = notice_of(text).body
    assert body["policy"]["privacy"]["url"] == {"en": "https://shop.example/fr", "fr": "https://shop.example/fr"}
    assert apply_site(text)


def test_one_address_for_all_stays_as_it_was() -> None:
    assert notice_of(site_file()).body["policy"]["privacy"]["url"] == "https://shop.example/privacy"


def test_a_receipt_in_no_language_of_the_notice_has_the_address_of_its_first(
    client: FlaskClient, apply_site: Apply
) -> None:
    notice = apply_site(site_file(tables=BY_LANGUAGE))
    recorded = post(client, Body(notice)(language="tlh"))
    assert recorded.status_code == 201
    claims = jose.claims(recorded.get_json()["receipt"])
    assert (claims["language"], claims["policy"]["privacy"]["url"]) == ("und", ADDRESSES["en"])
