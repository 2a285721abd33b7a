"""The widget: bytes by part, time to the visible banner, main-thread time at 4x processor throttling.

Usage: python bench/widget.py [--loads 12]
The page is on another origin than the server; the same page without the tag is loaded in turn, and its
main-thread time taken off.
"""

import argparse
import http.server
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import brotli
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.decisions import serve_product  # noqa: E402

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# Frame by frame, so that what is timed is what a frame could show.
WATCH = """
const look = () => {
  const button = document.querySelector('consent-widget [data-action="accept"]');
  if (button && button.getBoundingClientRect().height > 0) window.visibleAt = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# What the page itself makes the main thread do; the rest of its tasks is the browser's own.
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
TEXT = "<h1>A page</h1>" + "<p>Some words that a visitor came to read.</p>" * 40


@contextmanager
def pages(tag: str) -> Iterator[str]:
    """Two pages that differ in the tag alone."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<!doctype html><html lang=en><title>x</title>{tag if self.path == '/with' else ''}{TEXT}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def load(browser: Browser, url: str, wait: bool) -> tuple[float, float]:
    """Milliseconds to the visible banner (0 without) and of main-thread work, in a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    session.send("Performance.enable")
    page.add_init_script(WATCH)
    page.goto(url, wait_until="load")
    if wait:
        page.wait_for_function("window.visibleAt")
    visible = page.evaluate("window.visibleAt || 0")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return float(visible), sum(metrics[name] for name in WORK) * 1000


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=12)
    loads = parser.parse_args().loads
    dist = ROOT / "static" / "widget" / "dist"
    print("| part | bytes | Brotli |\n|---|---:|---:|")
    for part in ("widget.js", "vendors/google.js", "vendors/meta.js", "preferences.js"):
        data = (dist / part).read_bytes()
        print(f"| {part} | {len(data):,} | {len(brotli.compress(data, quality=11)):,} |")
    chromium = shutil.which("chromium")
    with serve_product("widget", None) as server, sync_playwright() as playwright:
        tag = f'<script async src="http://127.0.0.1:{server.port}/widget/callbell.js"></script>'
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with pages(tag) as url:
            load(browser, f"{url}/with", wait=True)
            runs = [(load(browser, f"{url}/with", True), load(browser, f"{url}/without", False)) for _ in range(loads)]
        browser.close()
    visible = [with_tag[0] for with_tag, _ in runs]
    work = [with_tag[1] - without[1] for with_tag, without in runs]
    print("\n| at 4x throttling | median | min | max |\n|---|---:|---:|---:|")
    for name, values in (("banner visible, ms", visible), ("script, style and layout beyond the bare page, ms", work)):
        print(f"| {name} | {statistics.median(values):.0f} | {min(values):.0f} | {max(values):.0f} |")


if __name__ == "__main__":
    main()
