"""Every route of the server and whom it answers: one table, which the server holds itself to when it starts."""

from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import wraps
from typing import Any

from flask import Flask

from consent_server.access.guard import caller
from consent_server.access.rules import Role


class Right(Enum):
    """Whom a route answers."""

    ANYBODY = auto()
    # Whoever has the address: it is signed, and the view opens it.
    HOLDER = auto()
    # The same, and auditors of the site by the receipt's bare id.
    HOLDER_OR_AUDITOR = auto()
    # People with a session, and programs with a token. Of a site, only those whose site it is.
    SIGNED_IN = auto()
    AUDITOR = auto()
    MARKETER = auto()
    OPERATOR = auto()


ROLES: dict[Right, Role | None] = {
    Right.SIGNED_IN: None,
    Right.AUDITOR: Role.AUDITOR,
    Right.MARKETER: Role.MARKETER,
    Right.OPERATOR: Role.OPERATOR,
}

RIGHTS: dict[str, Right] = {
    # What a site's pages load, and what they post.
    "GET /widget/<key>.js": Right.ANYBODY,
    "GET /widget/<key>/preferences.js": Right.ANYBODY,
    "GET /widget/<key>/details.js": Right.ANYBODY,
    "GET /widget/<key>/declaration.js": Right.ANYBODY,
    "GET /widget/<key>/debug.js": Right.ANYBODY,
    "POST /v1/sites/<key>/decisions": Right.ANYBODY,
    "POST /v1/sites/<key>/shown": Right.ANYBODY,
    "POST /v1/sites/<key>/conversions": Right.ANYBODY,
    "POST /v1/sites/<key>/page-loads": Right.ANYBODY,
    # What a visitor is shown, now and then.
    "GET /v1/sites/<key>/notice": Right.ANYBODY,
    "GET /sites/<key>/declaration": Right.ANYBODY,
    "GET /sites/<key>/choice": Right.ANYBODY,
    "POST /sites/<key>/choice": Right.ANYBODY,
    "GET /v1/notices/<notice_hash>": Right.ANYBODY,
    "GET /v1/notices/<notice_hash>/look.css": Right.ANYBODY,
    "GET /v1/notices/<notice_hash>/preview": Right.ANYBODY,
    "GET /v1/notices/<notice_hash>/preview/<widget>/widget/<path:script>": Right.ANYBODY,
    "GET /v1/notices/<notice_hash>/pictures/<picture>.png": Right.ANYBODY,
    "GET /v1/widgets/<widget_hash>": Right.ANYBODY,
    # A receipt: no role acts in the place of who holds it.
    "GET /v1/receipts/<link>": Right.HOLDER_OR_AUDITOR,
    "GET /v1/receipts/<link>/proof": Right.HOLDER_OR_AUDITOR,
    "POST /v1/receipts/<link>/withdrawal": Right.HOLDER,
    "POST /v1/receipts/<link>/erasure": Right.HOLDER,
    # Who checks something, and holds it already.
    "GET /verify": Right.ANYBODY,
    "POST /v1/receipts/verify": Right.ANYBODY,
    "GET /.well-known/jwks.json": Right.ANYBODY,
    "GET /ledger/<key>/checkpoint": Right.ANYBODY,
    "GET /ledger/<key>/checkpoints": Right.ANYBODY,
    "GET /ledger/<key>/consistency": Right.ANYBODY,
    "GET /ledger/<key>/remarks": Right.ANYBODY,
    "GET /ledger/<key>/<path:path>": Right.ANYBODY,
    "GET /ledger/<key>/timestamps": Right.ANYBODY,
    "GET /ledger/<key>/timestamps/<digest>.tsr": Right.ANYBODY,
    # Records.
    "GET /v1/sites/<key>/decisions": Right.AUDITOR,
    "GET /v1/sites/<key>/decisions.csv": Right.AUDITOR,
    "GET /v1/sites/<key>/replay": Right.AUDITOR,
    "GET /v1/sites/<key>/evidence": Right.AUDITOR,
    "GET /console/sites/<key>/records": Right.AUDITOR,
    "GET /console/sites/<key>/records/<receipt_id>": Right.AUDITOR,
    "POST /console/sites/<key>/find": Right.AUDITOR,
    "GET /console/sites/<key>/sample": Right.AUDITOR,
    "GET /console/sites/<key>/gaps": Right.AUDITOR,
    # Rates.
    "GET /v1/sites/<key>/rates": Right.MARKETER,
    "GET /v1/sites/<key>/rates.csv": Right.MARKETER,
    "GET /v1/sites/<key>/experiment": Right.MARKETER,
    "GET /v1/sites/<key>/annotations": Right.MARKETER,
    "POST /v1/sites/<key>/annotations": Right.MARKETER,
    "DELETE /v1/sites/<key>/annotations/<number>": Right.MARKETER,
    "GET /console/rates": Right.MARKETER,
    "GET /console/sites/<key>/rates": Right.MARKETER,
    "GET /console/sites/<key>/rates/notice": Right.MARKETER,
    "POST /console/sites/<key>/rates/link": Right.MARKETER,
    "GET /console/sites/<key>/reports": Right.MARKETER,
    "POST /console/sites/<key>/reports/<number>/revocation": Right.MARKETER,
    "GET /console/sites/<key>/experiment": Right.MARKETER,
    "POST /console/sites/<key>/experiment": Right.MARKETER,
    "GET /reports/<link>": Right.HOLDER,
    # Whoever runs the server.
    "GET /console/sites/<key>/erasure-requests": Right.OPERATOR,
    "GET /console/sites/<key>/erasure-requests/<receipt_id>": Right.OPERATOR,
    "POST /console/sites/<key>/erasure-requests/<receipt_id>": Right.OPERATOR,
    "GET /console/sites/new": Right.OPERATOR,
    "POST /console/sites/new": Right.OPERATOR,
    "GET /console/sites/<key>/settings": Right.OPERATOR,
    "POST /console/sites/<key>/settings": Right.OPERATOR,
    "GET /console/sites/<key>/settings/file": Right.OPERATOR,
    "POST /console/sites/<key>/settings/file": Right.OPERATOR,
    "POST /console/sites/<key>/settings/preview": Right.OPERATOR,
    "GET /console/sites/<key>/settings/plan": Right.OPERATOR,
    "POST /console/sites/<key>/settings/plan": Right.OPERATOR,
    "GET /previews/<link>": Right.HOLDER,
    "GET /console/sites/<key>/scans": Right.OPERATOR,
    "POST /console/sites/<key>/scans": Right.OPERATOR,
    "GET /console/sites/<key>/scans/<number>": Right.OPERATOR,
    "GET /console/lookups": Right.OPERATOR,
    "GET /metrics": Right.OPERATOR,
    "GET /healthz": Right.ANYBODY,
    "GET /readyz": Right.ANYBODY,
    # The way in and out.
    "GET /sign-in": Right.ANYBODY,
    "POST /sign-in": Right.ANYBODY,
    "GET /sign-in/link": Right.ANYBODY,
    "POST /sign-in/link": Right.ANYBODY,
    "GET /sign-in/forgotten": Right.ANYBODY,
    "POST /sign-in/forgotten": Right.ANYBODY,
    "GET /sign-in/provider": Right.ANYBODY,
    "GET /sign-in/provider/answer": Right.ANYBODY,
    "GET /sign-in/code": Right.ANYBODY,
    "POST /sign-in/code": Right.ANYBODY,
    "GET /sign-in/codes": Right.ANYBODY,
    "POST /sign-in/codes": Right.ANYBODY,
    "POST /sign-out": Right.ANYBODY,
    "GET /": Right.ANYBODY,
    "GET /console": Right.SIGNED_IN,
    "GET /console/sites/<key>": Right.SIGNED_IN,
    # Of people: an operator sees those of their sites, and changes what is within these.
    "GET /console/account": Right.SIGNED_IN,
    "POST /console/account/password": Right.SIGNED_IN,
    "POST /console/account/codes": Right.SIGNED_IN,
    "POST /console/account/sessions": Right.SIGNED_IN,
    "GET /console/people": Right.OPERATOR,
    "POST /console/people": Right.OPERATOR,
    "GET /console/people/<number>": Right.OPERATOR,
    "POST /console/people/<number>/roles": Right.OPERATOR,
    "POST /console/people/<number>/link": Right.OPERATOR,
    "POST /console/people/<number>/sessions": Right.OPERATOR,
    "POST /console/people/<number>/codes": Right.OPERATOR,
    "POST /console/people/<number>/removal": Right.OPERATOR,
    "GET /console/tokens": Right.OPERATOR,
    "POST /console/tokens": Right.OPERATOR,
    "POST /console/tokens/<number>/revocation": Right.OPERATOR,
    # What is said of the server, and what its pages are made of.
    "GET /.well-known/gpc.json": Right.ANYBODY,
    "GET /.well-known/security.txt": Right.ANYBODY,
    "GET /openapi.json": Right.ANYBODY,
    "GET /docs": Right.ANYBODY,
    "GET /formats/scan.schema.json": Right.ANYBODY,
    "GET /docs/rates": Right.ANYBODY,
    "GET /docs/embedding": Right.ANYBODY,
    "GET /problems/<slug>": Right.ANYBODY,
    "GET /assets/<path:filename>": Right.ANYBODY,
}


def hold_to_rights(app: Flask) -> None:
    """Let each route answer only whom the table names. Raises LookupError where table and routes differ."""
    routes = list(_routes(app))
    if unmatched := {route for route, _ in routes} ^ RIGHTS.keys():
        raise LookupError(f"Routes without a right, or rights without a route: {sorted(unmatched)}")
    # Each by itself: of two views at one address Flask calls the first, whichever is listed last.
    for route, endpoint in routes:
        if RIGHTS[route] in ROLES:
            app.view_functions[endpoint] = _for_role(ROLES[RIGHTS[route]], app.view_functions[endpoint])


def _routes(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        # Flask adds these two by itself: the one is a GET, the other tells nobody anything.
        methods = set(rule.methods or ())
        for method in methods - {"HEAD", "OPTIONS"} or methods:
            yield f"{method} {rule.rule}", rule.endpoint


def _for_role(role: Role | None, view: Callable[..., Any]) -> Callable[..., Any]:
    """Raises Unauthenticated or Forbidden before the view looks at anything else."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        key = kwargs.get("key")
        caller().require(role, key if isinstance(key, str) else None)
        return view(*args, **kwargs)

    return wrapper
