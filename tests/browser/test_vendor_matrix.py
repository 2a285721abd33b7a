"""Every vendor of the catalogue, in every state of a choice: exactly the expected requests, and nothing left behind.

A visit stands for a state of all vendors at once.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from consent_server.sites import catalogue
from consent_server.sites.rules_notice import FIRST_STORAGE
from tests.support.vendors import IDS

from .fake_tags import STAND_INS
from .shop import Shop

VENDORS = catalogue.vendors()
PURPOSES = ("analytics", "advertising", "functional", "support", "media")
ASKED = {key: set(stand_in.asks) for key, stand_in in STAND_INS.items()}
HEARS = {key: stand_in.hears for key, stand_in in STAND_INS.items() if stand_in.hears}
PAGE = "<main>" + "\n".join(stand_in.markup for stand_in in STAND_INS.values()) + "</main>"
CALLS = "said => {" + "\n".join(stand_in.calls for stand_in in STAND_INS.values()) + "}"

# The vendors whose own snippet would load something.
UNGUARDED = (
    "() => ["
    + ",".join(f"({one.guard}) || '{key}'" for key, one in STAND_INS.items() if one.guard)
    + """]
  .filter((guard) => typeof guard == "string")"""
)
WAITS = ",".join(f"'{key}': (go) => {{ {one.waits} }}" for key, one in STAND_INS.items() if one.waits)
# The vendors for whose answer page code waits in vain.
UNANSWERED = f"""async () => {{
  const calls = {{{WAITS}}};
  const waiting = new Set(Object.keys(calls));
  const answered = (key) => new Promise((go) => calls[key](go)).then(() => waiting.delete(key));
  const late = new Promise((done) => setTimeout(done, 2000));
  await Promise.race([late, Promise.all([...waiting].map(answered))]);
  return [...waiting];
}}"""

OWN = """() => {
  for (const name of ["uid", "session", "cart", "_gallery", "drift", "sentry", "__zl"]) {
    document.cookie = `${name}=mine;Path=/;Domain=example.co.uk`;
    localStorage.setItem(name, "mine");
    sessionStorage.setItem(name, "mine");
  }
}"""
MINE = {"uid", "session", "cart", "_gallery", "drift", "sentry", "__zl"}

# A browser keeps 180 cookies a site: so each is seeded in one of the places where it may be.
SEED = """seeds => {
  const places = [";Domain=example.co.uk", ";Domain=b.example.co.uk", "", ";Secure"];
  seeds.forEach(([storage, name], at) => {
    if (storage != "cookie") window[storage + "Storage"].setItem(name, "vendor");
    else document.cookie = `${name}=vendor;Path=/;Max-Age=9999${places[at % 4]}`;
  });
}"""


def first_party(key: str) -> list[tuple[str, str]]:
    """Storage and name of what this vendor leaves on the site's own host."""
    own = [one for one in VENDORS[key]["cookies"] if "host" not in one and one["storage"] in FIRST_STORAGE]
    return [(one["storage"], one["name"].replace("*", "x1")) for one in own]


def granted_by(*purposes: str) -> set[str]:
    """The vendors that a grant of these purposes alone lets load."""
    return {key for key in IDS if set(VENDORS[key]["purposes"]) & set(purposes)}


def asked_by(vendors: set[str]) -> set[str]:
    """What these ask for together."""
    return {one for key in vendors for one in ASKED[key]}


@dataclass
class Seen:
    """What left the browser in one state, what stayed in it, and what vendors were told in it."""

    requests: set[str] = field(default_factory=set)
    said: dict[str, set[str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    told: list[list[Any]] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    def note(self, shop: Shop) -> None:
        """Add what has been asked for by now."""
        for one in shop.vendors.requests:
            self.requests.add(one.host + one.path)
            word = one.query.get("said") or one.query.get("en") or one.query.get("ev") or one.query.get("id") or ""
            self.said.setdefault(one.host, set()).add(word)

    def by_vendor(self) -> dict[str, set[str]]:
        """What was asked of each vendor of which anything was."""
        asked = {key: places & self.requests for key, places in ASKED.items()}
        return {key: places for key, places in asked.items() if places}

    def told_by_vendor(self) -> dict[str, list[list[Any]]]:
        """What each vendor was told, in the order of its own; between vendors none is promised."""
        told: dict[str, list[list[Any]]] = {}
        for key, *said in self.told:
            told.setdefault(key, []).append(said)
        return told


def browse(shop: Shop, seen: Seen, expected: set[str]) -> Seen:
    """Three pages in this state, each with calls of its own code."""
    for path in ("/", "/product", "/thanks"):
        if not shop.page.url.endswith(path):
            shop.serve(PAGE, path=path)
            shop.open(path)
        shop.page.evaluate(CALLS, "late")
        for _ in range(40):
            shop.settle()
            seen.note(shop)
            if expected <= seen.requests:
                break
        if path == "/" and not seen.told:
            seen.told = shop.page.evaluate("window.told ?? []")
    return seen


def arrive(visit: Callable[..., Shop]) -> Shop:
    """A new visitor on a page whose code has called every vendor already."""
    shop = visit("every")
    shop.serve(PAGE)
    shop.open()
    assert shop.page.evaluate(UNGUARDED) == []
    shop.page.evaluate(CALLS, "early")
    return shop


@pytest.fixture(scope="module")
def before(visit_once: Callable[..., Shop]) -> Seen:
    """Three pages before any choice."""
    shop = arrive(visit_once)
    seen = browse(shop, Seen(), set())
    seen.unanswered = shop.page.evaluate(UNANSWERED)
    return seen


@pytest.fixture(scope="module")
def refused(visit_once: Callable[..., Shop]) -> tuple[Seen, Seen]:
    """Three pages after a refusal, and a grant of everything that follows on the last of them."""
    shop = arrive(visit_once)
    shop.refuse_all()
    seen, then = browse(shop, Seen(), set()), Seen()
    seen.unanswered = shop.page.evaluate(UNANSWERED)
    shop.choose(**dict.fromkeys(PURPOSES, True))
    shop.page.evaluate(CALLS, "granted")
    for _ in range(40):
        shop.settle()
        then.note(shop)
        if all("granted" in then.said.get(host, set()) for host in HEARS.values()):
            break
    return seen, then


@pytest.fixture(scope="module")
def alone(visit_once: Callable[..., Shop]) -> dict[str, Seen]:
    """Three pages with one purpose granted, for each purpose."""
    seen = {}
    for purpose in PURPOSES:
        shop = arrive(visit_once)
        shop.choose(**{purpose: True})
        seen[purpose] = browse(shop, Seen(), asked_by(granted_by(purpose)))
    return seen


@pytest.fixture(scope="module")
def agreed(visit_once: Callable[..., Shop]) -> tuple[Seen, Seen]:
    """Three pages with everything granted, and three after the withdrawal that followed."""
    shop = arrive(visit_once)
    shop.accept_all()
    seen, left = browse(shop, Seen(), asked_by(set(IDS))), Seen()
    shop.page.evaluate(OWN)
    shop.page.evaluate(SEED, [one for key in IDS for one in first_party(key)])
    shop.vendors.forget()
    shop.withdraw()
    left.told = json.loads(shop.page.evaluate("sessionStorage.told"))
    left.kept = {str(cookie.get("name")) for cookie in shop.context.cookies()} | set(shop.storage())
    return seen, browse(shop, left, set())


def test_every_vendor_of_the_catalogue_is_here() -> None:
    assert IDS.keys() == ASKED.keys() == VENDORS.keys()


def test_the_catalogue_names_every_host_that_is_asked() -> None:
    for key, asked in ASKED.items():
        patterns = [re.escape(host).replace(r"\*", r"([\w-]+\.)*[\w-]+") for host in VENDORS[key]["hosts"]]
        for one in asked:
            assert any(re.fullmatch(pattern, one.partition("/")[0]) for pattern in patterns), one


def lets_in(sources: list[str], address: str) -> bool:
    """Whether a list of a content policy allows this host and path (CSP Level 3, 6.7.2.8)."""
    patterns = [re.escape(source).replace(r"\*\.", r"([\w-]+\.)+") for source in sources]
    return any(
        re.fullmatch(pattern + (".*" if pattern.endswith("/") else "/.*"), f"https://{address}") for pattern in patterns
    )


@pytest.mark.parametrize("key", STAND_INS)
def test_its_policy_lets_in_its_scripts_and_frames(key: str) -> None:
    policy, stand_in = VENDORS[key]["csp"], STAND_INS[key]
    frames = re.findall(r'<iframe [^>]*data-src="https://([^"?]+)', stand_in.markup)
    assert [one for one in stand_in.scripts if not lets_in(policy["script-src"], one)] == []
    assert [one for one in frames if not lets_in(policy["frame-src"], one)] == []


def test_before_a_choice_none_is_asked(before: Seen) -> None:
    assert before.by_vendor() == {}


def test_after_a_refusal_none_is_asked(refused: tuple[Seen, Seen]) -> None:
    assert refused[0].by_vendor() == {}


def test_what_was_called_while_it_was_refused_never_arrives(refused: tuple[Seen, Seen]) -> None:
    said = {key: refused[1].said.get(host, set()) for key, host in HEARS.items()}
    assert {key for key, words in said.items() if "granted" not in words or words & {"early", "late"}} == set()


def test_page_code_that_waits_for_an_answer_goes_on(before: Seen, refused: tuple[Seen, Seen]) -> None:
    assert (before.unanswered, refused[0].unanswered) == ([], [])


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_alone_opens_its_own_vendors_and_no_other(alone: dict[str, Seen], purpose: str) -> None:
    granted = granted_by(purpose)
    assert granted
    # Google's tag is one script for two vendors: what is asked of it is told apart by what else each asks for.
    shared = asked_by(granted)
    assert all(ASKED[key] - shared for key in IDS.keys() - granted)
    assert {key: asked - shared for key, asked in alone[purpose].by_vendor().items() if asked - shared} == {}
    assert {key: alone[purpose].requests & ASKED[key] for key in granted} == {key: ASKED[key] for key in granted}


def test_a_grant_of_everything_opens_each(agreed: tuple[Seen, Seen]) -> None:
    assert agreed[0].by_vendor() == ASKED


def test_after_a_withdrawal_none_is_asked_and_nothing_of_it_is_left(agreed: tuple[Seen, Seen]) -> None:
    left = agreed[1]
    assert left.by_vendor() == {}
    for key in IDS:
        assert not {name for _, name in first_party(key)} & left.kept, key


def test_nothing_else_is_asked_in_any_state(
    before: Seen, refused: tuple[Seen, Seen], alone: dict[str, Seen], agreed: tuple[Seen, Seen]
) -> None:
    assert before.requests == refused[0].requests == agreed[1].requests == set()
    assert agreed[0].requests == asked_by(set(IDS))
    for purpose, seen in alone.items():
        assert seen.requests == asked_by(granted_by(purpose)), purpose


def test_after_a_withdrawal_the_site_has_all_of_its_own(agreed: tuple[Seen, Seen]) -> None:
    assert agreed[1].kept == MINE | {"eu-consent", "told"}


def test_what_was_called_before_the_grant_arrives_after_it(agreed: tuple[Seen, Seen]) -> None:
    assert {key for key, host in HEARS.items() if not {"early", "late"} <= agreed[0].said[host]} == set()


def test_errors_before_the_grant_are_not_sent(agreed: tuple[Seen, Seen]) -> None:
    assert agreed[0].said["o1.ingest.sentry.io"] == {"late", "late by hand"}


def told_of_the_grant() -> dict[str, list[list[Any]]]:
    return {key: stand_in.granted for key, stand_in in STAND_INS.items() if stand_in.granted}


def test_each_vendor_is_told_of_the_grant_in_its_own_words(agreed: tuple[Seen, Seen], alone: dict[str, Seen]) -> None:
    assert agreed[0].told_by_vendor() == told_of_the_grant()
    for purpose, seen in alone.items():
        expected = {key: said for key, said in told_of_the_grant().items() if key in granted_by(purpose)}
        if purpose == "analytics":
            # Clarity's advertising cookies are not for a purpose of measurement.
            expected["microsoft-clarity"] = [["consentv2", {"ad_Storage": "denied", "analytics_Storage": "granted"}]]
        assert seen.told_by_vendor() == expected, purpose


def test_each_vendor_is_told_of_the_withdrawal_in_its_own_words(agreed: tuple[Seen, Seen]) -> None:
    told = agreed[1].told_by_vendor()
    for key, said in told_of_the_grant().items():
        assert told[key][: len(said)] == said, key
        told[key] = told[key][len(said) :]
    assert told == {key: stand_in.withdrawn for key, stand_in in STAND_INS.items() if stand_in.withdrawn}
