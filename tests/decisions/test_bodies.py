"""What was decided is read strictly, each fault named with its place; an odd thing beside it is left out."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from consent_server.core.errors import MalformedBody
from consent_server.decisions.bodies import DECISION_IN
from consent_server.decisions.rules import Answer
from consent_server.http.fields import read_body
from tests.support.factories import Body

BODY = Body("0123456789abcdef" * 4)
LACKS = object()
GOOD_ID = "0190b5e0-0000-4000-8000-000000000001"


def faults(sent: bytes | dict[str, Any]) -> list[str]:
    """The places of the faults of what was posted, which is refused."""
    with pytest.raises(MalformedBody) as refused:
        read_body(DECISION_IN, sent if isinstance(sent, bytes) else json.dumps(sent).encode())
    assert refused.value.detail
    assert all(fault.detail for fault in refused.value.faults)
    return [fault.pointer for fault in refused.value.faults]


def test_what_a_browser_posts_is_read() -> None:
    assert read_body(DECISION_IN, json.dumps(BODY()).encode()).grants == {"analytics": True, "advertising": True}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nothing", b"[]", b"[{}]", b'"text"', b"null", b"1", b"true", b"NaN", b"{'a': 1}",
        b'{"a": 1, "a": 1}', b'{"grants": {"analytics": false, "analytics": true}}', b"\xff\xfe", b"{" * 5000,
        b'{"a": 1' + b"0" * 5000 + b"}", b"\x00", b'{"a": "\xff"}', b'{"change": NaN}x',
    ],
)  # fmt: skip
def test_what_is_not_a_json_object_with_unique_keys(raw: bytes) -> None:
    assert faults(raw) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_is_utf_8_without_a_mark(encoding: str) -> None:
    assert faults(json.dumps(BODY()).encode(encoding)) == []


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", '"\\ud800"'])
@pytest.mark.parametrize("field", ["change", "page", "language", "extra"])
def test_what_is_no_json_value(field: str, value: str) -> None:
    faults(json.dumps(BODY(**{field: "HERE"})).replace('"HERE"', value).encode())


def test_a_repeated_key_anywhere() -> None:
    assert (
        faults(json.dumps(BODY()).replace('"analytics": true', '"analytics": false, "analytics": true').encode()) == []
    )


@pytest.mark.parametrize("granted", ["yes", "true", "1", 1, 0, 1.0, None, [], [True], {}, {"value": True}, "on", ""])
@pytest.mark.parametrize("field", ["grants", "vendors"])
def test_only_true_and_false_are_an_answer(granted: Any, field: str) -> None:
    key = {"grants": "analytics", "vendors": "meta-pixel"}[field]
    assert faults(BODY(action="save", **{field: {key: granted}})) == [f"#/{field}/{key}"]


@pytest.mark.parametrize("field", ["change", "gpc"])
@pytest.mark.parametrize("value", ["yes", 1, 0, "false", None])
def test_only_true_and_false_are_marks(field: str, value: Any) -> None:
    assert faults(BODY(**{field: value})) == [f"#/{field}"]


@pytest.mark.parametrize("field", ["decision_id", "notice", "action", "method", "grants"])
def test_a_missing_field(field: str) -> None:
    sent = BODY()
    del sent[field]
    assert faults(sent) == [f"#/{field}"]


@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", GOOD_ID + "\n", " " + GOOD_ID, GOOD_ID.replace("-", ""), "{" + GOOD_ID + "}", "urn:uuid:" + GOOD_ID,
        GOOD_ID[:-1], GOOD_ID + "0", 1, [], {}, True, GOOD_ID.replace("1", "\u0661"),
    ],
)  # fmt: skip
def test_a_uuid_in_another_spelling(wrong: Any) -> None:
    assert faults(BODY(decision_id=wrong)) == ["#/decision_id"]
    assert read(visitor=wrong).visitor is None


def test_a_decision_is_never_nobody_s() -> None:
    assert faults(BODY(decision_id=None)) == ["#/decision_id"]


@pytest.mark.parametrize("turn", [
    lambda h: h + "\n", lambda h: h.upper(), lambda h: h[:15], lambda h: h + "0", lambda h: "0x" + h[2:],
    lambda h: int(h, 16), lambda h: [h], lambda h: "\u0661" * 64, lambda h: "",
])  # fmt: skip
def test_a_hash_in_another_spelling(turn: Any) -> None:
    assert faults(BODY(notice=turn(BODY.notice))) == ["#/notice"]
    assert read(widget=turn(BODY.notice)).widget is None


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("action", "accept"), ("action", "ACCEPT_ALL"), ("action", "save\n"), ("action", 1), ("action", []),
        ("action", None), ("method", "popup"), ("method", {}), ("grants", []), ("grants", "all"), ("grants", None),
        ("vendors", []), ("vendors", None), ("vendor", {"meta-pixel": True}), ("pages", "https://shop.example/"),
    ],
)  # fmt: skip
def test_a_field_of_another_form(field: str, wrong: Any) -> None:
    assert faults(BODY(**{field: wrong})) == [f"#/{field}"]


def read(**changes: Any) -> Answer:
    """What is read of a body; a change to LACKS takes the member out."""
    sent = {name: value for name, value in BODY(**changes).items() if value is not LACKS}
    answer: Answer = read_body(DECISION_IN, json.dumps(sent).encode())
    return answer


@pytest.mark.parametrize(
    "odd",
    [
        LACKS, None, 1, [], {}, True, "", "about:blank", "about:srcdoc", "nullsrcdoc", "javascript:alert(1)",
        "data:text/html,x", "blob:https://shop.example/1", "shop.example/x", "//shop.example/x", "https://",
        "https://[::1", "file:///etc/passwd", "https://shop.example:99999/", f"https://{'a' * 64}.example/",
    ],
)  # fmt: skip
def test_a_page_that_is_no_address_is_left_out(odd: Any) -> None:
    left_out = read(page=odd)
    assert left_out == replace(read(), decision_id=left_out.decision_id, page=None)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a;token=x/b;v=2/c", "/a/b/c"), ("/cart;jsessionid=1A?x#y", "/cart"), ("/cart%3Bjsessionid=1A", "/cart"),
        ("/cart%3bjsessionid=1A/x", "/cart/x"), (";x", "/"), ("/;x=/;y", "//"), ("/a;x;y=1;z", "/a"), ("/a=b", "/a=b"),
    ],
)  # fmt: skip
def test_path_parameters_are_cut(path: str, kept: str) -> None:
    host = "https://shop.example" if path.startswith("/") else "https://shop.example/"
    assert read(page=host + path).page == f"https://shop.example{kept}"


@pytest.mark.parametrize("letters", ["a", "ä", "%20", "💶"])
@pytest.mark.parametrize("more", range(6))
def test_a_long_page_is_cut_and_no_escape_is_halved(letters: str, more: int) -> None:
    start = f"https://shop.example/{'b' * more}"
    page = read(page=f"{start}{letters * 2500}?secret#secret").page
    assert page is not None
    assert len(page) in (1998, 1999, 2000)
    assert page == (start + quote(letters * 2500, safe="%"))[: len(page)]
    assert re.fullmatch(r"([^%]|%[0-9A-F]{2})*", page)


@pytest.mark.parametrize("odd", [LACKS, None, 1, [], {"en": True}])
def test_a_language_that_is_no_word_is_unknown(odd: Any) -> None:
    assert read(language=odd).language == "und"


@pytest.mark.parametrize("field", ["visitor", "widget"])
@pytest.mark.parametrize("odd", [LACKS, None, 1, [], {}, True, "", "null", "undefined"])
def test_an_odd_identifier_is_left_out(field: str, odd: Any) -> None:
    assert getattr(read(**{field: odd}), field) is None
