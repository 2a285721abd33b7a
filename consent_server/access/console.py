"""The common frame of the consoles: guarded forms, a way to sign in, and the links of who looks at it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import guard as auth
from consent_server.access.rules import Role
from consent_server.core.errors import Unauthenticated

# What a role may do with a site, in the order in which it is offered: role, words, endpoint that takes the site's key.
LINKS = (
    (Role.AUDITOR, "Records", "auditor.records"),
    (Role.AUDITOR, "Spot check", "auditor.sample"),
    (Role.AUDITOR, "Gaps", "auditor.gaps"),
    (Role.MARKETER, "Rates", "dashboard.rates"),
    (Role.OPERATOR, "Erasure", "erasures.requests"),
    (Role.MARKETER, "Experiment", "experiment.page"),
)

# What somebody is to do about a site: for which role, and the sentences, by the site's key, of a room that sees it.
TO_DO: list[tuple[Role, Callable[[str], list[str]]]] = []


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


def to_do(key: str) -> list[str]:
    """What the caller's role is to do about a site."""
    return [said for role, told in TO_DO if auth.caller().has(role) for said in told(key)]


def _to_sign_in(_: Exception) -> AnyResponse:
    there = request.full_path.rstrip("?") if request.method == "GET" else "/console"
    return redirect(url_for("auth.sign_in", next=there), 303)
