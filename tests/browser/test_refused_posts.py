"""A decision that is answered with no receipt: said, never called saved, kept while its cause may pass, sent again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import ConsoleMessage, Route, expect

from .shop import Shop

Visit = Callable[..., Shop]
PROBLEM = "application/problem+json"
HTML = "<!doctype html><title>Away</title><h1>Back soon</h1>"


@dataclass
class Case:
    """What a post is answered with, and what is made of it. Without a status there is no answer."""

    status: int
    body: str = ""
    kind: str = "text/html"
    title: str = ""
    detail: str = ""
    kept: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"Access-Control-Allow-Origin": "*"})

    def answer(self, route: Route) -> None:
        """Answer as this case does."""
        if self.status:
            route.fulfill(status=self.status, body=self.body, headers={**self.headers, "Content-Type": self.kind})
        else:
            route.abort()


def problem(status: int, kept: bool) -> Case:
    """A problem of the consent server's own (RFC 9457)."""
    title, detail = f"Problem {status}", f"What mends {status}."
    body = {"type": f"/problems/{status}", "title": title, "status": status, "detail": detail}
    return Case(status, json.dumps(body), PROBLEM, title, detail, kept)


def foreign(status: int, body: str = HTML, kind: str = "text/html", *, kept: bool = True) -> Case:
    """What stands in the server's place answers in its own way."""
    return Case(status, body, kind, f"HTTP {status}", "{server} is not what answers", kept)


AWAY = ("No answer", "{server} is away, or connect-src does not name it")
GROUPS = {
    "the server's problems": [
        *(problem(status, kept=False) for status in (400, 409, 413, 415, 422)),
        *(problem(status, kept=True) for status in (401, 403, 404, 429, 500, 502, 503)),
    ],
    "others' answers": [
        *(foreign(status) for status in (200, 203, 403, 404, 405, 500, 502, 504)),
        # Another program's refusal of the request itself would be repeated too.
        foreign(413),
        foreign(202, ""),
        foreign(204, ""),
        *(
            foreign(status, body, "application/json")
            for status, body in (
                (201, '{"ok": true}'),
                (206, "null"),
                (207, "[1]"),
                (208, '"fine"'),
                (226, '{"receipt_url": "https'),
                (501, '{"status": "error", "decision_id": "mine"}'),
            )
        ),
    ],
    "no answer": [
        Case(
            502, HTML, title=AWAY[0], detail=AWAY[1], headers={"Access-Control-Allow-Origin": "https://other.example"}
        ),
        Case(0, title=AWAY[0], detail=AWAY[1]),
    ],
}


# Accept, wait for what a page is told or, where that is nothing, for the console, and look at what is left.
ACCEPT = """(isAway) => new Promise((done) => {
  const look = (problem) => done([problem,
    (localStorage["eu-consent-outbox"] || "").split("\\n").filter(Boolean).map((line) => JSON.parse(line).decision_id),
    document.querySelector("consent-widget [role=status]").textContent]);
  const {fetch} = window;
  document.addEventListener("consent:error", ({detail}) => look(detail), {once: true});
  // A turn after the widget has heard that nothing came.
  if (isAway) window.fetch = (...given) => {
    window.fetch = fetch;
    return fetch(...given).finally(() => setTimeout(look, 0, null));
  };
  consentWidget.acceptAll();
})"""


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_not_recorded_is_said_kept_and_recorded_at_last(visit: Visit, group: str) -> None:
    shop = visit(warned=True).open()
    page, status = shop.page, shop.page.locator("consent-widget [role=status]")
    shop.accept_all()
    expect(status).to_have_text("Your choice is saved.")
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.text.startswith("consent: "):
            said.append(message.text.removeprefix("consent: "))

    page.on("console", hear)
    before = len(shop.server.receipts("shop"))
    told: list[str] = []
    kept: list[str] = []
    cases: list[Case] = []
    page.route("**/decisions", lambda route: cases[-1].answer(route))
    for case in GROUPS[group]:
        cases.append(case)
        problem, waiting, text = page.evaluate(ACCEPT, case.title == AWAY[0])
        detail = case.detail.format(server=shop.server.url)
        line = f"a decision is not recorded: {case.title}: {detail}"
        told.append(line)
        if problem:
            expected = [case.title, case.status, detail]
            assert [problem[name] for name in ("title", "status", "detail")] == expected
            assert problem["type"]
        kept += [problem["decision_id"] if problem else waiting[-1]] if case.kept else []
        assert waiting == kept
        # What was said of the first decision is taken back.
        assert text == ""
    page.unroute("**/decisions")
    # Each once, however often it happens.
    assert said == list(dict.fromkeys(told))
    assert len(shop.server.receipts("shop")) == before

    shop.reload()
    page.wait_for_function("() => !localStorage['eu-consent-outbox']")
    posted = shop.posted()
    shop.reload()
    shop.settle()
    assert [url for url in posted if url.endswith("/decisions")] == []
    recorded = [receipt["decision_id"] for receipt in shop.server.receipts("shop")[before:]]
    assert sorted(recorded) == sorted(kept)
    assert said == list(dict.fromkeys(told))
