"""The tag's script: small, cacheable, compressed once, the same bytes for everyone (contract, section 2)."""

import gzip
import hashlib
import json
import re

import brotli
import pytest
from flask.testing import FlaskClient

from consent_server.core.context import Context
from consent_server.core.resources import ROOT
from consent_server.sites import catalogue
from consent_server.sites.current_site import CurrentSites
from consent_server.widget.serve import ServeWidget
from tests.support.factories import ADS, ANALYTICS, PUBLIC_URL, SHOP, TOP, TYPEFORM, VENDORS, site_file
from tests.support.sites import Apply
from tests.support.visitor import config

CACHE = "public, max-age=300, stale-while-revalidate=86400"
SCRIPTS = ["/widget/shop.js", "/widget/shop/preferences.js", "/widget/shop/details.js"]


@pytest.mark.parametrize("path", SCRIPTS)
def test_the_headers_that_the_contract_names(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Origin": SHOP})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == CACHE
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert {"Accept-Encoding", "Accept-Language"} <= set(response.vary)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", SCRIPTS)
def test_every_encoding_holds_the_same_bytes_under_a_name_of_its_own(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    brotlied = client.get(path, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    gzipped = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert [r.headers.get("Content-Encoding") for r in (plain, brotlied, gzipped)] == [None, "br", "gzip"]
    assert brotli.decompress(brotlied.data) == gzip.decompress(gzipped.data) == plain.data
    assert len(brotlied.data) < len(gzipped.data) < len(plain.data)
    tags = [r.headers["ETag"] for r in (plain, brotlied, gzipped)]
    assert len(set(tags)) == 3
    assert all(tag.startswith('"') for tag in tags)


@pytest.mark.parametrize("accepted", ["", "identity", "br;q=0", "gzip;q=0, br;q=0", "zstd"])
def test_what_is_not_accepted_is_not_sent(client: FlaskClient, accepted: str) -> None:
    response = client.get("/widget/shop.js", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("path", SCRIPTS)
@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
def test_who_has_it_gets_304(client: FlaskClient, path: str, accepted: str) -> None:
    first = client.get(path, headers={"Accept-Encoding": accepted})
    tag = first.headers["ETag"]
    headers = {"Accept-Encoding": accepted, "If-None-Match": tag}
    again = client.get(path, headers=headers)
    assert (again.status_code, again.data) == (304, b"")
    assert (again.headers["ETag"], again.headers["Cache-Control"]) == (tag, CACHE)
    assert "Accept-Encoding" in again.vary
    other = client.get(path, headers=headers | {"If-None-Match": '"other"'})
    assert (other.status_code, other.data) == (200, first.data)


def test_compressed_once_and_not_per_request(client: FlaskClient, services: Context) -> None:
    for _ in range(2):
        client.get("/widget/shop.js", headers={"Accept-Encoding": "br"})
    current = services[CurrentSites].get("shop")
    script = services[ServeWidget].main(current, "en")
    assert services[ServeWidget].main(services[CurrentSites].get("shop"), "en") is script
    assert script.br is script.br
    assert {"br", "gzip"} <= vars(script).keys()
    assert client.get("/widget/shop.js", headers={"Accept-Encoding": "br"}).data == script.br


@pytest.mark.parametrize("key", ["nope", "SHOP", '");alert(1)', "<!--<script>", "\u2028", "%0a", "%5c", "x" * 500])
def test_a_tag_that_names_no_site_says_so_in_the_page(client: FlaskClient, key: str) -> None:
    path = f"/widget/{key}.js"
    response = client.get(path, headers={"Sec-Fetch-Dest": "script", "Origin": SHOP})
    assert (response.status_code, response.content_type) == (200, "text/javascript; charset=utf-8")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Vary"] == "Sec-Fetch-Dest"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    said = re.fullmatch(r'console\.warn\(("[ -~]*")\);\n', response.text)
    assert said
    assert "<" not in response.text
    assert json.loads(said[1]).startswith('consent: there is no site "')
    assert len(response.data) < 700
    for destination in ({}, {"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Dest": "empty"}):
        assert client.get(path, headers=destination).status_code == 404


@pytest.mark.parametrize("path", [*(path.replace("shop", "nowhere") for path in SCRIPTS), "/widget/%00.js"])
def test_an_unknown_site(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "*/*", "Origin": SHOP})
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


def languages(client: FlaskClient, asked: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """What is served for each query and Accept-Language."""
    return {
        (query, accepted): client.get(
            f"/widget/shop.js{query}", headers={"Accept-Language": accepted} if accepted else {}
        ).headers["Content-Language"]
        for query, accepted in asked
    }


def test_the_language(client: FlaskClient) -> None:
    wanted = {
        ("?lang=fr", "en"): "fr", ("?lang=FR", "en"): "fr", ("", "fr"): "fr", ("", "fr-CA,fr;q=0.9,en;q=0.8"): "fr",
        ("", "de,fr;q=0.5,en;q=0.3"): "fr", ("", "de"): "en", ("", ""): "en", ("?lang=de", "fr"): "fr",
        ("?lang=", "fr"): "fr", ("?lang=%00", ""): "en", ("", "fr;q=0, en"): "en", ("?lang=fr-CA", "en"): "fr",
        ("", "\u00e9"): "en", ("", "fr;q=x"): "en",
    }  # fmt: skip
    assert languages(client, wanted) == wanted
    for path in SCRIPTS:
        assert config(client.get(f"{path}?lang=fr").text)["language"] == "fr"


def test_the_sites_default_is_for_those_whose_language_is_not_offered(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(site_file(f'{TOP}default_language = "fr"\n'))
    wanted = dict.fromkeys((("", ""), ("", "de"), ("", "*"), ("", "de, *;q=0.1"), ("", "de-AT, de;q=0.9")), "fr")
    assert languages(client, wanted) == wanted


def test_a_publication_is_served_within_a_second(client: FlaskClient, apply_site: Apply) -> None:
    before = client.get("/widget/shop.js")
    published = apply_site(site_file(TOP.replace("Example Shop", "Renamed Shop")))
    after = client.get("/widget/shop.js", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert config(after.text)["notice"] == published
    assert "Renamed Shop" in after.text


def test_an_id_that_changes_is_served_without_a_new_notice(client: FlaskClient, apply_site: Apply) -> None:
    before = config(client.get("/widget/shop.js").text)
    apply_site(site_file(vendors=VENDORS.replace("G-ABCD123456", "G-NEWER12345")))
    after = config(client.get("/widget/shop.js").text)
    assert [vendor["ids"] for vendor in after["vendors"]] == [["G-NEWER12345"], ["AW-123456789"], ["1234567890123456"]]
    assert (after["notice"], after["revision"]) == (before["notice"], before["revision"])


def test_the_data_of_the_first_view(client: FlaskClient, notice: str) -> None:
    data = config(client.get("/widget/shop.js").text)
    assert data["site"] == "shop"
    assert data["notice"] == notice
    assert (data["days"], data["layout"]) == (180, "bar")
    # What has its usual value is left out: every byte delays the banner.
    assert not data.get("advanced", False)
    assert data.get("direction", "ltr") == "ltr"
    assert data["purposes"][0]["signals"] == ["analytics_storage"]
    assert [purpose.get("gpc", False) for purpose in data["purposes"]] == [False, True]
    assert data["vendors"][1]["conversions"] == {"signup": ["AW-123456789/AbC-D_efGhIjKlMnOp"]}
    assert data["texts"]["accept"] == "Accept all"
    for said in ("Example Shop", "cookies", "2 third parties", "6 months", "advertising", "withdraw"):
        assert said in data["shown"][2][2]
    assert [name for name, _, _ in data["shown"]] == ["button", "h2", "p", "button", "a", "a"]


def test_several_ids_are_one_vendor_of_the_notice(client: FlaskClient, apply_site: Apply, notice: str) -> None:
    more = f"{VENDORS}{ANALYTICS.replace('ABCD', 'EFGH')}{ADS.replace('AW-1', 'AW-2')}"
    assert apply_site(site_file(vendors=more)) == notice
    vendors = {vendor["key"]: vendor for vendor in config(client.get("/widget/shop.js").text)["vendors"]}
    assert list(vendors) == ["google-analytics", "google-ads", "meta-pixel"]
    assert vendors["google-analytics"]["ids"] == ["G-ABCD123456", "G-EFGH123456"]
    label = "AbC-D_efGhIjKlMnOp"
    assert vendors["google-ads"]["conversions"] == {"signup": [f"AW-123456789/{label}", f"AW-223456789/{label}"]}


def test_hosts_are_sent_for_what_has_no_adapter_alone(client: FlaskClient, apply_site: Apply) -> None:
    own = (
        '[[vendors]]\nkey = "heat-map"\nname = "H"\npurposes = ["analytics"]\npolicy_url = "https://h.example/p"\n'
        'hosts = ["*.h.example"]\n[vendors.operator]\nname = "H"\naddress = "A"\ncountry = "DE"\n'
    )
    apply_site(site_file(vendors=f"{ANALYTICS}{TYPEFORM}{own}"))
    data = config(client.get("/widget/shop.js").text)
    hosts = {vendor["key"]: vendor.get("hosts") for vendor in data["vendors"]}
    assert hosts["google-analytics"] is None
    assert hosts["typeform"] == catalogue.vendors()["typeform"]["hosts"]
    assert hosts["heat-map"] == ["*.h.example"]
    assert data["server"] == PUBLIC_URL


def test_only_the_sheet_of_the_site_s_layout_is_sent(client: FlaskClient, apply_site: Apply) -> None:
    looks = ROOT / "static" / "widget" / "dist" / "looks"
    sheets = {path.stem: path.read_text("utf-8").strip() for path in looks.glob("*.css")}
    assert sheets.keys() >= {"common", "bar", "box", "dialog"}
    for layout in sheets.keys() - {"common"}:
        apply_site(site_file(f'{TOP}[banner]\nlayout = "{layout}"\n'))
        sent = client.get("/widget/shop.js").text
        assert {name for name, sheet in sheets.items() if json.dumps(sheet)[1:-1] in sent} == {"common", layout}


def test_a_token_is_sent_only_where_the_site_sets_it(client: FlaskClient, apply_site: Apply) -> None:
    apply_site(site_file())
    plain = config(client.get("/widget/shop.js").text)["css"]
    assert plain.count(":host") == 2
    tokens = '[banner]\ncorner = "end"\nscheme = "light"\nfont = "page"\nradius = 0\n'
    logo = '[banner.logo]\nurl = "https://shop.example/logo.svg"\nalt = "Shop"\n'
    apply_site(site_file(f'{TOP}{tokens}[banner.colours]\nsurface = "#FFFBE6"\n{logo}'))
    data = config(client.get("/widget/shop.js").text)
    for rule in ("inset-inline:auto 0", "color-scheme:light", "font-family:inherit", "--r:0px", "background:#fffbe6"):
        assert rule in data["css"]
    assert "prefers-color-scheme" not in data["css"]
    assert data["shown"][1] == ["img", {"src": "https://shop.example/logo.svg", "alt": "Shop"}, ""]


def test_only_the_adapters_that_a_site_uses_are_sent(client: FlaskClient, apply_site: Apply) -> None:
    dist = ROOT / "static" / "widget" / "dist" / "vendors"
    google, meta = ((dist / f"{name}.js").read_text("utf-8").strip() for name in ("google", "meta"))
    both = client.get("/widget/shop.js").text
    assert google in both
    assert meta in both
    apply_site(site_file(vendors=TYPEFORM))
    none = client.get("/widget/shop.js").text
    assert google not in none
    assert meta not in none


def test_the_widget_hash_is_of_the_archived_code(client: FlaskClient, apply_site: Apply) -> None:
    for vendors in (VENDORS, TYPEFORM):
        apply_site(site_file(vendors=vendors))
        lines = "\n".join(client.get(path).text.split("\n")[0][:-1] for path in SCRIPTS)
        named = config(client.get("/widget/shop.js").text)["widget"]
        whole = hashlib.sha256(lines.encode()).hexdigest()
        assert whole.startswith(named)
        archived = client.get(f"/v1/widgets/{whole}")
        assert archived.text == lines
        assert archived.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert archived.headers["X-Content-Type-Options"] == "nosniff"
        assert archived.mimetype == "text/plain"


def test_the_overlay_for_developers_knows_names_and_hosts_and_is_no_evidence(
    client: FlaskClient, services: Context
) -> None:
    script = client.get("/widget/shop/debug.js?lang=fr")
    assert {name: script.headers[name] for name in ("Content-Language", "Cache-Control")} == {
        "Content-Language": "fr",
        "Cache-Control": CACHE,
    }
    data = config(script.text)
    assert data["names"]["google-ads"] == "Google Ads"
    assert data["names"]["advertising"] == "Publicité"
    assert "www.googletagmanager.com" in data["hosts"]["google-analytics"]
    assert set(data["hosts"]) == {"google-analytics", "google-ads", "meta-pixel"}
    assert script.text.split("\n")[0][:-1] not in services[CurrentSites].get("shop").widget.archived


@pytest.mark.parametrize("named", ["0" * 64, "x", "%00", "../etc/passwd"])
def test_code_that_was_never_served(client: FlaskClient, named: str) -> None:
    assert client.get(f"/v1/widgets/{named}").status_code == 404


HOSTILE = "</script><script>alert(1)</script><!--"


def test_no_text_can_leave_the_script(client: FlaskClient, apply_site: Apply) -> None:
    top = TOP.replace("Example Shop", HOSTILE)
    apply_site(site_file(f'{top}[texts.en]\ntitle = "{HOSTILE}"\n'))
    for path in SCRIPTS:
        text = client.get(path).text
        assert "<" not in text.split("\n")[1]
    assert config(client.get("/widget/shop.js").text)["texts"]["title"].startswith(HOSTILE)


def test_layer_two_names_each_vendor_with_its_cookies(client: FlaskClient) -> None:
    data = config(client.get("/widget/shop/preferences.js?lang=en").text)
    assert data["controller"] == "Example Shop Ltd, 1 Main Street, Dublin, Ireland"
    assert {"Google Analytics", "Google Ads", "Meta pixel"} <= set(data["names"].values())
    # What nobody has asked for is not there.
    assert "vendors" not in data
    data = config(client.get("/widget/shop/details.js?lang=en").text)
    assert [vendor["key"] for vendor in data["vendors"]] == ["google-analytics", "google-ads", "meta-pixel"]
    for vendor in data["vendors"]:
        assert vendor["operator"]
        assert vendor["policy"].startswith("https://")
        assert vendor["cookies"]
        for cookie in vendor["cookies"]:
            assert cookie["name"]
            assert cookie["lifetime"]
            assert cookie["text"]
