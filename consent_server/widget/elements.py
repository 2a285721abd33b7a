"""HTML of a template as nested lists, from which a page's own script makes elements without parsing any markup."""

from html.parser import HTMLParser
from typing import Any

# Elements without an end (HTML, 13.1.2), as far as templates use them.
VOID = {"br", "img", "input"}


def as_elements(html: str) -> list[Any]:
    """Each element as [name, attributes, children], each text as a string; blanks between elements are left out.

    A page that trusts no strings (Trusted Types) cannot take HTML, but can take these.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.open[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[list[Any]] = [[]]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        children: list[Any] = []
        self.open[-1].append([tag, {name: value or "" for name, value in attributes}, children])
        if tag not in VOID:
            self.open.append(children)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.open[-1].append(" ".join(data.split("\n")) if "\n" in data else data)
