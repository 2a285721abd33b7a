"""A site with a region for each rule, and what it shows in each."""

import json

from consent_server.core.canonical import encode
from consent_server.core.hashes import sha256_hex
from consent_server.sites.publish import notice_body
from consent_server.sites.rules_notice import Notice
from consent_server.sites.site_file import read_site_file
from consent_server.sites.site_regions import declared_in
from tests.support.factories import META, site_file

MATOMO = '[[vendors]]\nkey = "matomo"\nid = "shop.matomo.cloud/1"\n'
AMERICA = """
[[regions]]
key = "america"
places = ["US"]
rule = "opt-out"
"""
# One region for each rule, and one where statistics run until somebody objects while advertising is asked for.
REGIONS = f"""
[[regions]]
key = "europe"
places = ["EEA", "CH"]
rule = "opt-in"
[[regions]]
key = "britain"
places = ["GB"]
rule = "opt-in"
[regions.purposes.analytics]
basis = "objection"
{AMERICA}
[[regions]]
key = "utah"
places = ["US-UT"]
rule = "notice"
[regions.texts.en]
link = "Privacy"
[[regions]]
key = "elsewhere"
places = ["*"]
rule = "none"
"""
WORLD = site_file(vendors=MATOMO + META) + REGIONS


def shown_in(key: str, text: str = WORLD) -> Notice:
    """The notice of a region."""
    declared = read_site_file(text)
    region = next(region for region in declared["regions"] if region["key"] == key)
    body = encode(notice_body(declared_in(declared, region)))
    return Notice(sha256_hex(body), json.loads(body))
