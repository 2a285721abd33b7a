"""The sites of the browser tests, as an operator would declare them."""

from consent_server.core.resources import ROOT
from consent_server.sites import catalogue
from consent_server.sites.widget_code import layout_names
from tests.support.factories import FULL, TOP
from tests.support.factories import site_file as plain_site_file
from tests.support.regions import AMERICA, MATOMO, REGIONS
from tests.support.vendors import EVERY_VENDOR

ORIGIN = "https://a.b.example.co.uk"
DOMAIN = "example.co.uk"
SISTER = f"https://help.{DOMAIN}"

ANALYTICS = "G-SHOP123456"
ADS = "AW-123456789"
SIGNUP = "AW-123456789/AbC-D_efGhIjKlMnOp"
PURCHASE = "AW-123456789/QrS-T_uvWxYzAbCdEf"
PIXEL = "1234567890123456"
CONTAINER = "GTM-SHOP12"

_HEAD = """
key = "{key}"
name = "{name}"
origins = ["{origin}"]
languages = ["en", "fr"]
default_language = "en"
mode = "{mode}"

[controller]
name = "Shop Ltd"
address = "1 High Street, London, United Kingdom"
contact = "privacy@shop.example"

[policy.privacy]
url = "https://shop.example/privacy"
version = "2026-01-01"
[policy.cookies]
url = "https://shop.example/cookies"
version = "2026-01-01"

[statistics]
sample = 0

[banner]
layout = "{layout}"
"""

ANALYTICS_TAG = f"""
[[vendors]]
key = "google-analytics"
id = "{ANALYTICS}"
"""
ADS_TAG = f"""
[[vendors]]
key = "google-ads"
id = "{ADS}"
conversions = {{ signup = "{SIGNUP.partition("/")[2]}", purchase = "{PURCHASE.partition("/")[2]}" }}
"""
PIXEL_TAG = f"""
[[vendors]]
key = "meta-pixel"
id = "{PIXEL}"
"""
CONTAINER_TAG = f"""
[[vendors]]
key = "google-tag-manager"
id = "{CONTAINER}"
"""
# A vendor of the site's own, for which there is no adapter: it is gated in the markup alone.
FILMS = """
[[vendors]]
key = "filmhaus"
name = "Filmhaus"
purposes = ["media"]
policy_url = "https://films.example/privacy"
hosts = ["films.example"]
[vendors.operator]
name = "Filmhaus GmbH"
address = "Platz 1, Berlin, Germany"
country = "DE"
[[vendors.cookies]]
name = "film_seen"
storage = "cookie"
lifetime = 86400
purpose = "widget-state"
"""

# One that keeps something in every kind of storage.
HEAT_MAP = """
[[vendors]]
key = "heat-map"
name = "Heat Map"
purposes = ["analytics"]
policy_url = "https://heatmap.example/privacy"
[vendors.operator]
name = "Heat Map GmbH"
address = "Platz 2, Berlin, Germany"
country = "DE"
""" + "".join(
    f'[[vendors.cookies]]\nname = "{name}"\nstorage = "{storage}"\nexpiry = "none"\npurpose = "visitor-id"\n'
    for storage, name in (
        ("cookie", "_heatmap"), ("indexeddb", "HEATMAP_*"), ("cache", "heatmap-cache"),
        ("service-worker", "/heatmap/worker.js"),
    )
)  # fmt: skip


def site_file(key: str, *vendors: str, mode: str = "basic", layout: str = "bar") -> str:
    """A complete site file."""
    head = _HEAD.format(key=key, name=key.capitalize(), origin=ORIGIN, mode=mode, layout=layout)
    return head + "".join(vendors)


LANGUAGES = sorted(catalogue.locales())


def in_every_language(layout: str) -> str:
    """A site that speaks them all, in whatever font the page has."""
    text = site_file(layout, ANALYTICS_TAG, ADS_TAG, PIXEL_TAG, FILMS, layout=layout)
    text = text.replace("[banner]", '[banner]\nfont = "page"')
    return text.replace('["en", "fr"]', str(LANGUAGES).replace("'", '"'))


# Every token of a banner, and colours that nobody could read as they are given.
LOGO = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAzIDEiLz4="
LOOKS = f"""corner = "end"
radius = 2
font = "page"
[banner.colours]
accent = "#ffdd00"
surface = "#808080"
text = "#909090"
[banner.colours.dark]
accent = "#101030"
surface = "#1a1033"
[banner.logo]
url = "{LOGO}"
alt = "Shop"
"""

# Which page loads are sampled is chance, and tests count requests.
UNSAMPLED = """
[statistics]
sample = 0
"""
SITES = {
    "shop": site_file("shop", ANALYTICS_TAG, ADS_TAG, PIXEL_TAG),
    "manager": site_file("manager", CONTAINER_TAG, PIXEL_TAG),
    "advanced": site_file("advanced", ANALYTICS_TAG, ADS_TAG, mode="advanced"),
    "cinema": site_file("cinema", ANALYTICS_TAG, FILMS, layout="box"),
    "storage": site_file("storage", ANALYTICS_TAG, HEAT_MAP),
    "tongues": site_file("tongues", ANALYTICS_TAG).replace('["en", "fr"]', '["en", "nb", "he", "pt", "zh"]'),
    "group": site_file("group", ANALYTICS_TAG).replace("languages =", f'cookie_domain = "{DOMAIN}"\nlanguages =', 1),
    "styled": site_file("styled", LOOKS, ANALYTICS_TAG, layout="box"),
    "gate": site_file("gate", ANALYTICS_TAG, layout="dialog"),
    "world": site_file("world", MATOMO, PIXEL_TAG, REGIONS),
    "states": site_file("states", ANALYTICS_TAG, ADS_TAG, AMERICA, mode="advanced"),
    "every": site_file("every", EVERY_VENDOR),
    # Pages with mistakes, on an origin that these do not list; the second one is told of it in the end.
    **{key: site_file(key, ANALYTICS_TAG, ADS_TAG, PIXEL_TAG, FILMS) for key in ("mistaken", "mended")},
    **{layout: in_every_language(layout) for layout in sorted(layout_names())},
    # What the demo shop shows; and the site of the receipts, whose controller says all that one can.
    "callbell": (ROOT / "examples" / "callbell.toml").read_text("utf-8") + UNSAMPLED,
    "receipts": plain_site_file(TOP.replace('"shop"', '"receipts"'), FULL) + UNSAMPLED,
}
# A site for each layout: a new one is met on its site in every language.
LAYOUTS = {"shop": "bar", "cinema": "box", "gate": "dialog"}
LAYOUTS |= {layout: layout for layout in sorted(layout_names() - set(LAYOUTS.values()))}
# What a page of the cinema holds back.
OPENED = "https://films.example/watch"
FRAME = f'<iframe data-consent="filmhaus" data-src="{OPENED}" title="Film" width="400" height="225"></iframe>'
