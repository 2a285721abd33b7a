"""What the consoles' pages have in common, and the log of look-ups."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, json, request
from markupsafe import Markup, escape
from marshmallow import Schema

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.access.log_lookup import read_lookups
from consent_server.core.context import context
from consent_server.http.fields import LARGEST_SIZE, Number, read_query

bp = Blueprint("console", __name__, url_prefix="/console")


@bp.get("/lookups")
def lookups() -> str:
    """Who looked at which records, for operators."""
    before = read_query(PAGE, request.args)["before"]
    found, following = read_lookups(context().database, auth.caller(), before)
    return console.page("access/lookups.html", lookups=found, following=following, first=before is None)


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


@bp.app_template_filter("code")
def code(sentence: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))  # noqa: S704  escaped before


@bp.app_template_filter("short")
def short(digest: str, digits: int = 16) -> str:
    """Enough of a hash to tell it by."""
    return digest[:digits]


@bp.app_template_filter("plural")
def plural(noun: str, count: int) -> str:
    """The noun after a count: "1 record", "2 records"."""
    return noun if count == 1 else f"{noun}s"


@bp.app_template_filter("parted")
def parted(grants: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The keys of what was granted, and of what was denied."""
    return [key for key, on in grants.items() if on], [key for key, on in grants.items() if not on]


console.frame(bp)


class PageQuery(Schema):
    """What a list without filters takes."""

    before = Number(1, LARGEST_SIZE, load_default=None)


PAGE = PageQuery()
