"""The table of routes, walked: each that is not for anybody answers nobody but whom it is for."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.access import console
from consent_server.access.log_lookup import read_lookups
from consent_server.access.routes import RIGHTS, Right, hold_to_rights
from consent_server.access.routes import ROLES as ROLE_OF
from consent_server.access.rules import Access, Role, grants_of
from consent_server.core.context import Context
from consent_server.core.errors import Unauthenticated
from tests.support.cast import token
from tests.support.people import Person, browser_of, token_of

# What a look-up by each of these is written down as.
AUDITED = {
    "GET /v1/sites/<key>/decisions": "search",
    "GET /v1/sites/<key>/decisions.csv": "table",
    "GET /v1/sites/<key>/replay": "gaps",
    "GET /v1/sites/<key>/evidence": "evidence",
    "GET /v1/receipts/<link>": "receipt",
    "GET /v1/receipts/<link>/proof": "receipt",
    "GET /console/sites/<key>/records": "search",
    "GET /console/sites/<key>/records/<receipt_id>": "record",
    "POST /console/sites/<key>/find": "find",
    "GET /console/sites/<key>/sample": "sample",
    "GET /console/sites/<key>/gaps": "gaps",
}
# The role that each route needs; of a receipt, who asks by its bare id.
ROLES = {
    route: Role.AUDITOR if right is Right.HOLDER_OR_AUDITOR else ROLE_OF[right]
    for route, right in RIGHTS.items()
    if right in (*ROLE_OF, Right.HOLDER_OR_AUDITOR)
}
# No role opens these, but for a report: its link is a signature and nothing else.
HELD = [route for route, right in RIGHTS.items() if right is Right.HOLDER and "/receipts/" in route]

# Operators see and change what is within their own sites.
OF_NO_SITE = {
    "GET /console/lookups", "GET /console/people", "POST /console/people", "GET /console/tokens",
    "POST /console/tokens", "POST /console/tokens/<number>/revocation",
}  # fmt: skip


def asked(route: str, receipt_id: str) -> tuple[str, str]:
    """Method and address: of the shop, or of this receipt of it."""
    method, address = route.split()
    for name, value in (("key", "shop"), ("receipt_id", receipt_id), ("link", receipt_id), ("number", "1")):
        address = address.replace(f"<{name}>", value)
    assert "<" not in address
    return method, address


def ask(browser: FlaskClient, method: str, there: str, form: str = "") -> TestResponse:
    return browser.open(there, method=method, data={"form_token": form} if method == "POST" else None)


def problem(response: TestResponse) -> str:
    found: str = response.get_json()["type"].removeprefix("/problems/")
    return found


def form_of(person: Person) -> str:
    return token_of(person.open("/console").text)


def test_a_route_that_the_table_does_not_name_keeps_the_server_from_starting() -> None:
    bare = Flask("bare", static_folder=None)
    for route in RIGHTS:
        method, address = route.split()
        bare.add_url_rule(address, route.replace(".", " "), lambda **_: "", methods=[method])
    hold_to_rights(bare)
    bare.add_url_rule("/new", "new", lambda: "")
    with pytest.raises(LookupError, match=r"\['GET /new'\]"):
        hold_to_rights(bare)


def test_a_route_for_asking_what_is_allowed_has_a_right_too() -> None:
    bare = Flask("bare", static_folder=None)
    bare.add_url_rule("/new", "new", lambda: "", methods=["OPTIONS"])
    with pytest.raises(LookupError, match="'OPTIONS /new'"):
        hold_to_rights(bare)


def test_two_views_at_one_address_are_both_held_to_its_right(services: Context) -> None:
    bare = Flask("bare", static_folder=None)
    bare.extensions["consent"] = services
    bare.register_error_handler(Unauthenticated, lambda _: ("", 401))
    for route in RIGHTS:
        method, address = route.split()
        for name in ("first", "second"):
            bare.add_url_rule(address, f"{name} {route}".replace(".", " "), lambda **_: "", methods=[method])
    hold_to_rights(bare)
    assert bare.test_client().get("/console/lookups").status_code == 401


def test_a_page_is_for_the_role_whose_console_leads_to_it(app: Flask) -> None:
    rules = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    linked = {f"GET {rules[endpoint]}": role for role, *_, endpoint in console.LINKS}
    assert {route: ROLES[route] for route in linked} == linked
    # What no site's console leads to is about all of them, or a page of such a one.
    assert ROLES["GET /console"] is None
    assert ROLES["GET /console/lookups"] is ROLES["GET /metrics"] is Role.OPERATOR
    assert {RIGHTS[route] for route in RIGHTS if " /console" in route} <= ROLE_OF.keys()


def test_a_form_is_for_whom_its_page_is_for() -> None:
    for route in (route for route in ROLES if route.startswith("POST ")):
        page = route.replace("POST", "GET").replace("/find", "/records")
        while page not in ROLES:
            page = page.rpartition("/")[0]
        assert ROLES[route] is ROLES[page], route


def test_a_right_of_no_route_keeps_the_server_from_starting() -> None:
    with pytest.raises(LookupError, match="GET /console/lookups"):
        hold_to_rights(Flask("bare", static_folder=None))


def test_nobody_is_asked_who_they_are(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    browser = browser_of(app)
    form = token_of(browser.get("/sign-in").text)
    for route in (*ROLES, *HELD):
        method, there = asked(route, recorded[0]["receipt_id"])
        if there.startswith("/console"):
            # A person is led to where they can say it.
            answer = ask(browser, method, there, form)
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in"), route
            continue
        answer = ask(client, method, there)
        assert (answer.status_code, problem(answer)) == (401, "unauthenticated"), route
        # Where the same address is read too, the head of that is as shut.
        assert client.head(there).status_code in ((401, 405) if f"GET {route.split()[1]}" in ROLES else (405,)), route


def test_a_wrong_role_is_refused(people: dict[str, Person], recorded: list[dict[str, Any]]) -> None:
    wrong = {Role.AUDITOR: ["max"], Role.MARKETER: ["ada"], Role.OPERATOR: ["max", "ada"]}
    forms = {name: form_of(people[name]) for name in ("max", "ada")}
    for route, role in ROLES.items():
        for name in wrong[role] if role else ():
            answer = ask(people[name].browser, *asked(route, recorded[0]["receipt_id"]), forms[name])
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (name, route)


def test_who_belongs_to_another_site_is_refused(
    app: Flask, people: dict[str, Person], recorded: list[dict[str, Any]]
) -> None:
    people["mona"] = Person(app, "mona")
    people["mona"].accept(people["mona"].invited("--role", "marketer", "--site", "rival"))
    people["oscar"] = Person(app, "oscar")
    people["oscar"].accept(people["oscar"].invited("--role", "operator", "--site", "rival"))
    forms = {name: form_of(people[name]) for name in ("rita", "mona", "oscar")}
    for route in (route for route, role in ROLES.items() if role):
        # Of no site: whoever has the role sees what is of their own. Figures are of all sites at once.
        own = {"mona", "oscar"} if route == "GET /console/rates" else {"oscar"} if route in OF_NO_SITE else set()
        for name in {"rita", "mona", "oscar"} - own:
            answer = ask(people[name].browser, *asked(route, recorded[0]["receipt_id"]), forms[name])
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (name, route)


def test_tokens_are_held_to_the_same(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    tokens = {(role, site): token(app, role, site) for role in ("auditor", "marketer") for site in ("shop", "rival")}
    for route, needed in ROLES.items():
        method, there = asked(route, recorded[0]["receipt_id"])
        if method == "POST" or needed is None:
            continue
        for (role, site), headers in tokens.items():
            if (role, site) == (needed.value, "shop") or (
                role == needed.value and "<key>" not in route and site == "rival"
            ):
                continue
            answer = client.open(there, method=method, headers=headers)
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (role, site, route)


def test_no_role_acts_in_the_place_of_who_holds_the_link(
    people: dict[str, Person], recorded: list[dict[str, Any]]
) -> None:
    for person in people.values():
        form = form_of(person)
        for route in HELD:
            answer = ask(person.browser, *asked(route, recorded[0]["receipt_id"]), form)
            assert (answer.status_code, problem(answer)) == (401, "unauthenticated"), (person.email, route)


def test_every_look_up_is_written_down(ada: Person, recorded: list[dict[str, Any]], services: Context) -> None:
    everybody = Access("test", grants_of(Role.OPERATOR, None))
    form = form_of(ada)
    assert set(AUDITED) == {route for route, role in ROLES.items() if role is Role.AUDITOR}
    for seen, (route, what) in enumerate(AUDITED.items(), 1):
        method, there = asked(route, recorded[0]["receipt_id"])
        answer = ask(ada.browser, method, there + ("?n=1&seed=x&size=4" if what == "sample" else ""), form)
        # Read to its end: a pack is written while it is sent.
        assert answer.get_data() is not None
        # What was posted to be found is no receipt: that somebody looked is written down nonetheless.
        assert answer.status_code == (422 if what == "find" else 200), route
        found, _ = read_lookups(services.database, everybody, None)
        assert len(found) == seen, route
        assert (found[0].what, found[0].site, found[0].who) == (what, "shop", ada.email), route
