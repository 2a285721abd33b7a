"""The consoles' front page, their common frame, and the log of look-ups."""

from typing import Any

from flask import Blueprint, json, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import web as auth
from consent_server.access.log_lookup import read_lookups
from consent_server.access.rules import Role
from consent_server.access.web import needs
from consent_server.core.context import services
from consent_server.core.errors import Unauthenticated
from consent_server.http.queries import PAGE, read_query
from consent_server.sites.find import list_sites

bp = Blueprint("console", __name__, url_prefix="/console")

# What a role may do with a site: role, words, endpoint that takes the site's key. Each console adds its own.
LINKS: list[tuple[Role, str, str]] = []


def frame(pages: Blueprint) -> None:
    """Make a blueprint part of the consoles: guarded forms, and a way to sign in for who has not."""
    auth.guard(pages)
    pages.register_error_handler(Unauthenticated, _to_sign_in)


def page(template: str, **values: Any) -> str:
    """A page of the consoles, with who looks at it."""
    return render_template(
        template, access=auth.caller(), form_token=auth.form_token(), links=links_for_caller(), **values
    )


def links_for_caller() -> list[tuple[str, str]]:
    """What the caller's role may do with each of their sites."""
    return [(words, endpoint) for role, words, endpoint in LINKS if auth.caller().has(role)]


def _to_sign_in(_: Exception) -> AnyResponse:
    there = request.full_path.rstrip("?") if request.method == "GET" else "/console"
    return redirect(url_for("auth.sign_in", next=there), 303)


@bp.get("")
@needs()
def home() -> str:
    """The sites of this person, and what their role may do with each."""
    every = [stored.site for stored in list_sites(services().database)]
    return page("access/home.html", sites=[site for site in every if auth.caller().sees(site.key)])


@bp.get("/lookups")
@needs(Role.OPERATOR)
def lookups() -> str:
    """Who looked at which records, for operators."""
    before = read_query(PAGE, request.args)["before"]
    found, following = read_lookups(services().database, auth.caller(), before)
    return page("access/lookups.html", lookups=found, following=following, first=before is None)


@bp.app_template_filter("subject")
def subject(value: dict[str, Any]) -> str:
    """What a look-up was about, in one line."""
    said = (f"{name}: {'—' if what is None else what if isinstance(what, str) else json.dumps(what)}"
            for name, what in value.items())  # fmt: skip
    return ", ".join(said) or "everything"


@bp.app_template_filter("moment")
def moment(at: Any) -> str:
    """A time as the consoles write it: sortable, to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "—"


frame(bp)
