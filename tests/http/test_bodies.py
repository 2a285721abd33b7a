"""Posted bodies are read strictly."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from consent_server.core.canonical import decode_strict, encode
from consent_server.core.errors import InvalidProof
from consent_server.decisions.bodies import PageUrl

PAGE = PageUrl()
SECRET = "sUpErSeCrEt"
WORDS = st.text(st.sampled_from("aä/?#@:[]%\\.;=& \t\n"), max_size=12)


@given(WORDS, WORDS, st.sampled_from([f"?q={SECRET}", f"#{SECRET}", f"?#{SECRET}", f"?{SECRET}#{SECRET}"]), WORDS)
def test_no_query_or_fragment_is_kept(host: str, path: str, tail: str, rest: str) -> None:
    try:
        kept = PAGE.deserialize(f"https://shop{host}.example/{path}{tail}{rest}")
    except ValidationError:
        return
    assert SECRET.lower() not in kept.lower()
    parts = urlsplit(kept)
    assert (parts.query, parts.fragment, parts.username, parts.password) == ("", "", None, None)
    assert not set("?#") & set(kept)


@given(st.text(st.sampled_from("aä:%.;=& "), max_size=12), WORDS)
def test_no_credentials_are_kept(more: str, path: str) -> None:
    try:
        kept = PAGE.deserialize(f"https://{SECRET}{more}@shop.example/{path}")
    except ValidationError:
        return
    assert SECRET.lower() not in kept.lower()


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for value in (text, f"https://{text}", f"https://shop.example/{text}"):
        try:
            kept = PAGE.deserialize(value)
        except ValidationError:
            continue
        assert kept.isascii()
        assert kept.isprintable()
        assert PAGE.deserialize(kept) == kept
        assert not set(kept) & set('<>" ')


@pytest.mark.parametrize(
    "raw", [b"NaN", b'{"a": NaN}', b"[Infinity]", b"[-Infinity]", b'{"a":1,"a":1}', b'[{"b":{"a":1,"a":2}}]', b"",
            b"\xff", b'"\xed\xa0\x80"', b"[" * 100_000, b"1" * 5000, "é".encode("utf-16"), b"\xef\xbb\xbf{}"]
)  # fmt: skip
def test_what_two_readers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidProof):
        decode_strict(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_canonical_bytes_are_read_back(value: object) -> None:
    try:
        data = encode(value)
    except UnicodeEncodeError:
        return
    assert decode_strict(data) == value
    assert encode(decode_strict(data)) == data
