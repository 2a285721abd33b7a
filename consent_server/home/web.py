"""The first pages: of the server, of all sites of somebody, and of one."""

from datetime import datetime

from babel.dates import format_timedelta
from flask import Blueprint, Response, redirect, render_template, request, url_for
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.core.context import context
from consent_server.home.read import read_homes, read_server_tasks
from consent_server.home.rules import verdict
from consent_server.http.answers import HTML, Cache, answer
from consent_server.http.fields import Number, read_query
from consent_server.rates.rules_filters import USUAL_DAYS
from consent_server.sites.find import find_site, list_site_keys

front = Blueprint("front", __name__)
bp = Blueprint("home", __name__, url_prefix="/console")
console.frame(bp)

# Each is read as its own page reads it.
PAGE = 10


@front.get("/", strict_slashes=False)
def server() -> AnyResponse:
    """What this server is, and the ways on; who is signed in has come to see the consoles."""
    if auth.session_cookie():
        return redirect(url_for("home.sites"), 303)
    keys = list_site_keys(context().database)
    site = find_site(context().database, keys[0]).site if len(keys) == 1 else None
    html = render_template("home/server.html", only_site=site, sign_in_url=f"{context().settings.sign_in_url}/console")
    return answer(html, HTML, cache=Cache.NO_STORE)


@bp.get("")
def sites() -> AnyResponse:
    """The sites of this person, and whether all is well with each; of one alone, its own page."""
    listed, number = console.sites_of_caller(), read_query(PAGES, request.args)["page"]
    if len(listed) == 1:
        return site(listed[0].key)
    made, access = context(), auth.caller()
    homes = read_homes(made, access, [site.key for site in listed[(number - 1) * PAGE : number * PAGE]])
    return _page(
        "home/sites.html",
        homes=homes,
        server_tasks=read_server_tasks(made, access),
        number=number,
        more=len(listed) > number * PAGE,
    )


@bp.get("/sites/<key>")
def site(key: str) -> AnyResponse:
    """A site: its banner, what there is to do, and figures that say whether all is well."""
    made, access = context(), auth.caller()
    (home,) = read_homes(made, access, [key])
    return _page("home/site.html", site=home.site, home=home, server_tasks=read_server_tasks(made, access))


def _page(template: str, **values: object) -> Response:
    html = console.page(template, span_days=USUAL_DAYS, **values)
    return answer(html, HTML, cache=Cache.PRIVATE, headers={"Content-Security-Policy": console.FRAMES_POLICY})


@bp.app_template_filter("ago")
def ago(at: datetime) -> str:
    """How long ago something was: "3 minutes ago"."""
    return format_timedelta(at - context().now(), add_direction=True, locale="en")


@bp.app_template_filter("verdict")
def verdict_words(tasks: int) -> str:
    """All of it in three words."""
    return verdict(tasks)


class PagesQuery(Schema):
    """Which page of the list."""

    page = Number(1, 10**6, load_default=1)


PAGES = PagesQuery()
