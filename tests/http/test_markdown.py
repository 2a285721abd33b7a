"""Pages of docs/ as HTML: headings can be linked to, tables read and scrolled, and nothing is markup already."""

import pytest

from consent_server.http.markdown import as_html


def test_headings_have_ids_that_stay() -> None:
    assert as_html("## What `it` means: *all*") == (
        '<h2 id="what-it-means-all">What <code>it</code> means: <em>all</em></h2>\n'
    )


def test_a_table_names_its_rows_and_columns_and_is_scrolled_by_keyboard() -> None:
    assert as_html("| rate | `a` |\n|---|---|\n| x | 1 |").replace("\n", "") == (
        '<div class="scroll" role="region" tabindex="0" aria-label="Table: rate, `a`"><table>'
        '<thead><tr><th scope="col">rate</th><th scope="col"><code>a</code></th></tr></thead>'
        '<tbody><tr><th scope="row">x</th><td>1</td></tr></tbody></table></div>'
    )


@pytest.mark.parametrize("text", ["    a < b\n\n    c", "```js\na < b\n\nc\n```"])
def test_code_is_scrolled_by_keyboard(text: str) -> None:
    assert as_html(text) == '<pre tabindex="0"><code>a &lt; b\n\nc\n</code></pre>\n'


def test_links_into_the_project_are_their_words() -> None:
    assert as_html("See the [site *file*](formats/site.md).") == "<p>See the site <em>file</em>.</p>\n"


def test_nothing_is_markup_already() -> None:
    assert as_html("<script>a</script> <b>") == "<p>&lt;script&gt;a&lt;/script&gt; &lt;b&gt;</p>\n"
    assert "<img" not in as_html("<img src=x onerror=alert(1)>")
    assert "href" not in as_html("[a](javascript:alert(1)) <https://a.example>")
