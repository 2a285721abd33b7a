"""The real widget, called with what a site file would have it called with: kept nowhere, told to nobody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent_server.core.canonical import encode
from consent_server.core.hashes import sha256_hex
from consent_server.sites.configure_widget import called, configure_widget
from consent_server.sites.publish import notice_body, site_of
from consent_server.sites.rules_notice import Notice
from consent_server.sites.site_file import read_site_file
from consent_server.sites.widget_code import widget_code_of


@dataclass(frozen=True, slots=True)
class Preview:
    """The scripts of a page that shows the banner, in the order in which they run, and the page's language."""

    name: str
    language: str
    direction: str
    scripts: tuple[str, ...]


def preview_file(text: str, language: str, public_url: str) -> Preview:
    """What visitors would be shown, in this language if the site has it. Raises InvalidSiteFile."""
    declared = read_site_file(text)
    notice = _notice(declared)
    site = site_of(declared, demo=False)
    code = widget_code_of([notice], (tag.adapter for tag in site.tags if tag.adapter))
    configurations = configure_widget(notice, site, code.hash, public_url)
    shown = language if language in configurations else declared["default_language"]
    texts = configurations[shown].parts
    # The later ones come at once: the frame has no network to fetch them by.
    scripts = tuple(called(expression, texts[part]) for part, expression in code.parts.items())
    return Preview(declared["name"], shown, notice.body["texts"][shown]["direction"], scripts)


def _notice(declared: Mapping[str, Any]) -> Notice:
    stored_as = encode(notice_body(declared))
    return Notice(sha256_hex(stored_as), json.loads(stored_as))
