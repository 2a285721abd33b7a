"""The language to show a notice or a page in."""

from collections.abc import Sequence

from flask import request

from consent_server.sites.current_site import CurrentSite
from consent_server.sites.rules_languages import read_first


def wished_language(current: CurrentSite) -> str:
    """The language to show a site's notice in: `lang` of the query, else the browser's, else the site's default."""
    return choose_language(current.notice.languages, current.site.default_language)


def choose_language(offered: Sequence[str], default: str) -> str:
    """Of the offered languages the one that `lang` of the query asks for, else one that the browser accepts."""
    # "*" prefers nothing: it is not a wish for whatever language comes first.
    accepted = [tag for tag, quality in request.accept_languages if quality > 0 and tag != "*"]
    return read_first([request.args.get("lang", ""), *accepted], offered) or default
