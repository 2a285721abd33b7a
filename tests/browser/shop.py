"""A visitor on the site's pages: verbs for what people do, questions for what can be seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from playwright.sync_api import BrowserContext, Locator, Page, Response, expect

from .fake_vendors import Vendors
from .servers import Answer, ConsentServer, PageServer
from .site_files import ORIGIN

Act = Callable[[], object]
# Chromium has no signal of its own.
SIGNAL = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"

SEVEN = (
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
    "functionality_storage", "personalization_storage", "security_storage",
)  # fmt: skip

_READ_LAYER = """() => dataLayer.filter(({ event }) => !/^consent_/.test(event)).map((entry) => [
  Object.prototype.toString.call(entry).slice(8, -1),
  JSON.parse(JSON.stringify(entry instanceof Object && "length" in entry ? [...entry] : entry,
    (key, value) => /^\\d{4}-\\d\\d-\\d\\dT/.test(value) ? "a date" : value)),
])"""

# Everything that was caused by what came before is under way once an answer of the page's own server is back.
# The widget works after the next paint; in a page that nobody looks at none comes, and it waits 150 ms.
_SETTLE = """async () => {
  await fetch("/settled");
  await new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 200);
  });
  await fetch("/settled");
}"""

_UNFOLD = """() => document.querySelector("consent-widget").shadowRoot
  .querySelectorAll("dialog summary").forEach((one) => one.click())"""


def signals(*granted: str) -> dict[str, str]:
    """The seven Consent Mode types, these granted."""
    return {one: "granted" if one in granted or one == "security_storage" else "denied" for one in SEVEN}


ADVERTISING = ("ad_storage", "ad_user_data", "ad_personalization")
EVERYTHING = (*ADVERTISING, "analytics_storage")


@dataclass
class Shop:
    """One visitor's tab, with the site of this key in it."""

    page: Page
    pages: PageServer
    server: ConsentServer
    vendors: Vendors
    site: str = "shop"

    @property
    def context(self) -> BrowserContext:
        """The visitor's browser profile."""
        return self.page.context

    def tag(self, attributes: str = "", query: str = "", base: str | None = None) -> str:
        """The line that the site pastes."""
        source = f"{base or self.server.url}/widget/{self.site}.js{query}"
        return f'<script async src="{source}"{attributes}></script>'

    def serve(
        self,
        body: str = "<main>A page</main>",
        *,
        head: str | None = None,
        path: str = "/",
        lang: str = "en",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Put a page on the site; without a `head` of its own it holds the tag alone."""
        head = self.tag() if head is None else head
        # A page that has a light and a dark look, as the system asks.
        both = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        text = f'<!doctype html><html lang="{lang}"><head>{both}<title>Shop</title>{head}</head>'
        self.pages.answers[path] = Answer(f"{text}<body>{body}</body></html>", headers=headers or {})

    def open(self, path: str = "/") -> "Shop":
        """Go to a page and wait until the widget is there."""
        self.page.goto(ORIGIN + path)
        self.ready()
        return self

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        self.ready()

    def come_back(self) -> None:
        """Load the page again; what vendors are asked from then on is counted anew."""
        self.vendors.forget()
        self.reload()
        self.settle()

    def walk(self, *paths: str) -> None:
        """Go from page to page, and wait on each until nothing is to come."""
        for path in paths:
            self.serve(path=path)
            self.open(path)
            self.settle()

    def ready(self) -> None:
        """Wait until the widget has begun."""
        self.page.wait_for_function("() => window.consentWidget && document.querySelector('consent-widget')")

    def settle(self) -> None:
        """Wait until nothing that has been set off is still to come: a round in which no vendor was asked."""
        asked = -1
        while asked != len(self.vendors.requests):
            asked = len(self.vendors.requests)
            self.page.evaluate(_SETTLE)

    # What a visitor does.

    @property
    def banner(self) -> Locator:
        """The first layer."""
        return self.page.locator("consent-widget[role=dialog]")

    def button(self, action: str) -> Locator:
        """A button of the widget; where both layers have one, that of the layer in front."""
        return self.page.locator(f"consent-widget [data-action={action}]:visible").last

    @property
    def way_back(self) -> Locator:
        """The way back to the preferences: the site's own, else the widget's."""
        return self.page.locator("[data-consent-open]:visible, [data-action=reopen]:visible").first

    def accept_all(self) -> dict[str, Any]:
        """Agree to everything, and return what the server answered."""
        return self._recorded(lambda: self.button("accept").click())

    def refuse_all(self) -> dict[str, Any]:
        """Refuse everything on the first layer."""
        return self._recorded(lambda: self.button("refuse").click())

    def close(self) -> dict[str, Any]:
        """Close the first layer by its cross."""
        return self._recorded(lambda: self.button("close").click())

    def press_escape(self) -> dict[str, Any]:
        """Press Esc with the focus in the first layer."""
        self.button("refuse").focus()
        return self._recorded(lambda: self.page.keyboard.press("Escape"))

    def open_preferences(self) -> None:
        """Go to the second layer, from the banner or by the way back."""
        customise = self.button("customise")
        (customise if customise.count() else self.way_back).click()
        self.button("save").wait_for()
        # Where there is a choice, "My choice" takes the place that is kept for it.
        expect(self.page.locator("consent-widget dialog > [role=status]")).to_have_count(0)

    def unfold(self, vendor: str) -> Locator:
        """On the second layer, open what there is to know of a vendor, and return it."""
        summary = self.page.get_by_label(f"Cookies and other storage: {vendor}")
        closed = self.page.locator("consent-widget dialog section > details:not([open]) > summary")
        while not summary.is_visible():
            closed.first.click()
        summary.click()
        return self.page.locator("consent-widget dialog details details").filter(has=summary)

    def unfold_all(self) -> None:
        """Open the second layer with all that it can unfold, wait until that is there, and go to its end."""
        self.open_preferences()
        self.page.evaluate(_UNFOLD)
        expect(self.page.locator("consent-widget dialog details > [role=status]")).to_have_count(0)
        self.page.locator("consent-widget dialog").evaluate("one => one.scrollTo(0, one.scrollHeight)")

    def switch(self, key: str, on: bool) -> None:
        """Set the switch of a purpose or vendor on the second layer."""
        switch = self.page.locator(f'consent-widget input[name="{key}"]').first
        closed = self.page.locator("consent-widget dialog section > details:not([open]) > summary")
        while not switch.is_visible():
            closed.first.click()
        switch.set_checked(on)

    def choose(self, **switches: bool) -> dict[str, Any]:
        """Open the second layer, set switches (`google_ads=False`), and save."""
        self.open_preferences()
        for name, on in switches.items():
            self.switch(name.replace("_", "-"), on)
        return self._recorded(lambda: self.button("save").click())

    def withdraw(self) -> dict[str, Any]:
        """Withdraw by the button on the second layer; the page reloads."""
        self.open_preferences()
        return self.leave(lambda: self.button("withdraw").click())

    def leave(self, act: Act) -> dict[str, Any]:
        """Do what makes the page reload, and return what was recorded.

        The answer may come when the page is gone already; then the next page posts again, to no effect.
        """
        with self.page.expect_event("load"):
            act()
        self.ready()
        self.page.wait_for_function("() => !localStorage.getItem('eu-consent-outbox')")
        self.settle()
        return self.server.receipts(self.site)[-1]

    def _recorded(self, act: Act) -> dict[str, Any]:
        with self.page.expect_response(is_decision) as coming:
            act()
        assert coming.value.status == 201, coming.value.text()
        coming.value.finished()
        self.settle()
        return self.server.receipts(self.site)[-1]

    # What can be seen.

    def posted(self) -> list[str]:
        """Where the page posts to from now on."""
        addresses: list[str] = []
        self.page.on("request", lambda sent: addresses.append(sent.url) if sent.method == "POST" else None)
        return addresses

    def data_layer(self) -> list[list[Any]]:
        """Every call in the dataLayer in order, after a check of its kind; triggers' states apart."""
        entries = self.page.evaluate(_READ_LAYER)
        assert [kind for kind, _ in entries] == ["Arguments"] * len(entries), entries
        return [call for _, call in entries]

    def pixel_queue(self) -> list[list[Any]]:
        """What waits in fbq's queue."""
        calls: list[list[Any]] = self.page.evaluate("() => (window.fbq?.queue ?? []).map((call) => [...call])")
        return calls

    def cookies(self) -> set[str]:
        """Names of the cookies that the page sees."""
        return {pair.partition("=")[0] for pair in self.page.evaluate("document.cookie").split("; ") if pair}

    def choice(self) -> dict[str, str]:
        """The stored choice, read as any back end would."""
        value = next((one["value"] for one in self.context.cookies() if one["name"] == "eu-consent"), "")
        return dict(parse_qsl(value, strict_parsing=bool(value)))

    def grants(self) -> dict[str, str]:
        """The purposes and vendors of the stored choice."""
        return {key: on for key, on in self.choice().items() if key.startswith(("p.", "v."))}

    def storage(self) -> list[str]:
        """Names of everything in local and session storage."""
        names: list[str] = self.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
        return names


def is_decision(response: Response) -> bool:
    """Whether it answers a posted decision."""
    return response.url.endswith("/decisions") and response.request.method == "POST"
