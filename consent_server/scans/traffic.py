"""What the browser tells of a profile while pages load: requests, who sets cookies, whether anything still comes."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from consent_server.scans.rules import Request

SCHEMES = ("http", "https", "ws", "wss")
# What never ends by itself, and so is never waited for.
ENDLESS = ("EventSource", "WebSocket", "Media")


@dataclass
class Kind:
    """Requests of one kind, as they are counted."""

    path: str
    initiator: str | None
    first_party: bool
    count: int = 0
    pages: list[str] = field(default_factory=list)


class Traffic:
    """The requests since the last `forget`, and who wrote what under which name since the profile began."""

    def __init__(self) -> None:
        self.page = ""
        self.urls: set[str] = set()
        self.setters: dict[tuple[str, str], str] = {}
        self.same_site: set[str] = set()
        self.last_at = time.monotonic()
        self._open: dict[str, str] = {}
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._keys: dict[str, tuple[str, str, str]] = {}

    def forget(self) -> None:
        """Begin anew: what is still under way belongs to what was before."""
        self._kinds, self._keys, self.urls = {}, {}, set()

    def leave(self, page: str) -> None:
        """The page goes: what it still waits for is nobody's any more."""
        self.page, self._open, self.last_at = page, {}, time.monotonic()

    def is_quiet(self, seconds: float, at_most: float) -> bool:
        """Whether nothing is under way and nothing began for so long; or nothing began for longer still."""
        silent = time.monotonic() - self.last_at
        return silent >= at_most or (silent >= seconds and not self._open)

    def asked(self, told: dict[str, Any]) -> None:
        """Network.requestWillBeSent; a redirect comes again under the same id."""
        request, number, kind = told["request"], told["requestId"], told.get("type", "Other")
        self._count(number, request["url"], request["method"], kind, told, bool(request.get("isSameSite")))
        if kind not in ENDLESS:
            self._open[number] = request["url"]

    def connected(self, told: dict[str, Any]) -> None:
        """Network.webSocketCreated."""
        same = (urlsplit(told["url"]).hostname or "") in self.same_site
        self._count(told["requestId"], told["url"], "GET", "WebSocket", told, same)

    def ended(self, told: dict[str, Any]) -> None:
        """Network.loadingFinished and loadingFailed. What the page's own policy stopped never left."""
        number = told["requestId"]
        self._open.pop(number, None)
        self.last_at = max(self.last_at, time.monotonic())
        if told.get("blockedReason") and (key := self._keys.pop(number, None)) in self._kinds:
            self._kinds[key].count -= 1

    def answered(self, told: dict[str, Any]) -> None:
        """Network.responseReceivedExtraInfo: the names of what an answer sets."""
        lines = next((text for name, text in told["headers"].items() if name.lower() == "set-cookie"), "")
        host = urlsplit(self._open.get(told["requestId"], "")).hostname
        for line in lines.splitlines():
            self.setters.setdefault(("cookie", line.partition("=")[0].strip()), host or "the server")

    def wrote(self, payload: str) -> None:
        """What in_page/observe.js tells. A page may call it too, with anything."""
        try:
            told = json.loads(payload)
            kind, name, by = str(told["kind"]), str(told["name"]), str(told["by"])
        except (ValueError, TypeError, KeyError):
            return
        self.setters.setdefault((kind, name), by or "the page")

    def requests(self) -> Iterable[tuple[Request, str]]:
        """Each kind, with the first address of it as it was."""
        for (host, method, kind), seen in sorted(self._kinds.items()):
            if seen.count > 0:
                path = urlsplit(seen.path).path or "/"
                yield (
                    Request(
                        host, method, kind, seen.initiator, path[:200], seen.first_party, seen.count, tuple(seen.pages)
                    ),
                    seen.path,
                )

    def _count(self, number: str, url: str, method: str, kind: str, told: dict[str, Any], same: bool) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            return
        self.last_at = time.monotonic()
        if same:
            self.same_site.add(parts.hostname)
        key = self._keys[number] = (parts.hostname, method, kind)
        seen = self._kinds.setdefault(key, Kind(url, _initiator(told.get("initiator", {})), same))
        seen.count += 1
        self.urls.add(url)
        if self.page not in seen.pages:
            seen.pages.append(self.page)


def _initiator(said: dict[str, Any]) -> str | None:
    stack, first = said.get("stack"), None
    while stack and not first:
        first = next((frame["url"] for frame in stack.get("callFrames", ()) if frame["url"]), None)
        stack = stack.get("parent")
    url = str(first or said.get("url") or "")
    return url.partition("?")[0].partition("#")[0][:300] or None
