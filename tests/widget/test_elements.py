"""A template as nested lists: the same elements, attributes and texts, and nothing that would have to be parsed."""

from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from consent_server.widget.elements import as_elements

words = st.text(st.sampled_from("aé<&\"'>ß 中\u0301"), min_size=1, max_size=8).filter(str.strip)
trees = st.recursive(
    words,
    lambda inner: st.tuples(
        st.sampled_from(["p", "ul", "a"]), st.dictionaries(st.sampled_from(["href", "id"]), words), st.lists(inner)
    ).map(list),
    max_leaves=12,
)


def _as_html(made: Any) -> str:
    """By the standard library's own serializer."""

    def build(made: Any, parent: ElementTree.Element) -> None:
        if isinstance(made, str):
            parent.append(mark := ElementTree.Element("span"))
            mark.text = made
            return
        parent.append(element := ElementTree.Element(made[0], made[1]))
        for child in made[2]:
            build(child, element)

    root = ElementTree.Element("div")
    build(made, root)
    return ElementTree.tostring(root, "unicode", "html")


def _read(made: Any) -> Any:
    """The tree again: texts stand in a span each, so that neighbours stay apart."""
    if made[0] == "span":
        return made[2][0]
    return [made[0], made[1], [_read(child) for child in made[2]]]


@given(trees)
def test_what_is_written_as_html_is_read_as_it_was(made: Any) -> None:
    [[name, attributes, [read]]] = as_elements(_as_html(made))
    assert (name, attributes) == ("div", {})
    assert _read(read) == made


def test_blanks_between_elements_and_elements_without_an_end() -> None:
    assert as_elements("<dl>\n  <dd>One<br>two</dd>\n</dl>") == [
        ["dl", {}, [["dd", {}, ["One", ["br", {}, []], "two"]]]]
    ]
