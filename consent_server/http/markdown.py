"""The pages of docs/ as HTML: CommonMark with tables, in which nothing is markup already."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup


def as_html(text: str) -> Markup:
    """Headings have ids, tables and code can be scrolled by keyboard. Links are their words: they lead to files."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  the parser escapes, with `html` off


def _adapt(state: StateCore) -> None:
    state.tokens = [adapted for index in range(len(state.tokens)) for adapted in _adapted(state.tokens, index)]


def _adapted(tokens: Sequence[Token], index: int) -> Iterator[Token]:
    token = tokens[index]
    match token.type:
        case "heading_open":
            token.attrSet("id", re.sub(r"[^a-z0-9]+", "-", tokens[index + 1].content.lower()).strip("-"))
        case "code_block" | "fence":
            # Of a fence the attributes would go to the code, which is not what is scrolled.
            token.type = "code_block"
            token.attrSet("tabindex", "0")
        case "table_open":
            label = f"Table: {', '.join(_head(tokens, index))}"
            scrolled: dict[str, str | int | float] = {
                "class": "scroll",
                "role": "region",
                "tabindex": 0,
                "aria-label": label,
            }
            yield Token("scroll_open", "div", 1, scrolled, block=True)
        case "th_open":
            token.attrSet("scope", "col")
        case "td_open" if tokens[index - 1].type == "tr_open":
            token.attrSet("scope", "row")
            token.tag = tokens[index + 2].tag = "th"
        case "inline":
            for child in token.children or ():
                child.hidden = child.type in ("link_open", "link_close")
    yield token
    if token.type == "table_close":
        yield Token("scroll_close", "div", -1, block=True)


def _head(tokens: Sequence[Token], index: int) -> Iterator[str]:
    end = next(at for at in range(index, len(tokens)) if tokens[at].type == "thead_close")
    return (token.content for token in tokens[index:end] if token.type == "inline")


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_MARKDOWN.core.ruler.push("adapt", _adapt)
