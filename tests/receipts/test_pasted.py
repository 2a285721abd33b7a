"""A receipt out of a mail: what was wrapped is put together, and what cannot be read is not called forged."""

import base64
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from consent_server.receipts.pasted import receipt_in, why_unreadable
from tests.support.factories import Body
from tests.support.visitor import post

CASES = json.loads((Path(__file__).parents[1] / "data" / "pasted.json").read_text("utf-8"))
LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=300)
SIGNATURES = LETTERS.map(lambda letters: (letters * 86)[:86])
RECEIPTS = st.builds(lambda *parts: "eyJ" + ".".join(parts), LETTERS, LETTERS, SIGNATURES)


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_a_receipt_out_of_a_text(case: dict[str, str]) -> None:
    assert receipt_in(case["text"]) == case["receipt"]


@given(
    RECEIPTS,
    st.integers(4, 100),
    st.sampled_from(["", "> ", ">> ", "    ", "\t", " | ", "> > "]),
    st.sampled_from(["\n", "\r\n", "=\n", " \n", "\n\n"]),
    st.sampled_from(["", "Here it is:\n\n", "On Monday, Ada wrote:\n", "\ufeff", '"', "<"]),
    st.sampled_from(["", "\n", "\n-- \nAda", '"', ">", " Regards", ".\n"]),
)
def test_however_it_is_wrapped_it_is_the_same(
    receipt: str, width: int, mark: str, end: str, before: str, after: str
) -> None:
    lines = textwrap.wrap(receipt, width, break_on_hyphens=False)
    # A mark at the start of a line would be part of the quotation, not of the receipt.
    quoted = end.join(mark + line for line in lines)
    assert receipt_in(before + quoted + after) == receipt


@given(RECEIPTS)
def test_what_is_whole_stays_as_it_is(receipt: str) -> None:
    assert receipt_in(receipt) == receipt
    # What is too much within a word is not taken away: it shows that somebody changed it.
    assert receipt_in(f"{receipt}AAAA") == f"{receipt}AAAA"


@given(st.text())
def test_any_text_is_read_as_something(text: str) -> None:
    why_unreadable(receipt_in(text))


@pytest.fixture
def receipt(client: FlaskClient, body: Body) -> str:
    token: str = post(client, body()).get_json()["receipt"]
    return token


def with_part(token: str, part: int, text: str) -> str:
    parts = token.split(".")
    parts[part] = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return ".".join(parts)


def test_what_cannot_be_read_is_told_from_what_was_not_signed_here(
    app: Flask, client: FlaskClient, receipt: str, tmp_path: Path
) -> None:
    forged = with_part(receipt, 1, '{"site": "shop"}')
    foreign = with_part(receipt, 0, '{"alg":"EdDSA","typ":"consent-receipt+jwt","kid":"another"}')
    wrapped = "\n".join(f"> {line}" for line in textwrap.wrap(receipt, 76, break_on_hyphens=False))
    expected = {
        receipt: (True, True), wrapped: (True, True), forged: (True, False), foreign: (True, False),
        receipt[:-5]: (False, False), receipt[: len(receipt) // 2]: (False, False), "x": (False, False),
        with_part(receipt, 0, "{}"): (False, False), with_part(receipt, 1, "[]"): (False, False),
    }  # fmt: skip
    for token, (readable, valid) in expected.items():
        answer: dict[str, Any] = client.post("/v1/receipts/verify", json={"receipt": token}).get_json()
        assert (answer["readable"], answer["valid"]) == (readable, valid), token
        file = tmp_path / "receipt.txt"
        file.write_text(token, "utf-8")
        said = app.test_cli_runner().invoke(args=["receipt", "verify", str(file)])
        assert said.exit_code == (0 if valid else 1), token
        # Checks are told of what can be read; of anything else one sentence is.
        assert bool(said.stdout) is readable, token
        assert bool(said.stderr) is not readable, token
