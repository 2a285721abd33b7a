"""A demo shop on an origin of its own, with the consent tag pasted into every page.

    python examples/shop/serve.py

DEMO_PORT (8001), CONSENT_URL (http://127.0.0.1 on PORT, 8000) and DEMO_SITE (callbell) change where it
listens, which consent server it asks, and for which site. Standard library only; answers this machine alone.
"""

import os
import re
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

HERE = Path(__file__).parent
TITLES = {"/": "Bells that answer", "/bell": "Bell No. 1", "/thanks": "Thank you"}
PAGES = {"/": "home.html", "/bell": "bell.html", "/thanks": "thanks.html"}
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# Allowed from the start, so that a grant needs no reload: it is the tag that keeps these hosts out.
SCRIPTS = (
    "https://*.googletagmanager.com https://www.googleadservices.com https://*.g.doubleclick.net "
    "https://www.google.com https://connect.facebook.net https://cdn.brevo.com https://js.driftt.com "
    "https://*.sentry-cdn.com https://static.zdassets.com https://*.zdassets.com https://embed.typeform.com"
)
BEACONS = (
    "https://*.google-analytics.com https://*.analytics.google.com https://*.googletagmanager.com "
    "https://*.g.doubleclick.net https://www.google.com https://google.com https://www.googleadservices.com "
    "https://pagead2.googlesyndication.com https://connect.facebook.net https://www.facebook.com "
    "https://*.brevo.com https://*.drift.com https://*.driftt.com https://*.ingest.sentry.io "
    "https://*.zdassets.com https://*.zendesk.com"
)
FRAMES = (
    "https://www.googletagmanager.com https://td.doubleclick.net https://www.facebook.com https://*.driftt.com "
    "https://form.typeform.com https://app.livestorm.co"
)


def content_policy(nonce: str, consent_url: str) -> str:
    """The strict policy of a page: inline scripts and styles run only with this answer's nonce."""
    return "; ".join((
        "default-src 'none'",
        f"script-src 'nonce-{nonce}' {SCRIPTS}",
        f"connect-src 'self' {consent_url} {BEACONS}",
        f"img-src 'self' data: {BEACONS}",
        f"frame-src {FRAMES}",
        "style-src 'self'",
        "form-action 'self' https://www.facebook.com",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ))  # fmt: skip


class Shop(ThreadingHTTPServer):
    """The shop for one site of one consent server."""

    daemon_threads = True

    def __init__(self, port: int, consent_url: str, site: str) -> None:
        if not re.fullmatch(r"https?://[\w.:\[\]/-]+", consent_url):
            raise SystemExit(f"CONSENT_URL is no address: {consent_url}")
        if not re.fullmatch(r"[a-z0-9-]+", site):
            raise SystemExit(f"DEMO_SITE is no site key: {site}")
        super().__init__(("127.0.0.1", port), Page)
        self.consent_url = consent_url.rstrip("/")
        self.site = site

    @property
    def url(self) -> str:
        """Where the shop answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def page(self, path: str, nonce: str) -> str:
        """A whole page, with the one tag in its head."""
        values = {"nonce": nonce, "consent_url": self.consent_url, "site": self.site, "title": TITLES[path]}
        main = Template(_text(f"pages/{PAGES[path]}")).substitute(values)
        return Template(_text("pages/layout.html")).substitute(values, main=main, path=path)

    @property
    def consent_origin(self) -> str:
        """What a content policy names: the consent server without a path."""
        parts = urlsplit(self.consent_url)
        return f"{parts.scheme}://{parts.netloc}"


class Page(BaseHTTPRequestHandler):
    """One request."""

    server: Shop
    protocol_version = "HTTP/1.1"
    server_version = "shop"
    sys_version = ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in PAGES:
            self._page(path)
        elif (asset := HERE / path.lstrip("/")).parent == HERE / "assets" and asset.suffix in TYPES and asset.is_file():
            self._answer(HTTPStatus.OK, TYPES[asset.suffix], asset.read_bytes())
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such page. Go back to /\n")

    do_HEAD = do_GET

    def _page(self, path: str) -> None:
        nonce = secrets.token_urlsafe(16)
        policy = content_policy(nonce, self.server.consent_origin)
        body = self.server.page(path, nonce).encode()
        self._answer(HTTPStatus.OK, "text/html", body, {"Content-Security-Policy": policy})

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "strict-origin-when-cross-origin")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the panel in the page tells what happens."""


def _text(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def main() -> None:
    """Serve until interrupted."""
    shop = Shop(
        int(os.environ.get("DEMO_PORT", "8001")),
        os.environ.get("CONSENT_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"),
        os.environ.get("DEMO_SITE", "callbell"),
    )
    print(f"demo shop: {shop.url}", flush=True)
    try:
        shop.serve_forever()
    except KeyboardInterrupt:
        shop.server_close()


if __name__ == "__main__":
    main()
