"""A scan as one file to read: it holds its style and its pictures, asks nobody for anything, and runs no script."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, PrefixLoader
from markupsafe import Markup

from consent_server.scans.rules import Scan
from consent_server.scans.view import view_scan

HERE = Path(__file__).parent
SHEETS = (
    HERE.parent / "http" / "assets" / "tokens.css",
    HERE.parent / "http" / "assets" / "page.css",
    HERE / "assets" / "scan.css",
)


def scan_page(scan: Scan) -> str:
    """The whole page."""
    style = "".join(sheet.read_text("utf-8") for sheet in SHEETS)
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _environment().get_template("scans/report.html")
    # Our own sheets, which hold nothing of the site.
    return page.render(scan=view_scan(scan), style=Markup(style), style_hash=style_hash)  # noqa: S704


@cache
def _environment() -> Environment:
    return Environment(loader=PrefixLoader({"scans": FileSystemLoader(HERE / "templates")}), autoescape=True)
