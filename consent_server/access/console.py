"""The common frame of the consoles: guarded forms, a way to sign in, and the links of who looks at it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import guard as auth
from consent_server.access.list_sites import ListedSite, list_sites
from consent_server.access.rules import Role
from consent_server.core.context import context
from consent_server.core.errors import Unauthenticated


class Link(NamedTuple):
    """What a role may do with a site: `sign` is one of http/templates/icon.html, the endpoint takes the site's key."""

    role: Role
    words: str
    sign: str
    endpoint: str


# In the order in which they are offered.
LINKS = (
    Link(Role.MARKETER, "Rates", "rates", "dashboard.rates"),
    Link(Role.MARKETER, "Experiment", "experiment", "experiment.page"),
    Link(Role.AUDITOR, "Records", "records", "auditor.records"),
    Link(Role.AUDITOR, "Spot check", "check", "auditor.sample"),
    Link(Role.AUDITOR, "Gaps", "gaps", "auditor.gaps"),
    Link(Role.OPERATOR, "Erasure", "requests", "erasures.requests"),
    Link(Role.OPERATOR, "Scans", "scan", "scans.scans"),
    Link(Role.OPERATOR, "Settings", "settings", "editor.settings"),
)

# As all pages have it, and frames in which archived banners are shown.
FRAMES_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Of a link's endpoint, how much waits there on a site, by the site's key.
WAITING: dict[str, Callable[[str], int]] = {}


def frame(pages: Blueprint, framed: bool = False) -> None:
    """Make a blueprint part of the consoles: guarded forms, and a way to sign in for who has not."""
    auth.guard(pages, framed)
    pages.register_error_handler(Unauthenticated, _to_sign_in)


def frame_of_people(pages: Blueprint) -> None:
    """The same, of pages that no program opens, whatever its token's role."""
    frame(pages)
    pages.before_request(_require_person)


def _require_person() -> None:
    auth.person()


def page(template: str, **values: Any) -> str:
    """A page of the consoles, with who looks at it."""
    return render_template(
        template, access=auth.caller(), form_token=auth.form_token(), **_side_bar(values.get("site")), **values
    )


def bare_page(template: str, **values: Any) -> str:
    """A page on the way in or out, without a side bar."""
    return render_template(template, access=None, form_token=auth.form_token(), **values)


def sites_of_caller(role: Role | None = None) -> list[ListedSite]:
    """The sites that the caller may see, or may see as this role, by key."""
    access = auth.caller()
    sites = list_sites(context().database)
    return [site for site in sites if (access.sees(site.key) if role is None else access.has_on(role, site.key))]


def links_of(key: str) -> list[Link]:
    """What the caller may do with a site."""
    return [link for link in LINKS if auth.caller().has_on(link.role, key)]


def _side_bar(site: Any) -> dict[str, Any]:
    """The site that the page is about, or the only one, what the caller may do with it, and the others."""
    sites = sites_of_caller()
    here = site or (sites[0] if len(sites) == 1 else None)
    links = links_of(here.key) if here else []
    endpoints = [link.endpoint for link in links]
    return {
        "here": here,
        "links": links,
        "switches": [(other, _same_page(other.key)) for other in sites] if len(sites) > 1 else [],
        "waiting": {name: WAITING[name](here.key) for name in endpoints if here and name in WAITING},
    }


def _same_page(key: str) -> str:
    """The page of another site that is most like this one, of those that the caller may open."""
    endpoints = [link.endpoint for link in links_of(key)]
    there = request.endpoint if request.endpoint in endpoints else next(iter(endpoints), "home.site")
    return url_for(there, key=key)


def _to_sign_in(_: Exception) -> AnyResponse:
    there = request.full_path.rstrip("?") if request.method == "GET" else "/console"
    return redirect(url_for("auth.sign_in", next=there), 303)
