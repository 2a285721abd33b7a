"""Names of others on pages: as they are, and beside words that stay where they are."""

from consent_server.http.web import fill, isolate

NAME = "\u05d7\u05e0\u05d5\u05ea <b>&"


def test_a_name_is_isolated_and_escaped() -> None:
    assert isolate(NAME) == "<bdi>\u05d7\u05e0\u05d5\u05ea &lt;b&gt;&amp;</bdi>"


def test_a_sentence_is_filled_with_names_and_escaped_itself() -> None:
    filled = fill("<i>{site}</i> & {by}", site=NAME, by="A")
    assert filled == f"&lt;i&gt;{isolate(NAME)}&lt;/i&gt; &amp; <bdi>A</bdi>"
