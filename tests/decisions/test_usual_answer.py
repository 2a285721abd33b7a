"""A usual body is read by a shorter way, which says what the schema says or nothing at all."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import Schema

from consent_server.core.errors import MalformedBody
from consent_server.decisions.bodies import DECISION_IN, USUAL, DecisionIn, usual_answer
from consent_server.http.fields import read_body
from tests.support.factories import Body

BODY = Body("0123456789abcdef" * 4)
VISITOR = "0190b5e0-0000-7000-8000-000000000001"
HOSTS = ["shop.example", "127.0.0.1", "localhost", "a_b.example", "xn--bcher-kva.example", "bücher.example", "[::1]",
         "SHOP.example", "shop..example", "shop.example.", "-shop.example", "a" * 63 + ".example",
         "a" * 64 + ".example", "me@shop.example", "", "1", "0x7f", "shop.example\n"]  # fmt: skip
PORTS = ["", ":", ":0", ":1", ":080", ":9999", ":10000", ":65535", ":65536", ":x", ":-1"]
PATHS = ["", "/", "//", "/a/b;c=d", "/a%3bc", "/a%3B/%3A", "/%", "/%2", "/%zz", "/ü", "/a b", "/a?b", "/a#b",
         "/[", "/" + "a" * 1999,
         '/"', "/\\", "/a\n", "/^", "/" + "a" * 1960, "/" + "%20" * 700, "/~!$&'()*+,;=:@"]  # fmt: skip
SCHEMES = ["https://", "http://", "HTTPS://", "ftp://", "https:/", "//", " https://", "blob:https://"]
odd = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2), st.floats(allow_nan=False), st.text(max_size=8), st.just([]),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)  # fmt: skip
uuids = st.one_of(
    st.uuids().map(str),
    st.sampled_from([str.upper, "{{{}}}".format, "urn:uuid:{}".format, "{}\n".format, " {}".format]).flatmap(
        lambda spell: st.uuids().map(str).map(spell)
    ),
    st.sampled_from(["0190b5e000007000800000000000001", VISITOR.replace("0", "٠"), VISITOR.replace("-", "", 1)]),
)
hashes = st.text("0123456789abcdef", min_size=60, max_size=66) | st.sampled_from(["a" * 64 + "\n", "A" * 64])
answers = st.dictionaries(
    st.text(max_size=3) | st.sampled_from(["analytics", "advertising"]), st.booleans() | odd, max_size=4
) | st.dictionaries(st.text(max_size=3), st.booleans(), max_size=4)
pages = st.one_of(
    st.builds("{}{}{}{}".format, *map(st.sampled_from, (SCHEMES, HOSTS, PORTS, PATHS))), st.text(max_size=12)
)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "decision_id": uuids, "notice": hashes, "grants": answers, "vendors": answers,
    "visitor": uuids | st.builds("{}.{}".format, st.uuids(), st.text("Az09_-.", min_size=20, max_size=23)),
    "action": st.sampled_from(["accept_all", "refuse_all", "save", "withdraw", "gpc", "ACCEPT_ALL", "save\n", ""]),
    "method": st.sampled_from(["banner", "preferences", "placeholder", "api", "signal", "form", "Banner", "banner "]),
    "change": st.booleans(), "gpc": st.booleans(), "page": pages, "language": st.text(max_size=20),
    "widget": st.text("0123456789abcdefg", min_size=14, max_size=66),
}  # fmt: skip


class SchemaAlone(DecisionIn):
    """The same schema without a shorter way."""

    def load(self, data: Any, **options: Any) -> Any:
        return Schema.load(self, data, **options)


SCHEMA_ALONE = SchemaAlone()


def outcome(schema: Schema, sent: bytes) -> tuple[str, object]:
    """What a body is read as, types included, or all that its refusal says."""
    try:
        answer = read_body(schema, sent)
    except MalformedBody as refusal:
        return refusal.detail, refusal.faults
    return repr(answer), answer


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A body of the widget's, of which some members are drawn anew, odd, away or more than there are."""
    body = BODY(widget="0123456789abcdef")
    for name in draw(st.lists(st.sampled_from(sorted(MEMBERS)), max_size=4)):
        body[name] = draw(MEMBERS[name])
    for name in draw(st.lists(st.sampled_from([*sorted(MEMBERS), "extra"]), max_size=1)):
        body[name] = draw(odd)
    for name in draw(st.lists(st.sampled_from(sorted(MEMBERS)), max_size=2)):
        body.pop(name, None)
    return body


@pytest.mark.parametrize(
    "page",
    [f"{scheme}shop.example/" for scheme in SCHEMES]
    + [f"https://shop.example{path}" for path in PATHS]
    + [f"https://{host}{port}/" for host, port in itertools.product(HOSTS, PORTS)],
)
def test_a_page_is_read_as_the_schema_alone_reads_it(page: str) -> None:
    sent = json.dumps(BODY(page=page)).encode()
    assert outcome(DECISION_IN, sent) == outcome(SCHEMA_ALONE, sent)


@settings(max_examples=600)
@given(bodies())
@example(BODY())
@example(BODY(page="https://shop.example/" + "a" * 1979))
@example(BODY(page="https://shop.example/" + "a" * 1980))
@example(BODY(visitor=f"{VISITOR}.0123456789abcdefghij-_", widget=None, page="http://shop.example:80/"))
@example(BODY(change=1))
@example(BODY(grants={"analytics": 1}))
@example(BODY(grants=[["analytics", True]]))
def test_a_body_is_read_as_the_schema_alone_reads_it(body: dict[str, Any]) -> None:
    sent = json.dumps(body).encode()
    assert outcome(DECISION_IN, sent) == outcome(SCHEMA_ALONE, sent)


def test_what_the_widget_posts_takes_the_shorter_way() -> None:
    hash_, page = "0123456789abcdef", "https://shop.example:8443/prices/%C3%BC"
    for changes in ({}, {"visitor": VISITOR}, {"visitor": None}, {"widget": hash_}, {"page": page}, {"page": None}):
        assert usual_answer(BODY(**changes)) is not None, changes


def test_the_two_ways_have_the_same_members() -> None:
    assert USUAL.keys() == DECISION_IN.fields.keys()
