"""A table of contents: the context, and each room that registers itself with it."""

import os
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask, Response, g, send_from_directory
from flask.cli import ScriptInfo
from jinja2 import FileSystemLoader, PrefixLoader
from joserfc.errors import SecurityWarning
from werkzeug.exceptions import NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from consent_server import cli
from consent_server.access import web_console as access_console
from consent_server.access.routes import hold_to_rights
from consent_server.audit import web as audit_web
from consent_server.audit import web_evidence as audit_evidence
from consent_server.core.context import Context, db, migrate
from consent_server.core.errors import InvalidSettings
from consent_server.core.files import keep_from_others
from consent_server.core.resources import ROOT
from consent_server.core.settings import Settings
from consent_server.core.times import utc_now
from consent_server.decisions import web as decisions_web
from consent_server.editor import web as editor_web
from consent_server.editor import web_new as editor_new
from consent_server.editor import web_plan as editor_plan
from consent_server.editor import web_preview as editor_preview
from consent_server.health import web as health_web
from consent_server.health import web_metrics as health_metrics
from consent_server.home import web as home_web
from consent_server.http import policy, problems, rate_limit, traces
from consent_server.http import web as http_web
from consent_server.http import web_well_known as http_well_known
from consent_server.http.bodies import BODY_LIMIT
from consent_server.http.no_sessions import NoSessions
from consent_server.ledger import web as ledger_web
from consent_server.ledger import web_timestamps as ledger_timestamps
from consent_server.people import web as people_web
from consent_server.people import web_account as people_account
from consent_server.people import web_codes as people_codes
from consent_server.people import web_people as people_people
from consent_server.people import web_provider as people_provider
from consent_server.people import web_tokens as people_tokens
from consent_server.rates import web as rates_web
from consent_server.rates import web_annotations as rates_annotations
from consent_server.rates import web_dashboard as rates_dashboard
from consent_server.rates import web_experiment as rates_experiment
from consent_server.rates import web_reports as rates_reports
from consent_server.rates import web_shared as rates_shared
from consent_server.rates import web_sites as rates_sites
from consent_server.receipts import web as receipts_web
from consent_server.receipts import web_erasures as receipts_erasures
from consent_server.receipts import web_rights as receipts_rights
from consent_server.receipts import web_verify as receipts_verify
from consent_server.scans import web as scans_web
from consent_server.sites import web as sites_web
from consent_server.widget import web as widget_web
from consent_server.widget import web_choice as widget_choice
from consent_server.widget import web_declaration as widget_declaration
from consent_server.widget import web_notices as widget_notices
from consent_server.widget.repeat_answers import RepeatAnswers

# The contract names EdDSA, which RFC 9864 renamed to Ed25519; the algorithm is the same.
warnings.filterwarnings("ignore", category=SecurityWarning, message=".*EdDSA.*")

# In the order of the rooms: what one keeps is there when the next one asks for it.
BLUEPRINTS = (
    http_web.bp,
    http_well_known.bp,
    access_console.bp,
    people_web.bp,
    people_codes.bp,
    people_provider.bp,
    people_account.bp,
    people_people.bp,
    people_tokens.bp,
    sites_web.bp,
    decisions_web.bp,
    ledger_web.bp,
    ledger_timestamps.bp,
    widget_web.bp,
    widget_choice.bp,
    widget_declaration.bp,
    widget_notices.archive,
    widget_notices.bp,
    editor_new.bp,
    editor_web.bp,
    editor_preview.bp,
    editor_preview.signed,
    editor_plan.bp,
    receipts_web.bp,
    receipts_web.verification,
    receipts_rights.bp,
    receipts_verify.bp,
    receipts_erasures.bp,
    audit_web.api,
    audit_web.bp,
    audit_evidence.bp,
    rates_web.api,
    rates_annotations.bp,
    rates_sites.bp,
    rates_dashboard.bp,
    rates_reports.bp,
    rates_shared.bp,
    rates_experiment.api,
    rates_experiment.bp,
    health_web.bp,
    health_metrics.bp,
    home_web.front,
    home_web.bp,
    scans_web.bp,
    scans_web.formats,
)
ROOMS = sorted(path.parent for path in Path(__file__).parent.glob("*/__init__.py"))
TEMPLATES = {room.name: FileSystemLoader(room / "templates") for room in ROOMS}
ASSETS = {
    path.relative_to(room / "assets").as_posix(): room / "assets"
    for room in ROOMS
    for path in (room / "assets").rglob("*.*")
}


def create_app(settings: Settings | None = None, now: Callable[[], datetime] = utc_now) -> Flask:
    """The application: the context, and each room that registers itself with it."""
    settings = settings or Settings.from_env()
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Flask(
        "consent_server",
        instance_path=str(settings.instance),
        static_folder=None,
    )
    # With `//` in its path an address is another one. Led to the one with `/`, who asks would follow the `Host` header.
    app.url_map.merge_slashes = False
    app.jinja_env.loader = PrefixLoader(TEMPLATES)
    app.add_url_rule("/assets/<path:filename>", "assets", _asset)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SQLALCHEMY_BINDS={"replica": settings.replica_url} if settings.replica_url else {},
        MAX_CONTENT_LENGTH=64 * BODY_LIMIT,
    )
    app.session_interface = NoSessions()
    # No view is a coroutine. Flask looks at each, and at each function before and after it, for each request.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    # First, so that what is refused is traced too.
    traces.register(app)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        app.extensions["consent"] = Context(settings, db.engine, now, db.engines.get("replica"))
        rate_limit.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    problems.register(app)
    hold_to_rights(app)
    cli.register(app)
    app.after_request(_harden)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]
    app.wsgi_app = RepeatAnswers(app)  # type: ignore[method-assign]
    return app


def _asset(filename: str) -> Response:
    # By the list alone: a room holds more than what pages may ask for.
    if filename not in ASSETS:
        raise NotFound
    return send_from_directory(ASSETS[filename], filename, max_age=3600)


def _engine_options(settings: Settings) -> dict[str, object]:
    # As many connections as a worker has threads, and some for what it does by itself. Nobody waits long for one.
    pool: dict[str, object] = {"pool_size": 8, "max_overflow": 8, "pool_timeout": 1, "pool_use_lifo": True}
    embedded = settings.database_url.startswith("sqlite")
    return pool | ({"connect_args": {"timeout": 1}} if embedded else {})


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.mimetype == "text/html" or "access" in g:
        # Whoever opened the window cannot read what is in it: a page, or what a session shows of a document.
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault(policy.HEADER, policy.page_policy())
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def start() -> Flask:
    """The application of a program. Settings that cannot be used end the program, with words that name them.

    What it writes is for its own user, whoever made the folder.
    """
    os.umask(0o077)
    try:
        app = create_app()
        keep_from_others(app.extensions["consent"].database.files())
        return app
    except InvalidSettings as refusal:
        sys.exit(str(refusal))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}. See whose it is, and what docs/settings.md says of it.")


def main() -> None:
    """The `consent` command. What is wrong with the settings is said by those commands that read them."""
    cli.consent(obj=ScriptInfo(create_app=start, set_debug_flag=False), prog_name="consent")
