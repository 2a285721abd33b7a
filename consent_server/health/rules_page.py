"""A page as it is served: what of its markup loads something, is gated, or is the widget's."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

# Where an element says what it loads.
LOADS = {
    "script": ("src",), "iframe": ("src",), "img": ("src", "srcset"), "embed": ("src",), "object": ("data",),
    "video": ("src", "poster"), "audio": ("src",), "source": ("src", "srcset"), "link": ("href",),
}  # fmt: skip
FETCHING_LINKS = {"preload", "prefetch", "modulepreload", "preconnect", "stylesheet"}
_SCRIPT_TYPES = {"", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript"}
_TAG = re.compile(r"/widget/([^/?#]+)\.js$")


@dataclass
class Element:
    """An element of the page with its line. `text` is what stands in a script; `inert`: nothing of it runs.

    `without_script`: it stands in <noscript>, and loads for whoever runs no script.
    """

    name: str
    attributes: Mapping[str, str]
    line: int
    inert: bool
    without_script: bool
    text: str = ""

    def get(self, attribute: str) -> str:
        """An attribute, without space around it; empty without it."""
        return self.attributes.get(attribute, "").strip()

    @property
    def runs(self) -> bool:
        """Whether it is a script that a browser runs as soon as it is there."""
        kind = self.get("type").partition(";")[0].strip().lower()
        return self.name == "script" and not self.inert and kind in _SCRIPT_TYPES

    @property
    def key(self) -> str | None:
        """The purpose or the vendor that it waits for, None where it waits for none."""
        return self.attributes["data-consent"].strip() if "data-consent" in self.attributes else None


@dataclass
class Page:
    """A page at an address, with the policies of its headers and of its markup."""

    url: str
    policies: list[str]
    elements: list[Element] = field(default_factory=list)
    base: str = ""

    def addresses(self, element: Element) -> Iterator[str]:
        """What an element loads at once."""
        if element.inert or (element.name == "script" and not element.runs):
            return
        if element.name == "link" and not FETCHING_LINKS & set(element.get("rel").lower().split()):
            return
        for attribute in LOADS.get(element.name, ()):
            said = element.get(attribute)
            for part in said.split(",") if attribute == "srcset" else [said]:
                if address := part.strip().split(" ")[0]:
                    yield self.address(address)

    def address(self, said: str) -> str:
        """An address of the page's markup, whole; as it stands there where it is none."""
        try:
            return urljoin(self.base or self.url, said)
        except ValueError:
            return said

    def tags(self) -> list[tuple[str, Element]]:
        """The widget's tags, each with the site that it names."""
        scripts = [element for element in self.elements if element.name == "script"]
        named = [(_TAG.search(self.address(script.get("src")).partition("?")[0]), script) for script in scripts]
        return [(found[1], script) for found, script in named if found]


def read_page(url: str, text: str, policies: list[str]) -> Page:
    """What is asked of a page's markup."""
    reader = _Reader(Page(url, list(policies)))
    reader.feed(text)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self._templates = self._without_script = 0
        self._script: Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")
        without_script = bool(self._without_script)
        # No script that stands in <noscript> runs for anybody.
        inert = bool(self._templates) or (tag == "script" and without_script)
        element = Element(tag, attributes, self.getpos()[0], inert, without_script)
        self.page.elements.append(element)
        if tag == "template":
            self._templates += 1
        elif tag == "noscript":
            self._without_script += 1
        elif tag == "script":
            self._script = element
        elif not inert:
            self._read_head(element)

    def _read_head(self, element: Element) -> None:
        if element.name == "base" and element.get("href") and not self.page.base:
            self.page.base = self.page.address(element.get("href"))
        if element.name == "meta" and element.get("http-equiv").lower() == "content-security-policy":
            self.page.policies.append(element.get("content"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._templates = max(0, self._templates - 1)
        elif tag == "noscript":
            self._without_script = max(0, self._without_script - 1)
        elif tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.text += data
