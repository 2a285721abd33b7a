"""The pages of docs/ as HTML: as much of Markdown as they use, and nothing that they hold is markup."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup, escape

# Code first: what stands in it is nothing else. Emphasis holds no emphasis here.
_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\*(?P<em>[^*]+)\*")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def as_html(text: str) -> Markup:
    """Headings with their ids, paragraphs, lists, tables and code that is indented by four. Links are their words."""
    parts = (_block(block.split("\n")) for block in re.split(r"\n{2,}", _LINK.sub(r"\1", text).strip()))
    return Markup("\n").join(part for found in parts for part in found)


def _block(lines: Sequence[str]) -> Iterator[Markup]:
    """A stretch between empty lines; a list or a table may follow a line of text within it."""
    kind = ""

    def of(line: str) -> str:
        nonlocal kind
        for mark, name in (("#", "heading"), ("    ", "code"), ("|", "table"), ("- ", "list")):
            if line.startswith(mark):
                kind = name
                return kind
        # A line that begins with two blanks goes on with the item above it.
        kind = kind if kind == "list" and line.startswith("  ") else "text"
        return kind

    for name, group in groupby(lines, of):
        yield from _KINDS[name](list(group))


def _heading(lines: Sequence[str]) -> Iterator[Markup]:
    for line in lines:
        level, words = len(line) - len(line.lstrip("#")), line.lstrip("# ")
        name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        yield Markup('<h{0} id="{1}">{2}</h{0}>').format(level, name, _inline(words))


def _code(lines: Sequence[str]) -> Iterator[Markup]:
    yield Markup('<pre tabindex="0"><code>{}</code></pre>').format("\n".join(line[4:] for line in lines))


def _list(lines: Sequence[str]) -> Iterator[Markup]:
    items = re.split(r"\n- ", "\n".join(lines)[2:])
    inner = Markup("").join(Markup("<li>{}</li>").format(_inline(" ".join(item.split()))) for item in items)
    yield Markup("<ul>{}</ul>").format(inner)


def _table(lines: Sequence[str]) -> Iterator[Markup]:
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    first = Markup("").join(Markup('<th scope="col">{}</th>').format(_inline(cell)) for cell in head)
    body = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            _inline(row[0]), Markup("").join(Markup("<td>{}</td>").format(_inline(cell)) for cell in row[1:])
        )
        for row in rows
    )
    yield Markup(
        '<div class="scroll" role="region" tabindex="0" aria-label="{}"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(f"Table: {', '.join(head)}", first, body)


def _text(lines: Sequence[str]) -> Iterator[Markup]:
    yield Markup("<p>{}</p>").format(_inline(" ".join(lines)))


def _inline(text: str) -> Markup:
    found, end = Markup(""), 0
    for match in _INLINE.finditer(text):
        name = str(match.lastgroup)
        inner = match[name] if name == "code" else _inline(match[name])
        found += escape(text[end : match.start()]) + Markup("<{0}>{1}</{0}>").format(name, inner)
        end = match.end()
    return found + escape(text[end:])


_KINDS = {"heading": _heading, "code": _code, "list": _list, "table": _table, "text": _text}
