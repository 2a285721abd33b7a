"""The widget and its peers on one page: bytes, time to the banner, main-thread time, INP, shifts, axe-core, answers.

Usage: python -m bench.widget [--rounds 9] [--alone]
Each load has a fresh profile, at 4x processor throttling, and each banner comes from another origin than the page, as
by a pasted tag. The bare page is loaded in the same rounds: its main-thread time is taken off, and a press of its plain
button is what an answer's time from click to paint is compared with. That time is the browser's own INP, the longest
event of the interaction, which Chromium tells in steps of 8 ms. Nothing looks frame by frame: the banner is seen by an
IntersectionObserver on its button.
"""

import argparse
import http.server
import math
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import brotli
from playwright.sync_api import Browser, Page, Response, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
from bench.peers import PEERS, Peer, fetch
from bench.servers import serve_product

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
WATCH = """
window.seen = {shift: 0, long: 0};
const watch = (type, tell, more) =>
  new PerformanceObserver((list) => list.getEntries().forEach(tell)).observe({type, buffered: true, ...more});
watch("layout-shift", (entry) => (seen.shift += entry.value));
watch("longtask", (entry) => (seen.long = Math.max(seen.long, entry.duration)));
const interacted = ({interactionId, duration}) => {
  if (interactionId) seen.inp = Math.max(seen.inp || 0, duration);
};
watch("event", interacted, {durationThreshold: 16});
// However short it is.
watch("first-input", interacted);
const inView = new IntersectionObserver((entries) => {
  for (const {isIntersecting, boundingClientRect} of entries)
    if (isIntersecting && boundingClientRect.height > 0) seen.at ??= performance.now();
});
const added = new MutationObserver(() => {
  // Some make their buttons twice.
  const button = document.querySelector(ACCEPT);
  if (seen.at) added.disconnect();
  else if (button) inView.observe(button);
});
added.observe(document, {subtree: true, childList: true});
"""
# What the page itself makes the main thread do; the rest of its tasks is the browser's own.
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
TEXT = "<h1>A page</h1>" + "<p>Some words that a visitor came to read.</p>" * 40
# What each click is compared with. It stands on the bare page only.
PLAIN = '<button onclick="this.textContent = 1">A button</button>'
# After the banner is there: what it still does then counts as well.
REST_MS = 700
# As long as a finger holds a button, so that press and click have frames of their own.
PRESS_MS = 80
OURS = "this widget"
_AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Load:
    """What one load showed. Times in milliseconds; `inp` is nan where the browser tells of no interaction."""

    visible: float
    work: float
    shift: float
    long: float
    inp: float
    bytes: int
    requests: int


@contextmanager
def pages(folder: Path, heads: dict[str, str]) -> Iterator[str]:
    """A page for each head, and the files below the folder."""

    @cache
    def compressed(path: Path) -> bytes:
        return brotli.compress(path.read_bytes(), quality=11)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            place = urlsplit(self.path).path.removeprefix("/")
            if place in heads:
                head = f"<!doctype html><html lang=en><head><title>x</title>{heads[place]}</head>"
                text = f"{head}<body><main>{'' if heads[place] else PLAIN}{TEXT}</main>"
                self._send(text.encode(), "text/html; charset=utf-8", {})
                return
            path = (folder / place).resolve()
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                self._send(b"", "text/plain", {})
                return
            kind = "text/css" if place.endswith(".css") else "text/javascript"
            self._send(compressed(path), kind, {"Content-Encoding": "br"})

        def _send(self, body: bytes, kind: str, more: dict[str, str]) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
                self.send_header(name, value)
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


def press(page: Page, button: str) -> None:
    """Click by the mouse alone: Playwright's own click listens in the page."""
    box = page.locator(button).first.bounding_box()
    assert box, button
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # The frame of what hovers is not that of the click.
    page.wait_for_timeout(PRESS_MS)
    page.mouse.down()
    page.wait_for_timeout(PRESS_MS)
    page.mouse.up()


def load(browser: Browser, url: str, peer: Peer | None, click: str) -> Load:
    """One load in a fresh profile; `click` is the button to press at the end (CSS)."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    session.send("Performance.enable")
    got: list[int] = []

    def count(response: Response) -> None:
        if response.url != url and response.status == 200 and response.request.method == "GET":
            got.append(int(response.headers.get("content-length", 0)))

    page.on("response", count)
    page.add_init_script(f"const ACCEPT = {peer.accept if peer else 'none'!r};{WATCH}")
    page.goto(url, wait_until="load")
    # On the bare page too: what asks works there as well.
    page.wait_for_function("seen.at" if peer else "seen", polling=100)
    page.wait_for_timeout(REST_MS)
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    size, requests = sum(got), len(got)
    press(page, click)
    page.wait_for_timeout(REST_MS)
    seen: dict[str, Any] = {"at": 0, "inp": math.nan, **page.evaluate("seen")}
    context.close()
    work = sum(metrics[name] for name in WORK) * 1000
    return Load(seen["at"], work, seen["shift"], seen["long"], seen["inp"], size, requests)


def looked_at(browser: Browser, url: str, peer: Peer) -> tuple[int, bool]:
    """How many rules of axe-core the banner breaks, and whether it can be refused where it can be accepted."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(url)
    page.locator(peer.accept).first.wait_for()
    page.wait_for_timeout(REST_MS * 2)
    found = page.evaluate(
        f"(async () => {{ {_AXE}; return (await axe.run({{runOnly: {_TAGS}}})).violations.length; }})()"
    )
    refusable = page.locator(peer.refuse).first.is_visible()
    page.close()
    return int(found), refusable


def middle(loads: list[Load]) -> dict[str, float]:
    """The median of each figure."""
    return {key: statistics.median(getattr(load, key) for load in loads) for key in Load.__dataclass_fields__}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--alone", action="store_true", help="without the peers")
    options = parser.parse_args()
    peers = [] if options.alone else PEERS
    with (
        tempfile.TemporaryDirectory(prefix="consent-bench-") as folder,
        serve_product("widget", None) as server,
        sync_playwright() as playwright,
    ):
        if peers:
            fetch(Path(folder))
        tag = f'<script async src="http://127.0.0.1:{server.port}/widget/shop.js"></script>'
        ours = Peer(OURS, "", tag, "consent-widget [data-action=accept]", "consent-widget [data-action=refuse]")
        every = [ours, *peers]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        heads = {"bare": ""}
        with pages(Path(folder), {}) as files, pages(Path(folder), heads) as site:
            heads |= {f"page-{number}": peer.head.replace('="/', f'="{files}/') for number, peer in enumerate(every)}
            loads: dict[str, list[Load]] = {peer.name: [] for peer in every}
            bare: list[Load] = []
            for turn in range(options.rounds):
                bare.append(load(browser, f"{site}/bare", None, "button"))
                for number, peer in enumerate(every):
                    click = peer.accept if turn % 2 else peer.refuse
                    loads[peer.name].append(load(browser, f"{site}/page-{number}", peer, click))
            looks = {peer.name: looked_at(browser, f"{site}/page-{number}", peer) for number, peer in enumerate(every)}
        browser.close()
    idle = middle(bare)
    print(f"Bare page: {idle['work']:.0f} ms of main thread, {idle['inp']:.0f} ms from click to paint (INP).\n")
    columns = [
        "",
        "bytes",
        "requests",
        "banner, ms",
        "main thread, ms",
        "longest task, ms",
        "INP, ms",
        "above bare",
        "to bare",
    ]
    print(f"| {' | '.join([*columns, 'layout shift', 'axe-core', 'refuse beside accept'])} |\n|---|{'---:|' * 10}---|")
    for name, runs in loads.items():
        seen = middle(runs)
        rules, refusable = looks[name]
        figures = [seen["requests"], seen["visible"], seen["work"] - idle["work"], seen["long"], seen["inp"]]
        cells = [f"{seen['bytes']:,.0f}", *(f"{figure:.0f}" for figure in [*figures, seen["inp"] - idle["inp"]])]
        cells += [f"{seen['inp'] / idle['inp']:.1f}", f"{seen['shift']:.3f}", str(rules), "yes" if refusable else "no"]
        print(f"| {' | '.join([name, *cells])} |")


if __name__ == "__main__":
    main()
