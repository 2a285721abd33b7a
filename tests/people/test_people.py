"""Invitations and roles: who may give what to whom, and that somebody is always left who operates all."""

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from consent_server.access.rules import Access, Grant, Role, grants_of
from tests.support.people import HTML, PASSWORD, Person

GRANTS = st.frozensets(st.builds(Grant, st.sampled_from(Role), st.sampled_from([None, "shop", "rival"])))
NEW = "new@example.org"


def link_on(page: TestResponse) -> str:
    """The path of the one-time link that a page shows."""
    found = re.search(r'readonly value="([^"]*/sign-in/link[^"]*)"', page.text)
    assert found, page.text
    parts = urlsplit(found[1])
    return f"{parts.path}?{parts.query}"


def invite(by: Person, email: str, role: str, *sites: str) -> TestResponse:
    return by.send("/console/people", {"email": email, "role": role, "site": list(sites)})


def number_of(by: Person, email: str) -> str:
    found = re.search(rf'href="/console/people/(\d+)"><strong><bdi>{re.escape(email)}', by.open("/console/people").text)
    assert found, email
    return found[1]


@pytest.fixture
def oscar(app: Flask, olga: Person) -> Person:
    """Operates the rival alone."""
    person = Person(app, "oscar")
    person.accept(person.invited("--role", "operator", "--site", "rival"))
    return person


@given(GRANTS, GRANTS)
def test_nobody_gives_what_they_do_not_have(has: frozenset[Grant], given: frozenset[Grant]) -> None:
    by, to = Access("by", has), Access("to", given)
    if by.may_give(given):
        for role in Role:
            for site in (None, "shop", "rival", "later"):
                assert by.has_on(role, site) or not to.has_on(role, site)


@given(GRANTS)
def test_the_sites_of_a_role_are_those_on_which_one_has_it(has: frozenset[Grant]) -> None:
    access = Access("x", has)
    for role in Role:
        sites = access.sites_as(role)
        for site in ("shop", "rival", "later"):
            assert access.has_on(role, site) == (sites is None or site in sites)
        assert access.has(role) == (sites != frozenset())


@pytest.mark.on_both_databases
def test_an_invitation_is_a_link_that_works_once(olga: Person) -> None:
    page = invite(olga, NEW, "marketer", "shop")
    assert page.headers["Cache-Control"] == "no-store"
    new = Person(olga.app, "new")
    assert new.accept(link_on(page)).status_code == 303
    assert new.open("/console/sites/shop/rates").status_code == 200
    assert new.open("/console/sites/rival/rates").status_code == 403
    assert new.open("/console/sites/shop/records").status_code == 403
    assert Person(olga.app, "new").open(link_on(page)).status_code == 410


@pytest.mark.on_both_databases
def test_roles_are_one_a_site(olga: Person) -> None:
    new = Person(olga.app, "new")
    new.accept(link_on(invite(olga, NEW, "marketer", "shop")))
    # A second invitation adds, and makes no link: who has a password keeps it.
    again = invite(olga, NEW, "auditor", "rival")
    assert (again.status_code, again.location) == (303, f"/console/people/{number_of(olga, NEW)}")
    assert new.open("/console/sites/rival/records").status_code == 200
    assert new.open("/console/sites/shop/records").status_code == 403
    assert new.open("/console/sites/rival/rates").status_code == 403
    page = new.open("/console/sites/shop/rates").text
    assert 'href="/console/sites/shop/rates"' in page
    assert 'href="/console/sites/shop/records"' not in page
    olga.send(f"/console/people/{number_of(olga, NEW)}/roles", {"act": "take", "role": "marketer", "site": "shop"},
              at="/console/people")  # fmt: skip
    assert new.open("/console/sites/shop/rates").status_code == 403
    assert new.open("/console/sites/rival/records").status_code == 200


def test_an_operator_of_a_site_invites_to_it_and_to_no_other(olga: Person, oscar: Person) -> None:
    assert invite(oscar, NEW, "auditor", "rival").status_code == 200
    for sites in (["shop"], ["rival", "shop"], ["*"]):
        assert invite(oscar, "other@example.org", "auditor", *sites).status_code == 403
    assert "other@example.org" not in olga.open("/console/people").text
    page = oscar.open("/console/people").text
    assert "olga@example.org" not in page
    assert 'value="shop"' not in page


@pytest.mark.parametrize("act", ["link", "sessions", "removal"])
def test_who_has_roles_elsewhere_is_not_this_operators_to_take_over(olga: Person, oscar: Person, act: str) -> None:
    new = Person(olga.app, "new")
    new.accept(link_on(invite(olga, NEW, "auditor", "shop")))
    assert invite(oscar, NEW, "marketer", "rival").status_code == 303
    number = number_of(oscar, NEW)
    seen = oscar.open(f"/console/people/{number}").text
    assert "shop" not in seen.replace("Example Shop", "")
    assert oscar.send(f"/console/people/{number}/{act}", {}, at="/console/people").status_code == 403
    assert new.open("/console").status_code == 200
    # Their own site's role they may take.
    taken = oscar.send(f"/console/people/{number}/roles", {"act": "take", "role": "marketer", "site": "rival"},
                       at="/console/people")  # fmt: skip
    assert (taken.status_code, taken.location) == (303, "/console/people")
    assert new.open("/console/sites/shop/records").status_code == 200


def test_nobody_learns_whether_a_number_is_somebodys(oscar: Person) -> None:
    answers = {oscar.browser.get(f"/console/people/{n}", headers={"Accept": "application/json"}).data
               for n in ("1", "77", "2147483647")}  # fmt: skip
    assert len(answers) == 1
    assert oscar.open("/console/people/77").status_code == 403


@pytest.mark.on_both_databases
def test_the_last_operator_stays(olga: Person) -> None:
    runner = olga.app.test_cli_runner()
    own = number_of(olga, olga.email)
    for path, sent in ((f"{own}/removal", {}), (f"{own}/roles", {"act": "take", "role": "operator", "site": "*"})):
        assert olga.send(f"/console/people/{path}", sent, at="/console/people").status_code == 409
    assert runner.invoke(args=["user", "remove", olga.email]).exit_code == 1
    assert runner.invoke(args=["user", "ungrant", olga.email, "--role", "operator"]).exit_code == 1
    # One who was invited and never came would leave nobody who can sign in.
    page = invite(olga, NEW, "operator", "*")
    assert olga.send(f"/console/people/{own}/removal", {}, at="/console/people").status_code == 409
    Person(olga.app, "new").accept(link_on(page))
    assert olga.send(f"/console/people/{own}/removal", {}, at="/console/people").status_code == 303
    assert olga.open("/console").status_code == 303


@pytest.mark.parametrize(
    ("sent", "fault"),
    [({"email": "x", "role": "auditor", "site": "shop"}, "one address"),
     ({"email": NEW, "role": "king", "site": "shop"}, "Choose a role"),
     ({"email": NEW, "role": "auditor"}, "at least one site")],
)  # fmt: skip
def test_a_wrong_invitation_says_what_is_wrong_and_keeps_the_rest(
    olga: Person, sent: dict[str, str], fault: str
) -> None:
    page = olga.send("/console/people", sent)
    assert page.status_code == 422
    assert fault in page.text
    assert f'value="{sent["email"]}"' in page.text


def test_a_new_link_keeps_the_password_until_it_is_used(olga: Person, ada: Person) -> None:
    page = olga.send(f"/console/people/{number_of(olga, ada.email)}/link", {}, at="/console/people")
    assert ada.sign_in().status_code == 303
    other = Person(ada.app, "ada")
    assert other.accept(link_on(page), "another good password").status_code == 303
    assert ada.open("/console").status_code == 303


def test_an_operator_ends_sessions(olga: Person, ada: Person) -> None:
    second = Person(ada.app, "ada")
    second.sign_in()
    number = number_of(olga, ada.email)
    page = olga.open(f"/console/people/{number}").text
    names = re.findall(r'name="session" value="([0-9a-f]{16})"', page)
    assert len(names) == 2
    olga.send(f"/console/people/{number}/sessions", {"session": names[0]}, at=f"/console/people/{number}")
    assert sorted([ada.open("/console").status_code, second.open("/console").status_code]) == [200, 303]
    olga.send(f"/console/people/{number}/sessions", {}, at=f"/console/people/{number}")
    assert [ada.open("/console").status_code, second.open("/console").status_code] == [303, 303]


def test_a_token_of_an_operator_opens_no_page_about_people(app: Flask, olga: Person) -> None:
    runner = app.test_cli_runner()
    token = runner.invoke(args=["token", "create", "--role", "operator", "--name", "x"]).stdout.strip()
    for path in ("/console/people", "/console/account", "/console/tokens"):
        answer = app.test_client().get(path, headers={"Authorization": f"Bearer {token}", **HTML})
        assert answer.status_code == 403, path


def test_tokens_are_made_within_ones_sites_and_shown_once(olga: Person, oscar: Person) -> None:
    def make(by: Person, **sent: str) -> TestResponse:
        return by.send(
            "/console/tokens", {"name": "a program", "role": "auditor", "site": "rival", "days": "30"} | sent
        )

    page = make(oscar)
    found = re.search(r'readonly value="(consent_[\w-]{43})"', page.text)
    assert found
    assert "consent_" not in oscar.open("/console/tokens").text
    asked = {"Authorization": f"Bearer {found[1]}"}
    client = olga.app.test_client(use_cookies=False)
    assert client.get("/v1/sites/rival/decisions", headers=asked).status_code == 200
    assert make(oscar, site="shop").status_code == 403
    for wrong in ({"days": "0"}, {"days": "３"}, {"days": "9999"}, {"name": ""}):
        assert make(oscar, **wrong).status_code == 422, wrong
    make(olga, site="shop", name="of the shop")
    assert "of the shop" not in oscar.open("/console/tokens").text
    assert oscar.send("/console/tokens/2/revocation", {}, at="/console/tokens").status_code == 404
    assert olga.send("/console/tokens/1/revocation", {}, at="/console/tokens").status_code == 303
    assert client.get("/v1/sites/rival/decisions", headers=asked).status_code == 401


def test_who_has_no_role_left_sees_nothing(olga: Person, ada: Person) -> None:
    runner = olga.app.test_cli_runner()
    assert runner.invoke(args=["user", "ungrant", ada.email, "--role", "auditor", "--site", "shop"]).exit_code == 0
    assert ada.open("/console").status_code == 200
    assert ada.open("/console/sites/shop/records").status_code == 403
    assert runner.invoke(args=["user", "grant", ada.email, "--role", "auditor"]).exit_code == 0
    assert ada.open("/console/sites/rival/records").status_code == 200
    assert PASSWORD not in runner.invoke(args=["user", "list"]).stdout
    assert Access("x", grants_of(Role.AUDITOR, ["a", "b"])).title == "auditor"
