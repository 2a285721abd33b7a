"""Visitors who decide again and again while others look at the banner, and what each of them was answered."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.factories import SHOP

WIDGET, HEALTH = "/widget/shop.js", "/healthz"
POST = "/v1/sites/shop/decisions"
# No answer within so many seconds is none.
GIVEN_UP = 30.0


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` is 0 where there was no answer; `body` is that of a decision, `sent` what was decided."""

    status: int
    begun: float
    seconds: float
    sent: dict[str, Any]
    body: bytes


class Crowd:
    """So many clients who post one decision after the other, and one who asks for each of what must always be there."""

    def __init__(self, port: int, decision: Callable[[], dict[str, Any]], clients: int = 30) -> None:
        self._port, self._decision = port, decision
        self._end = threading.Event()
        self.posts: list[Answered] = []
        self.looks: dict[str, list[Answered]] = {WIDGET: [], HEALTH: []}
        self._threads = [threading.Thread(target=self._decide, daemon=True) for _ in range(clients)]
        self._threads += [threading.Thread(target=self._watch, args=[path], daemon=True) for path in self.looks]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(GIVEN_UP + 5)

    @property
    def acknowledged(self) -> list[Answered]:
        """The decisions that were recorded, by what the server said."""
        return [each for each in self.posts if each.status in (200, 201)]

    def statuses(self) -> Counter[int]:
        """How many posts were answered how."""
        return Counter(each.status for each in self.posts)

    def waits(self, since: float, path: str = POST) -> list[float]:
        """How long each waited who asked since this moment (monotonic), the longest last."""
        answers = self.posts if path == POST else self.looks[path]
        return sorted(each.seconds for each in answers if each.begun >= since)

    def recorded_since(self, moment: float) -> bool:
        """Whether a decision that was sent after this moment (monotonic) was recorded."""
        return any(each.begun > moment and each.status == 201 for each in list(self.posts))

    def lost(self) -> list[tuple[Answered, Answered]]:
        """Acknowledged decisions that the server does not know any more, or otherwise, with what it says now."""
        again = [(each, self._insist(each.sent)) for each in self.acknowledged]
        return [(each, answer) for each, answer in again if (answer.status, answer.body) != (200, each.body)]

    def _decide(self) -> None:
        while not self._end.is_set():
            answer = self._ask("POST", POST, self._decision())
            self.posts.append(answer)
            if answer.status != 201:
                # Nobody's browser sends again at once.
                self._end.wait(0.05)

    def _insist(self, sent: dict[str, Any]) -> Answered:
        """Send again as a browser does, until it is taken: a worker tries again half a second after it failed."""
        until = time.monotonic() + 10
        while True:
            answer = self._ask("POST", POST, sent)
            if answer.status != 503 or time.monotonic() > until:
                return answer
            time.sleep(0.05)

    def _watch(self, path: str) -> None:
        while not self._end.wait(0.02):
            self.looks[path].append(self._ask("GET", path, {}))

    def _ask(self, method: str, path: str, sent: dict[str, Any]) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=GIVEN_UP)
        begun = time.monotonic()
        try:
            body = json.dumps(sent) if sent else None
            connection.request(method, path, body, {"Origin": SHOP, "Content-Type": "text/plain"})
            response = connection.getresponse()
            status, said = response.status, response.read()
        except (OSError, http.client.HTTPException):
            status, said = 0, b""
        finally:
            connection.close()
        return Answered(status, begun, time.monotonic() - begun, sent, said)
