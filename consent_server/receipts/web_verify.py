"""The page that checks receipts and evidence packs in the visitor's browser. The server sees none of them."""

from typing import Any

from flask import Blueprint, render_template

from consent_server.sites import catalogue
from consent_server.sites.choose_language import choose_language

bp = Blueprint("verify", __name__)


@bp.get("/verify")
def page() -> str:
    """In the language asked for, else the browser's."""
    languages = list(catalogue.locales())
    language = choose_language(languages, "en")
    locale = catalogue.locales()[language]
    return render_template(
        "receipts/verify.html",
        language=language,
        direction=locale["meta"]["direction"],
        languages={key: other["meta"]["name"] for key, other in catalogue.locales().items()},
        texts=locale["verify"],
        check=locale["check"],
        receipt=locale["receipt"],
        words=_words(locale),
    )


def _words(locale: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the script calls the facts of a receipt and of a pack."""
    receipt, verify = locale["receipt"], locale["verify"]
    facts = ("site", "controller", "when", "valid_until", "purposes", "vendors", "page", "notice", "receipt_id")
    said = ("decided", "granted", "denied", *(name for name in receipt if name.startswith("action_")))
    return {
        "receipt": {name: receipt[name] for name in (*facts, *said)}
        | {name: locale["rules"][name] for name in ("objected", "not_objected")}
        | {"titles": _titles(locale)},
        "pack": {name: verify[name] for name in ("period", "records", "removed")}
        | {name: receipt[name] for name in ("site", "tree_size")},
    }


def _titles(locale: dict[str, Any]) -> dict[str, str]:
    """What purposes and vendors that everybody may use are called. A receipt has keys, and a site's own stay these."""
    vendors = {key: vendor["name"] for key, vendor in catalogue.vendors().items()}
    return vendors | {key: purpose["title"] for key, purpose in locale["purposes"].items()}
