"""A crowd with known choices that several processes play at once; they import nothing that takes long."""

import http.client
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

CLIENTS = 4
SEED = 20_000
AGENTS = {
    "desktop": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "mobile": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
    "tablet": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
}
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
COUNTRIES = ("FR", "DE", "IT", "")
COUNTRY_HEADER = "CF-IPCountry"
PURPOSES = ("analytics", "advertising")
# What stands behind each purpose under each of the two notices.
VENDORS = (
    {"google-analytics": "analytics", "google-ads": "advertising"},
    {"google-analytics": "analytics", "google-ads": "advertising", "meta-pixel": "advertising"},
)
CHOICES = {
    None: 30, ("accept_all", PURPOSES): 30, ("refuse_all", ()): 22, ("save", ("analytics",)): 9,
    ("save", ("advertising",)): 5, ("save", ()): 4,
}  # fmt: skip
LATER = {None: 80, "withdraw": 10, "save": 10}
KINDS = {"person": 94, "robot": 4, "prefetch": 2}


@dataclass(frozen=True)
class Visitor:
    """Who comes, and what they do. `repeats` is how often their browser posts a decision again."""

    number: int
    kind: str
    notice: int
    language: str
    device: str
    country: str
    choice: tuple[str, tuple[str, ...]] | None
    gpc: bool
    later: str | None
    repeats: int

    def headers(self, origin: str) -> dict[str, str]:
        """What their browser says on a page of this origin."""
        agent = CRAWLER if self.kind == "robot" else AGENTS[self.device]
        sent = {"Origin": origin, "Content-Type": "text/plain", "User-Agent": agent, COUNTRY_HEADER: self.country}
        return sent | ({"Sec-Purpose": "prefetch"} if self.kind == "prefetch" else {})


def visitors(count: int) -> Iterator[Visitor]:
    """The same ones each time."""
    dice = random.Random(SEED)

    def draw(of: dict[Any, int]) -> Any:
        return dice.choices(list(of), list(of.values()))[0]

    for number in range(count):
        kind, choice = draw(KINDS), draw(CHOICES)
        # A crawler's name says no device.
        device = "desktop" if kind == "robot" else dice.choice(list(AGENTS))
        yield Visitor(
            number, kind, dice.randrange(2), dice.choice(("en", "fr")), device,
            dice.choice(COUNTRIES), None if kind == "prefetch" else choice, dice.random() < 0.1,
            draw(LATER) if choice and kind == "person" else None, draw({0: 60, 1: 25, 2: 15}),
        )  # fmt: skip


class Client:
    """A process that plays every so many-th visitor, and posts again what another process posts."""

    def __init__(self, port: int, origin: str, notices: list[str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._origin = origin
        self._notices = notices

    def play(self, own: list[Visitor], others: list[Visitor]) -> Counter[int]:
        """How often each status was answered. A repeat may come before the first post, or at the same time."""
        seen: Counter[int] = Counter()
        for place, visitor in enumerate(own):
            status, _ = self._post(visitor, "shown", {})
            seen[status] += 1
            for who in (visitor, *others[place : place + 1]):
                times = 1 + (who.repeats + 1) // 2 if who is visitor else who.repeats // 2
                for _ in range(times if who.choice else 0):
                    status, answer = self._post(who, "decisions", self._decision(who))
                    seen[status] += 1
            if visitor.later:
                changed = self._change(visitor, answer["visitor"])
                for _ in range(1 + visitor.repeats):
                    seen[self._post(visitor, "decisions", changed)[0]] += 1
        return seen

    def _decision(self, visitor: Visitor) -> dict[str, Any]:
        assert visitor.choice
        action, granted = visitor.choice
        return {
            "decision_id": str(UUID(int=SEED << 64 | 4 << 76 | 2 << 62 | visitor.number)),
            "action": action, "method": "banner", "grants": {key: key in granted for key in PURPOSES}, "vendors": {},
            "visitor": None, "change": False, "page": f"{self._origin}/", "gpc": visitor.gpc,
        }  # fmt: skip

    def _change(self, visitor: Visitor, known: str | None) -> dict[str, Any]:
        granted = ("analytics",) if visitor.later == "save" else ()
        return self._decision(visitor) | {
            "decision_id": str(UUID(int=(SEED + 1) << 64 | 4 << 76 | 2 << 62 | visitor.number)),
            "action": visitor.later, "method": "preferences", "grants": {key: key in granted for key in PURPOSES},
            "visitor": known, "change": True,
        }  # fmt: skip

    def _post(self, visitor: Visitor, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        sent = {"notice": self._notices[visitor.notice], "language": visitor.language} | body
        try:
            self._connection.request("POST", f"/v1/sites/shop/{path}", json.dumps(sent), visitor.headers(self._origin))
            response = self._connection.getresponse()
        except http.client.RemoteDisconnected:
            # A kept connection that the server had just let go, before it read anything: browsers ask again too.
            assert path == "decisions"
            return self._post(visitor, path, body)
        content = response.read()
        return response.status, json.loads(content) if content else None


def play(port: int, origin: str, notices: list[str], count: int, part: int) -> Counter[int]:
    """What one process does."""
    everyone = list(visitors(count))
    own, others = (everyone[(part + step) % CLIENTS :: CLIENTS] for step in (0, 1))
    return Client(port, origin, notices).play(own, others)
