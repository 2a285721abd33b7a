"""Take pictures of the banners that a site showed, as its archived code draws them from what it was served with."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from html import escape
from pathlib import Path

from consent_server.core.database import Database
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_notices as notices
from consent_server.sites import store_pictures as pictures
from consent_server.sites.configure_widget import called
from consent_server.sites.missing_pictures import SIZES, missing_pictures
from consent_server.sites.rules_notice import Configuration
from consent_server.sites.store_pictures import Motif
from consent_server.widget.chromium import Chromium

# What every banner has: the button by which tools and tests know it.
BANNER = 'data-action="accept"'
# An empty page that loads the code as a site does. Its own policy lets nothing else in; the browser has no network.
PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src file:; style-src 'unsafe-inline'">
<title>{site}</title>
<script async src="widget/{site}.js"></script>
</head>
<body></body>
</html>
"""


def picture_notice(database: Database, chromium: Chromium, now: Callable[[], datetime], key: str, motif: Motif) -> bool:
    """Take one picture and keep it; False when another process was faster.

    The browser works between the reading and the one short transaction: it takes a second, and must hold up nobody.
    Raises PictureUnavailable.
    """
    with database.reading() as session:
        code = notices.widget_code(session, motif.widget)
        served = configurations.newest(session, motif.notice, motif.widget, motif.language)
    png, browser = _drawn(chromium, key, code, served, motif.width), chromium.version
    with database.transaction() as session:
        return pictures.add(session, motif, png, browser, now())


def picture_missing(database: Database, chromium: Chromium, now: Callable[[], datetime], key: str) -> Iterator[Motif]:
    """Take the pictures of a site that are missing, and name each as it is kept: ended early, nothing is lost."""
    for motif in missing_pictures(database, key):
        if picture_notice(database, chromium, now, key, motif):
            yield motif


def _drawn(chromium: Chromium, site: str, code: str, served: Configuration, width: int) -> bytes:
    main = code.partition("\n")[0]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(PAGE.format(language=escape(served.language), site=escape(site)), "utf-8")
        (Path(folder) / "widget").mkdir()
        (Path(folder) / "widget" / f"{site}.js").write_text(called(main, served.main), "utf-8")
        return chromium.picture(page, (width, SIZES[width]), BANNER)
