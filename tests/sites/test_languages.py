"""A reader gets the offered language that he reads, by whatever tag his page or his browser calls it."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from consent_server.sites import catalogue
from consent_server.sites.rules_languages import LONG, READ, read_first, read_language
from tests.support.factories import TOP, site_file
from tests.support.sites import Apply
from tests.support.visitor import config

SHIPPED = tuple(catalogue.locales())


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("no", "nb"), ("nn", "nb"), ("nn-NO", "nb"), ("nb_NO", "nb"), ("no-bok", "nb"), ("NO", "nb"), ("nor", "nb"),
        ("iw", "he"), ("iw-IL", "he"), ("mo", "ro"), ("mo-MD", "ro"), ("sh", "hr"), ("sr-Latn-RS", "hr"), ("bs", "hr"),
        ("pt_BR", "pt"), ("pt-br", "pt"), ("pt_BR.UTF-8", "pt"), ("de_AT@euro", "de"), ("gsw-CH", "de"),
        ("zh-TW", "zh"), ("zh-Hant", "zh"), ("zh-Hant-HK", "zh"), ("zh-cmn-Hans", "zh"), ("yue", "zh"), ("cmn", "zh"),
        ("eng", "en"), ("fre", "fr"), ("fra-CA", "fr"), ("en-x-private", "en"), ("ar-EG", "ar"), ("arb", "ar"),
    ],
)  # fmt: skip
def test_readers_get_what_they_read(tag: str, language: str) -> None:
    assert read_language(tag, SHIPPED) == language


@pytest.mark.parametrize(
    "tag", ["", "-", "_", "in", "ji", "tl", "sr", "sr-Cyrl", "ko", "x-en", "*", "\0", "e", "english", "norsk", ".en"]
)
def test_others_get_none_of_them(tag: str) -> None:
    assert read_language(tag, SHIPPED) is None


@pytest.mark.parametrize(
    ("tag", "offered", "language"),
    [
        ("no", ("nn",), "nn"), ("no", ("nn", "nb"), "nb"), ("nb", ("no",), "no"), ("nn", ("en", "nn", "nb"), "nn"),
        ("in", ("id",), "id"), ("ji-US", ("yi",), "yi"), ("tl", ("fil",), "fil"), ("fil", ("tl",), "tl"),
        ("zh-TW", ("zh", "zh-tw"), "zh-tw"), ("zh-Hant-TW", ("zh", "zh-hant"), "zh-hant"),
        ("sr-Latn", ("sr", "hr"), "sr"), ("sh", ("hr", "sr"), "sr"), ("pt-BR", ("pt-BR", "pt"), "pt-BR"),
    ],
)  # fmt: skip
def test_what_is_nearest_is_taken(tag: str, offered: tuple[str, ...], language: str) -> None:
    assert read_language(tag, offered) == language


offers = st.lists(st.sampled_from(sorted({*SHIPPED, *READ} - {"sr-latn"})), min_size=1, unique=True)
subtags = st.lists(st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True), max_size=3)


@given(offers, st.data(), subtags, st.sampled_from("-_"), st.booleans())
def test_who_asks_for_what_is_offered_gets_it(
    offered: list[str], data: st.DataObject, more: list[str], separator: str, capitals: bool
) -> None:
    language = data.draw(st.sampled_from(offered))
    tag = separator.join([language, *more])
    assert read_language(tag.upper() if capitals else tag, offered) == language


@given(offers, st.text(max_size=20) | st.sampled_from([*READ, *LONG]))
def test_an_answer_is_offered(offered: list[str], tag: str) -> None:
    language = read_language(tag, offered)
    assert language is None or language in offered
    assert read_first([tag], offered) == language
    assert read_first([tag, offered[0]], offered) == (language or offered[0])


def test_every_page_is_in_the_language_that_is_read(client: FlaskClient, apply_site: Apply) -> None:
    notice = apply_site(site_file(TOP.replace('["en", "fr"]', '["en", "nb", "he"]')))
    wanted = {"no": "nb", "nn-NO": "nb", "iw": "he", "sv": "en", "sv, no;q=0.5, en;q=0.1": "nb", "he;q=0, fr": "en"}
    for accepted, language in wanted.items():
        headers = {"Accept-Language": accepted}
        data = config(client.get("/widget/shop.js", headers=headers).text)
        assert data["language"] == language, accepted
        for path in ("/sites/shop/choice", "/sites/shop/declaration?format=html", f"/v1/notices/{notice}?format=html"):
            assert f'<html lang="{language}"' in client.get(path, headers=headers).text, path
    for path in ("/widget/shop/preferences.js", "/widget/shop/details.js"):
        assert config(client.get(f"{path}?lang=nn_NO").text)["language"] == "nb"
    assert '<html lang="nb"' in client.get("/verify", headers={"Accept-Language": "no"}).text
