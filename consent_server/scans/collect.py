"""Bring what a visitor holds, and what the pages asked for, into the form in which it is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from consent_server.scans.profile import Profile, expression
from consent_server.scans.rules import ConsentMode, Cookie, Seen, State, Stored
from consent_server.scans.rules_owners import Owners

# In which order the kinds of storage are told of, by their names in in_page/collect.js.
ENTRIES = ("local", "session")
NAMES = {"indexeddb": "indexeddb", "cache": "cache", "workers": "service-worker"}
GOOGLE_TAG = ("www.googletagmanager.com",)


@dataclass
class Collected:
    """What the pages of one state hold, gathered page by page."""

    state: State
    pages: list[str] = field(default_factory=list)
    stored: dict[tuple[str, str, str], Stored] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    layers: list[list[dict[str, Any]]] = field(default_factory=list)

    def page(self, profile: Profile, url: str) -> None:
        """Add the page that is open."""
        self.pages.append(url)
        for context, said in profile.ask_all(expression("collect.js")):
            if context.main:
                self.links += map(str, said["links"])
                self.tags += map(str, said["tags"])
                self.layers.append(said["layer"])
            self._store(profile, said)

    def seen(self, profile: Profile, owners: Owners, now: float) -> Seen:
        """All of it, each with its owner, and the cookies as they are now (seconds since 1970)."""
        cookies = [owners.own_cookie(_cookie(profile, said, now)) for said in profile.cookies()]
        requests = [owners.own_request(request, url) for request, url in profile.traffic.requests()]
        stored = [owners.own_stored(one) for one in self.stored.values()]
        return Seen(self.state, tuple(self.pages), tuple(cookies), tuple(stored), tuple(requests))

    def consent_mode(self, profile: Profile) -> ConsentMode | None:
        """How Consent Mode stood on the pages together: the worst of them. None where nothing of Google was seen."""
        tag = any(request.host in GOOGLE_TAG for request, _ in profile.traffic.requests())
        layers = [layer for layer in self.layers if layer]
        if not tag and not any(_said(layer, "default") for layer in layers):
            return None
        late = [layer for layer in layers if _is_late(layer)]
        shown = (late or layers or [[]])[0]
        return ConsentMode(self.state, tag, _said(shown, "default"), _said(shown, "update"), bool(late))

    def _store(self, profile: Profile, said: dict[str, Any]) -> None:
        found: list[tuple[str, str, int | None]] = []
        for storage in ENTRIES:
            found += [(storage, name, length) for name, length in said[storage]]
        for key, storage in NAMES.items():
            found += [(storage, str(name), None) for name in said[key]]
        origin, setters = str(said["origin"]), profile.traffic.setters
        first = (urlsplit(origin).hostname or "") in profile.traffic.same_site
        for storage, name, length in found:
            one = Stored(storage, origin, name[:200], length, first, setters.get((storage, name[:200])))
            self.stored[storage, origin, name] = one


def _cookie(profile: Profile, said: dict[str, Any], now: float) -> Cookie:
    domain = said["domain"].lstrip(".")
    hosts = profile.traffic.same_site
    expires = said["expires"] if not said["session"] else None
    return Cookie(
        name=said["name"],
        domain=said["domain"],
        path=said["path"],
        length=len(said["value"]),
        seconds=None if expires is None else max(0, round(expires - now)),
        first_party=any(host == domain or host.endswith(f".{domain}") for host in hosts),
        http_only=said["httpOnly"],
        secure=said["secure"],
        same_site=said.get("sameSite", ""),
        set_by=profile.traffic.setters.get(("cookie", said["name"])),
    )


def _said(layer: Sequence[dict[str, Any]], what: str) -> dict[str, str] | None:
    """All that was said of each type, the last word counting."""
    said = [entry["states"] for entry in layer if entry["what"] == what]
    return {name: state for states in said for name, state in states.items()} if said else None


def _is_late(layer: Iterable[dict[str, Any]]) -> bool:
    """Whether a command or the start of Tag Manager stands before the first default."""
    order = [entry["what"] for entry in layer]
    begun = next((at for at, what in enumerate(order) if what in ("command", "start")), None)
    return begun is not None and "default" not in order[:begun]
