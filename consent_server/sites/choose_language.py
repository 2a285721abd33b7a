"""The language to show a notice in."""

from flask import request
from werkzeug.datastructures import LanguageAccept

from consent_server.sites.current_site import CurrentSite


def wished_language(current: CurrentSite) -> str:
    """The language to show a site's notice in: `lang` of the query, else the browser's, else the site's default."""
    languages = current.notice.languages
    asked = request.args.get("lang", "").lower()
    for language in (asked, asked.partition("-")[0]):
        if language in languages:
            return language
    # "*" prefers nothing: it is not a wish for whatever language comes first.
    wished = LanguageAccept([entry for entry in request.accept_languages if entry[0] != "*"])
    return wished.best_match(languages, current.site.default_language)
