"""The pages that check, in a real browser: what holds is said to hold, and what was tampered with is named."""

import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests.browser.receipts.checks import outcomes, verdict
from tests.browser.receipts.conftest import Held, decide
from tests.browser.servers import ConsentServer

PASTED = json.loads((Path(__file__).parents[2] / "data" / "pasted.json").read_text("utf-8"))
RECEIPT_STEPS = ["key", "signature", "contents", "checkpoint", "leaf", "path"]


def flipped(text: str, at: int) -> str:
    """One character changed."""
    return text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]


# The receipt's own page


@pytest.mark.parametrize(("language", "said"), [("en", "Every check holds"), ("fr", "Tout concorde")])
def test_a_receipt_is_checked_in_the_visitors_language(
    server: ConsentServer, quiet: Page, language: str, said: str
) -> None:
    held = decide(server, language)
    asked: list[tuple[str, str]] = []
    quiet.on("request", lambda request: asked.append((request.method, request.url)))
    quiet.goto(held.url)
    expect(quiet.get_by_role("status")).to_contain_text(said, timeout=20_000)
    assert outcomes(quiet) == dict.fromkeys(RECEIPT_STEPS, "ok")
    assert {method for method, _ in asked} == {"GET"}
    assert not any("/verify" in url for _, url in asked if "/assets/" not in url)


@pytest.mark.parametrize("at", [50, -40])
def test_a_tampered_receipt_fails(held: Held, quiet: Page, at: int) -> None:
    tampered = flipped(held.jws, at % len(held.jws))
    quiet.route("**/*format=jws", lambda route: route.fulfill(body=tampered))
    quiet.goto(held.url)
    verdict(quiet, "fail")
    assert outcomes(quiet)["signature"] == "fail"
    expect(quiet.get_by_text("fails", exact=True).first).to_be_visible()


def test_another_receipt_than_the_one_shown_fails(server: ConsentServer, held: Held, quiet: Page) -> None:
    other = decide(server)
    quiet.route("**/*format=jws", lambda route: route.fulfill(body=other.jws))
    quiet.goto(held.url)
    expect(quiet.locator('[data-step="contents"]')).to_have_attribute("data-outcome", "fail")
    assert outcomes(quiet)["signature"] == "ok"


def test_a_page_that_shows_another_decision_fails(held: Held, quiet: Page) -> None:
    def lie(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("state denied", "state granted"))

    quiet.route(held.url, lie)
    quiet.goto(held.url)
    verdict(quiet, "fail")
    assert outcomes(quiet) == {**dict.fromkeys(RECEIPT_STEPS, "ok"), "contents": "fail"}


def test_a_state_token_is_no_receipt(held: Held, quiet: Page) -> None:
    quiet.route("**/*format=jws", lambda route: route.fulfill(body=held.state))
    quiet.goto(held.url)
    verdict(quiet, "fail")


def test_keys_of_another_server_fail(held: Held, quiet: Page, other_jwks: str) -> None:
    quiet.route("**/jwks.json", lambda route: route.fulfill(body=other_jwks))
    quiet.goto(held.url)
    verdict(quiet, "fail")
    assert outcomes(quiet)["key"] == "fail"


def spoil(proof: dict[str, Any], name: str) -> dict[str, Any]:
    """A proof with one thing wrong."""
    size = int(proof["checkpoint"].split("\n")[1])
    change: dict[str, Callable[[], Any]] = {
        "leaf_index": lambda: (proof["leaf_index"] + 1) % size,
        "hashes": lambda: [*proof["hashes"], "00" * 32],
        "salt": lambda: "00" * 32,
        "checkpoint": lambda: proof["checkpoint"].replace(f"\n{size}\n", f"\n{size + 1}\n"),
    }
    return proof | {name: change[name]()}


@pytest.mark.parametrize(
    ("name", "step"), [("leaf_index", "path"), ("hashes", "path"), ("salt", "path"), ("checkpoint", "checkpoint")]
)
def test_a_wrong_proof_fails(held: Held, proof: dict[str, Any], quiet: Page, name: str, step: str) -> None:
    wrong = spoil(proof, name)
    quiet.route("**/proof", lambda route: route.fulfill(json=wrong))
    quiet.goto(held.url)
    verdict(quiet, "fail")
    assert outcomes(quiet)[step] == "fail"


def test_a_browser_without_ed25519_says_so(held: Held, quiet: Page) -> None:
    quiet.add_init_script(
        'SubtleCrypto.prototype.importKey = async () => { throw new DOMException("", "NotSupportedError") }'
    )
    quiet.goto(held.url)
    expect(quiet.get_by_role("status")).to_contain_text("cannot check Ed25519")
    assert set(outcomes(quiet).values()) == {"wait"}
    quiet.get_by_text("Check it without this page").click()
    expect(quiet.get_by_text("openssl pkeyutl")).to_be_visible()


def test_a_receipt_that_waits_for_its_checkpoint(held: Held, quiet: Page) -> None:
    quiet.route("**/proof", lambda route: route.fulfill(status=409, headers={"Retry-After": "1"}))
    quiet.goto(held.url)
    expect(quiet.get_by_role("status")).to_contain_text("The next checkpoint")
    assert outcomes(quiet)["signature"] == "ok"


def test_without_javascript_it_can_be_read(held: Held, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(held.url)
    expect(page.get_by_text("Audience measurement").first).to_be_visible()
    expect(page.get_by_text("JavaScript is off")).to_be_visible()
    expect(page.locator("[data-steps]")).to_be_hidden()
    context.close()


# /verify


@pytest.fixture
def checker(quiet: Page, held: Held) -> Page:
    """The page, ready."""
    quiet.goto(f"{held.server.url}/verify")
    expect(quiet.locator("body[data-ready]")).to_be_attached()
    return quiet


def choose(page: Page, **files: str) -> list[str]:
    """Choose files; what is asked of any server from then on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    given: list[FilePayload] = [{"name": name, "mimeType": "", "buffer": text.encode()} for name, text in files.items()]
    page.set_input_files("input[type=file]", given)
    return asked


def test_a_good_receipt_holds_and_nothing_leaves(proof: dict[str, Any], held: Held, checker: Page) -> None:
    asked = choose(checker, receipt=held.jws + "\n", proof=json.dumps(proof))
    verdict(checker, "ok")
    assert set(outcomes(checker, '[data-of="receipt"]').values()) == {"ok"}
    contents = checker.locator("[data-contents=receipt] dl")
    expect(contents).to_contain_text("https://shop.example/pricing")
    expect(contents).to_contain_text("Audience measurement: Allowed")
    expect(contents).to_contain_text("Google Analytics: Allowed")
    assert asked == []


def test_it_can_be_pasted(held: Held, checker: Page) -> None:
    checker.get_by_label("Or paste a receipt").fill(f"  {held.jws}\n")
    checker.get_by_role("button", name="Check", exact=True).click()
    expect(checker.get_by_role("status")).to_contain_text("No proof")
    checker.get_by_role("button", name="Start again").click()
    expect(checker.get_by_role("status")).to_have_text("")


def test_it_can_be_pasted_out_of_a_mail(held: Held, checker: Page) -> None:
    read = "async (texts) => (({ receiptIn }) => texts.map(receiptIn))(await import('./assets/pasted.js'))"
    cases = [case for case in PASTED if not case["text"].startswith("{")]
    assert checker.evaluate(read, [case["text"] for case in cases]) == [case["receipt"] for case in cases]
    lines = textwrap.wrap(held.jws, 70, break_on_hyphens=False)
    for text in ("\n".join(f"> {line}" for line in lines), json.dumps({"receipt": held.jws, "state": None})):
        checker.get_by_label("Or paste a receipt").fill(text)
        checker.get_by_role("button", name="Check", exact=True).click()
        expect(checker.get_by_role("status")).to_contain_text("No proof")
        checker.get_by_role("button", name="Start again").click()


def test_what_cannot_be_read_is_told_from_what_fails(held: Held, checker: Page) -> None:
    shown = checker.locator('[data-of="receipt"]')
    choose(checker, receipt=held.jws[:-6])
    verdict(checker, "fail")
    expect(shown).to_be_hidden()
    choose(checker, receipt=flipped(held.jws, len(held.jws) - 20))
    verdict(checker, "fail")
    expect(shown).to_be_visible()


def test_it_can_be_dropped(proof: dict[str, Any], held: Held, checker: Page) -> None:
    checker.evaluate(
        """(texts) => {
          const carried = new DataTransfer();
          for (const text of texts) carried.items.add(new File([text], "x"));
          const drop = new DragEvent("drop", { dataTransfer: carried, bubbles: true });
          document.querySelector("[data-drop]").dispatchEvent(drop);
        }""",
        [held.jws, json.dumps(proof)],
    )
    verdict(checker, "ok")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_any_flipped_byte_fails(held: Held, checker: Page, part: int) -> None:
    start = len(".".join(held.jws.split(".")[:part]))
    for at in (start + 3, start + 20):
        choose(checker, receipt=flipped(held.jws, at))
        verdict(checker, "fail")


def test_the_last_character_has_one_spelling(held: Held, checker: Page) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The two bits beyond the 64th byte: decoders look away, we do not.
    choose(checker, receipt=held.jws[:-1] + letters[letters.index(held.jws[-1]) ^ 1])
    verdict(checker, "fail")


def test_keys_that_are_not_the_signers_fail(held: Held, checker: Page, other_jwks: str) -> None:
    choose(checker, receipt=held.jws, keys=other_jwks)
    verdict(checker, "fail")
    assert outcomes(checker, '[data-of="receipt"]')["key"] == "fail"


@pytest.mark.parametrize("name", ["leaf_index", "hashes", "salt", "checkpoint"])
def test_a_proof_that_is_not_its_own_fails(held: Held, proof: dict[str, Any], checker: Page, name: str) -> None:
    choose(checker, receipt=held.jws, proof=json.dumps(spoil(proof, name)))
    verdict(checker, "fail")
    assert outcomes(checker, '[data-of="receipt"]')["signature"] == "ok"


@pytest.mark.parametrize("junk", ["", "{", "PK\x03\x04nothing", "a.b.c", '{"keys": [], "keys": []}', "\x00\x01"])
def test_junk_is_told_from_a_receipt(checker: Page, junk: str) -> None:
    choose(checker, junk=junk)
    verdict(checker, "fail")


def test_the_keys_are_shown_by_thumbprint(held: Held, checker: Page) -> None:
    kid = json.loads(held.server.get("/.well-known/jwks.json")[1])["keys"][0]["kid"]
    expect(checker.locator('[data-keys="server"]')).to_have_text(kid)


# The notice and its preview


@pytest.mark.parametrize(("language", "title"), [("en", "Your cookie choices"), ("fr", "Votre choix")])
def test_the_banner_runs_and_tells_nobody(held: Held, quiet: Page, language: str, title: str) -> None:
    asked: list[tuple[str, str]] = []
    quiet.on("request", lambda request: asked.append((request.method, request.url)))
    # Tall, since a click into a frame that is still scrolling gets lost.
    quiet.set_viewport_size({"width": 1280, "height": 1400})
    quiet.goto(f"{held.server.url}/v1/notices/{held.notice}?lang={language}")
    frame = quiet.frame_locator("iframe")
    expect(frame.get_by_role("dialog")).to_contain_text(title)
    frame.locator('[data-action="customise"]').click()
    expect(frame.locator('[data-action="save"]')).to_be_visible()
    expect(frame.locator('input[name="analytics"]')).not_to_be_checked()
    frame.locator('[data-action="save"]').click()
    expect(frame.locator('[data-action="save"]')).to_be_hidden()
    assert {method for method, _ in asked} == {"GET"}
    assert all(url.startswith(f"{held.server.url}/") for _, url in asked)
    assert quiet.context.cookies() == []


def test_a_receipt_is_one_sheet_of_paper(held: Held, quiet: Page) -> None:
    held.proof()
    quiet.goto(held.url)
    verdict(quiet, "ok")
    assert len(re.findall(rb"/Type\s*/Page\b", quiet.pdf(format="A4"))) == 1
