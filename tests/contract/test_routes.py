"""The route table, walked: every route is public by name here, or answers nobody but whom it is for."""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.access.log_lookup import read_lookups
from consent_server.access.rules import Access, Role
from consent_server.core.context import Context
from tests.support.cast import token
from tests.support.people import Person, token_of

Route = tuple[str, str]

PUBLIC: set[Route] = {
    # Visitors' browsers, and what they are shown.
    ("POST", "/v1/sites/<key>/decisions"), ("POST", "/v1/sites/<key>/shown"), ("POST", "/v1/sites/<key>/conversions"),
    ("GET", "/v1/sites/<key>/notice"), ("GET", "/widget/<key>.js"), ("GET", "/widget/<key>/preferences.js"),
    ("GET", "/widget/<key>/details.js"), ("GET", "/widget/<key>/declaration.js"),
    ("GET", "/sites/<key>/declaration"),
    ("GET", "/sites/<key>/choice"), ("POST", "/sites/<key>/choice"), ("GET", "/assets/<path:filename>"),
    ("GET", "/v1/notices/<notice_hash>"), ("GET", "/v1/notices/<notice_hash>/preview"),
    ("GET", "/v1/notices/<notice_hash>/preview/<widget>/widget/<path:script>"),
    ("GET", "/v1/notices/<notice_hash>/pictures/<picture>.png"), ("GET", "/v1/widgets/<widget_hash>"),
    # Who checks something, and holds it already.
    ("GET", "/verify"), ("POST", "/v1/receipts/verify"),
    ("GET", "/.well-known/jwks.json"), ("GET", "/.well-known/gpc.json"), ("GET", "/ledger/<key>/checkpoint"),
    ("GET", "/ledger/<key>/checkpoints"), ("GET", "/ledger/<key>/<path:path>"), ("GET", "/ledger/<key>/consistency"),
    ("GET", "/ledger/<key>/timestamps"), ("GET", "/ledger/<key>/timestamps/<digest>.tsr"),
    # A link that a marketer shared, which is itself what opens it.
    ("GET", "/reports/<link>"),
    # The way in and out, and what says how things are.
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/sign-in/link"), ("POST", "/sign-in/link"),
    ("POST", "/sign-out"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/openapi.json"), ("GET", "/docs"),
    ("GET", "/docs/rates"), ("GET", "/problems/<slug>"),
}  # fmt: skip
# Only who holds the signed link: no role opens these.
HELD: set[Route] = {("POST", "/v1/receipts/<link>/withdrawal"), ("POST", "/v1/receipts/<link>/erasure")}
ANYBODY: Route = ("GET", "/console")
AUDITED: dict[Route, str] = {
    # Each with what its look-up is written down as.
    ("GET", "/v1/sites/<key>/decisions"): "search",
    ("GET", "/v1/sites/<key>/evidence"): "evidence",
    ("GET", "/v1/receipts/<link>"): "receipt",
    ("GET", "/v1/receipts/<link>/proof"): "receipt",
    ("GET", "/console/sites/<key>/records"): "search",
    ("GET", "/console/sites/<key>/records/<receipt_id>"): "record",
    ("POST", "/console/sites/<key>/find"): "find",
    ("GET", "/console/sites/<key>/sample"): "sample",
    ("GET", "/console/sites/<key>/gaps"): "gaps",
}
MARKETING: set[Route] = {
    ("GET", "/v1/sites/<key>/rates"), ("GET", "/v1/sites/<key>/rates.csv"), ("GET", "/v1/sites/<key>/experiment"),
    ("GET", "/console/sites/<key>/rates"), ("POST", "/console/sites/<key>/rates/link"),
    ("GET", "/console/sites/<key>/experiment"), ("POST", "/console/sites/<key>/experiment"),
}  # fmt: skip
OPERATING: set[Route] = {
    ("GET", "/console/sites/<key>/erasure-requests"), ("GET", "/console/lookups"), ("GET", "/metrics"),
}  # fmt: skip
ROLES: dict[Route, Role] = {
    **dict.fromkeys(AUDITED, Role.AUDITOR),
    **dict.fromkeys(MARKETING, Role.MARKETER),
    **dict.fromkeys(OPERATING, Role.OPERATOR),
}


def walked(app: Flask) -> Iterator[tuple[Route, Any]]:
    """Every method of every route that there is, with its view."""
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield (method, rule.rule), app.view_functions[rule.endpoint]


def path(route: Route, receipt_id: str, site: str = "shop") -> str:
    for name, value in (("key", site), ("receipt_id", receipt_id), ("link", receipt_id)):
        route = (route[0], route[1].replace(f"<{name}>", value))
    assert "<" not in route[1]
    return route[1]


def ask(browser: FlaskClient, method: str, there: str, form: str = "") -> TestResponse:
    return browser.open(there, method=method, data={"form_token": form} if method == "POST" else None)


def problem(response: TestResponse) -> str:
    found: str = response.get_json()["type"].removeprefix("/problems/")
    return found


def form_of(person: Person) -> str:
    return token_of(person.open("/console").text)


def test_every_route_is_public_by_name_or_has_a_role(app: Flask) -> None:
    routes = dict(walked(app))
    assert set(routes) == PUBLIC | HELD | {ANYBODY} | set(ROLES)
    assert len(PUBLIC | HELD) + 1 + len(ROLES) == len(routes)
    # A receipt by its bare id asks for the role inside the view: the same address opens with a signed link.
    decorated = {route: view.needs for route, view in routes.items() if hasattr(view, "needs")}
    by_id = {route for route in AUDITED if "<link>" in route[1]}
    assert decorated == {ANYBODY: None, **{route: role for route, role in ROLES.items() if route not in by_id}}


def test_nobody_is_asked_who_they_are(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    browser = app.test_client()
    form = token_of(browser.get("/sign-in").text)
    for route in (*ROLES, *HELD, ANYBODY):
        method, there = route[0], path(route, recorded[0]["receipt_id"])
        if there.startswith("/console"):
            # A person is led to where they can say it.
            answer = ask(browser, method, there, form)
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in"), route
            continue
        answer = ask(client, method, there)
        assert (answer.status_code, problem(answer)) == (401, "unauthenticated"), route
        assert client.head(there).status_code in ((401, 405) if method == "GET" else (405,)), route


def test_a_wrong_role_is_refused(people: dict[str, Person], recorded: list[dict[str, Any]]) -> None:
    wrong = {Role.AUDITOR: ["max"], Role.MARKETER: ["ada"], Role.OPERATOR: ["max", "ada"]}
    forms = {name: form_of(people[name]) for name in ("max", "ada")}
    for route, role in ROLES.items():
        for name in wrong[role]:
            answer = ask(people[name].browser, route[0], path(route, recorded[0]["receipt_id"]), forms[name])
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (name, route)


def test_who_belongs_to_another_site_is_refused(
    app: Flask, people: dict[str, Person], recorded: list[dict[str, Any]]
) -> None:
    people["mona"] = Person(app, "mona")
    people["mona"].accept(people["mona"].invited("--role", "marketer", "--site", "rival"))
    people["oscar"] = Person(app, "oscar")
    people["oscar"].accept(people["oscar"].invited("--role", "operator", "--site", "rival"))
    forms = {name: form_of(people[name]) for name in ("rita", "mona", "oscar")}
    for route in ROLES:
        # Of no site: an operator of one sees the look-ups of that one. Figures are of all sites at once.
        names = ("rita", "mona") if route[1] == "/console/lookups" else ("rita", "mona", "oscar")
        for name in names:
            answer = ask(people[name].browser, route[0], path(route, recorded[0]["receipt_id"]), forms[name])
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (name, route)


def test_tokens_are_held_to_the_same(app: Flask, client: FlaskClient, recorded: list[dict[str, Any]]) -> None:
    tokens = {(role, site): token(app, role, site) for role in ("auditor", "marketer") for site in ("shop", "rival")}
    for route, needed in ROLES.items():
        if route[0] == "POST":
            continue
        for (role, site), headers in tokens.items():
            if (role, site) == (needed.value, "shop"):
                continue
            answer = client.get(path(route, recorded[0]["receipt_id"]), headers=headers)
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (role, site, route)


def test_no_role_acts_in_the_place_of_who_holds_the_link(
    people: dict[str, Person], recorded: list[dict[str, Any]]
) -> None:
    for person in people.values():
        form = form_of(person)
        for method, rule in HELD:
            answer = ask(person.browser, method, path((method, rule), recorded[0]["receipt_id"]), form)
            assert (answer.status_code, problem(answer)) == (401, "unauthenticated"), (person.email, rule)


def test_every_look_up_is_written_down(ada: Person, recorded: list[dict[str, Any]], services: Context) -> None:
    everybody = Access("test", Role.OPERATOR, None)
    form = form_of(ada)
    for seen, (route, what) in enumerate(AUDITED.items(), 1):
        there = path(route, recorded[0]["receipt_id"]) + ("?n=1&seed=x&size=4" if "sample" in route[1] else "")
        answer = ask(ada.browser, route[0], there, form)
        # Read to its end: a pack is written while it is sent.
        assert answer.get_data() is not None
        # What was posted to be found is no receipt: that somebody looked is written down nonetheless.
        assert answer.status_code == (422 if what == "find" else 200), route
        found, _ = read_lookups(services.database, everybody, None)
        assert len(found) == seen, route
        assert (found[0].what, found[0].site, found[0].who) == (what, "shop", ada.email), route
