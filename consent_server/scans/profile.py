"""A visitor: a profile of its own in the browser, with one page, which can be led about and asked what it holds."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from consent_server.scans.devtools import BrowserRefused, Devtools
from consent_server.scans.traffic import Traffic

IN_PAGE = Path(__file__).parent / "in_page"
SIZE = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
# A page that always asks for more is done when nothing new began for so many times what another is quiet for.
RESTLESS = 4
STEP = 0.1
# What a server of ours would record or count for good: no scan is a visitor.
HELD = ("/decisions", "/shown", "/page-loads", "/conversions")
WATCHED = ("Network", "Page", "Runtime")


class PageFailed(Exception):
    """A page cannot be looked at; the text says why."""


@dataclass
class Context:
    """Where script can run: a frame of the page, with its session."""

    session: str
    number: int
    main: bool


@dataclass
class Page:
    """What the browser said of the page that is open."""

    status: int | None = None
    url: str = ""
    kind: str = ""
    loaded: bool = False
    document: str = ""


@dataclass
class Profile:
    """One visitor. Made by `visit`."""

    browser: Devtools
    context: str
    session: str
    timeout: float
    quiet: float
    may_open: Callable[[str], bool] | None = None
    may_frame: Callable[[str], bool] | None = None
    traffic: Traffic = field(default_factory=Traffic)
    page: Page = field(default_factory=Page)
    frames: dict[tuple[str, int], Context] = field(default_factory=dict)
    frame: str = ""
    sessions: set[str] = field(default_factory=set)
    _tell: str = ""
    _script: str = ""

    def open(self, url: str) -> None:
        """Load a page, as by hand, and wait until it is quiet. Raises PageFailed."""
        self.traffic.leave(url)
        self.page = Page()
        try:
            answer = self.browser.call("Page.navigate", self.session, url=url)
        except BrowserRefused as error:
            raise PageFailed(f"{url}: {error}") from error
        if failed := answer.get("errorText"):
            raise PageFailed(f"{url} cannot be opened: {failed}.")
        self.frame = answer["frameId"]
        self._wait_until(lambda: self.page.loaded)
        # Many tags wait for the first movement.
        self.browser.send(
            "Input.dispatchMouseEvent", self.session, type="mouseWheel", x=400, y=400, deltaX=0, deltaY=500
        )
        self.settle()
        if self.page.status is not None and self.page.status >= 400:
            raise PageFailed(f"{url} answers {self.page.status}.")

    def settle(self) -> None:
        """Wait until the page is quiet, or as long as a page may take."""
        self.traffic.last_at = time.monotonic()
        self._wait_until(lambda: self.page.loaded and self.traffic.is_quiet(self.quiet, RESTLESS * self.quiet))

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.timeout
        while not holds() and time.monotonic() < deadline:
            self.browser.hear(STEP)

    def body(self) -> str:
        """The text of what is open, as it came: of robots.txt, a sitemap, JSON. Raises PageFailed."""
        try:
            read = self.browser.call("Network.getResponseBody", self.session, requestId=self.page.document)
        except BrowserRefused as error:
            raise PageFailed(f"{self.page.url}: its text cannot be read.") from error
        text = str(read["body"])
        return base64.b64decode(text).decode("utf-8", "replace") if read["base64Encoded"] else text

    def ask_all(self, script: str) -> Iterator[tuple[Context, Any]]:
        """What an expression is in each frame, the page itself first; frames that go meanwhile say nothing."""
        for context in sorted(self.frames.values(), key=lambda one: (not one.main, one.number)):
            try:
                answer = self.browser.call(
                    "Runtime.evaluate", context.session, expression=script, contextId=context.number,
                    awaitPromise=True, returnByValue=True,
                )  # fmt: skip
            except BrowserRefused:
                continue
            if "exceptionDetails" not in answer:
                yield context, answer["result"].get("value")

    def press(self, context: Context, x: float, y: float) -> None:
        """As with a mouse."""
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.send(
                "Input.dispatchMouseEvent", context.session, type=kind, x=x, y=y, button="left", clickCount=1
            )

    def cookies(self) -> list[dict[str, Any]]:
        """All that are in the profile, of whatever site."""
        found: list[dict[str, Any]] = self.browser.call("Storage.getCookies", browserContextId=self.context)["cookies"]
        return found

    def picture(self) -> bytes:
        """The page as it is seen, as JPEG; empty where the browser takes none."""
        try:
            taken = self.browser.call("Page.captureScreenshot", self.session, format="jpeg", quality=65)
        except BrowserRefused:
            return b""
        return base64.b64decode(taken["data"])

    def listen(self, session: str, event: str, told: dict[str, Any]) -> None:
        """What the browser tells. Events of other visitors, and of what is not looked at, are let go."""
        handle = session in self.sessions and getattr(self, f"_on_{event.replace('.', '_')}", None)
        if handle:
            handle(session, told)

    def watch(self, session: str, tell: str, script: str) -> None:
        """Have a page, a frame or a worker tell of itself; those that it starts wait until they are watched too."""
        self._tell, self._script = tell, script
        self.sessions.add(session)
        for domain in WATCHED:
            self.browser.send(f"{domain}.enable", session)
        self.browser.send("Runtime.addBinding", session, name=tell)
        self.browser.send("Page.addScriptToEvaluateOnNewDocument", session, source=script, runImmediately=True)
        patterns: list[dict[str, str]] = [{"urlPattern": f"*/v1/sites/*{name}"} for name in HELD]
        if self.may_open:
            patterns.append({"urlPattern": "*", "resourceType": "Document"})
        self.browser.send("Fetch.enable", session, patterns=patterns)
        self.browser.send("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        self.browser.send("Runtime.runIfWaitingForDebugger", session)

    # Events.

    def _on_Network_requestWillBeSent(self, session: str, told: dict[str, Any]) -> None:
        if told.get("type") == "Document" and told.get("frameId") == (self.frame or told.get("frameId")):
            self.page.document = told["requestId"]
        self.traffic.asked(told)

    def _on_Network_webSocketCreated(self, session: str, told: dict[str, Any]) -> None:
        self.traffic.connected(told)

    def _on_Network_responseReceived(self, session: str, told: dict[str, Any]) -> None:
        if told["requestId"] == self.page.document:
            answer = told["response"]
            self.page.status, self.page.url, self.page.kind = answer["status"], answer["url"], answer["mimeType"]

    def _on_Network_responseReceivedExtraInfo(self, session: str, told: dict[str, Any]) -> None:
        self.traffic.answered(told)

    def _on_Network_loadingFinished(self, session: str, told: dict[str, Any]) -> None:
        self.traffic.ended(told)

    _on_Network_loadingFailed = _on_Network_loadingFinished

    def _on_Fetch_requestPaused(self, session: str, told: dict[str, Any]) -> None:
        number, url = told["requestId"], told["request"]["url"]
        if urlsplit(url).path.endswith(HELD):
            self.browser.send("Fetch.failRequest", session, requestId=number, errorReason="InternetDisconnected")
            return
        # Each step of a redirect comes by here.
        allowed = self.may_open if told["frameId"] == self.frame else self.may_frame
        if allowed is None or allowed(url):
            self.browser.send("Fetch.continueRequest", session, requestId=number)
        else:
            self.browser.send("Fetch.failRequest", session, requestId=number, errorReason="BlockedByClient")

    def _on_Page_loadEventFired(self, session: str, told: dict[str, Any]) -> None:
        if session == self.session:
            self.page.loaded = True

    def _on_Page_frameStartedNavigating(self, session: str, told: dict[str, Any]) -> None:
        # A page that loads itself anew, as after a withdrawal.
        if session == self.session and told.get("frameId") == self.frame:
            self.page.loaded = "sameDocument" in str(told.get("navigationType", ""))

    def _on_Page_javascriptDialogOpening(self, session: str, told: dict[str, Any]) -> None:
        self.browser.send("Page.handleJavaScriptDialog", session, accept=False)

    def _on_Runtime_executionContextCreated(self, session: str, told: dict[str, Any]) -> None:
        made = told["context"]
        about = made.get("auxData") or {}
        if about.get("isDefault"):
            main = session == self.session and about.get("frameId") == (self.frame or about.get("frameId"))
            self.frames[session, made["id"]] = Context(session, made["id"], main)

    def _on_Runtime_executionContextDestroyed(self, session: str, told: dict[str, Any]) -> None:
        self.frames.pop((session, told["executionContextId"]), None)

    def _on_Runtime_executionContextsCleared(self, session: str, told: dict[str, Any]) -> None:
        self.frames = {key: context for key, context in self.frames.items() if context.session != session}

    def _on_Runtime_bindingCalled(self, session: str, told: dict[str, Any]) -> None:
        if told["name"] == self._tell:
            self.traffic.wrote(told["payload"])

    def _on_Target_attachedToTarget(self, session: str, told: dict[str, Any]) -> None:
        self.watch(told["sessionId"], self._tell, self._script)

    def _on_Target_detachedFromTarget(self, session: str, told: dict[str, Any]) -> None:
        self._on_Runtime_executionContextsCleared(told["sessionId"], told)


@contextmanager
def visit(
    browser: Devtools,
    timeout: float,
    quiet: float,
    may_open: Callable[[str], bool] | None = None,
    may_frame: Callable[[str], bool] | None = None,
) -> Iterator[Profile]:
    """A new visitor, gone with all that was kept at the end. `quiet`: seconds without a request end a page."""
    agent = browser.call("Browser.getVersion")["userAgent"].replace("HeadlessChrome", "Chrome")
    context = browser.call("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
    target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    profile = Profile(browser, context, session, timeout, quiet, may_open, may_frame)
    profile.frame = target
    browser.listeners.append(profile.listen)
    tell = f"_{secrets.token_hex(8)}"
    profile.watch(session, tell, (IN_PAGE / "observe.js").read_text("utf-8").replace("__TELL__", tell))
    browser.call("Browser.setDownloadBehavior", behavior="deny", browserContextId=context)
    browser.call("Network.setUserAgentOverride", session, userAgent=agent, acceptLanguage="en-GB,en;q=0.9")
    browser.call("Emulation.setDeviceMetricsOverride", session, **SIZE)
    try:
        yield profile
    finally:
        browser.listeners.remove(profile.listen)
        browser.call("Target.disposeBrowserContext", browserContextId=context)


def called(name: str, argument: Any) -> str:
    """An in-page script that is a function, called with this."""
    return f"({(IN_PAGE / name).read_text('utf-8').rstrip().removesuffix(';')})({json.dumps(argument)})"


def expression(name: str) -> str:
    """An in-page script that is an expression."""
    return (IN_PAGE / name).read_text("utf-8")
