"""Wiring: settings, database, services, routes, problems, commands."""

import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask, Response, send_from_directory
from flask.cli import FlaskGroup
from jinja2 import FileSystemLoader, PrefixLoader
from joserfc.errors import SecurityWarning
from werkzeug.middleware.proxy_fix import ProxyFix

from consent_server import cli
from consent_server.access import web as auth
from consent_server.access import web_console as console
from consent_server.audit import web as auditor
from consent_server.audit import web_evidence as evidence
from consent_server.core import rows  # noqa: F401  the tables that migrations compare
from consent_server.core.context import Services, db, migrate, utc_now
from consent_server.core.errors import InvalidSettings
from consent_server.core.settings import ROOT, Settings
from consent_server.decisions import web as api
from consent_server.decisions import web_choice as choice
from consent_server.health import web as health
from consent_server.health import web_metrics as metrics
from consent_server.http import problems, rate_limit
from consent_server.http import web as docs
from consent_server.http.public import BODY_LIMIT
from consent_server.ledger import web as ledger
from consent_server.ledger import web_timestamps as timestamps
from consent_server.rates import web as rates
from consent_server.rates import web_dashboard as dashboard
from consent_server.rates import web_experiment as experiment
from consent_server.rates import web_reports as reports
from consent_server.receipts import web as receipts
from consent_server.receipts import web_erasures as erasures
from consent_server.receipts import web_rights as rights
from consent_server.receipts import web_verify as verify
from consent_server.widget import web as embed
from consent_server.widget import web_declaration as declaration
from consent_server.widget import web_notices as notices

# The contract names EdDSA, which RFC 9864 renamed to Ed25519; the algorithm is the same.
warnings.filterwarnings("ignore", category=SecurityWarning, message=".*EdDSA.*")

LEDGER = (ledger.bp, timestamps.bp)
ACCESS = (auth.bp, console.bp, auditor.api, auditor.bp, evidence.bp, erasures.bp, metrics.bp)
MARKETING = (rates.api, dashboard.bp, reports.bp, experiment.api, experiment.bp)
ROOMS = sorted(path.parent for path in Path(__file__).parent.glob("*/__init__.py"))
TEMPLATES = {room.name: FileSystemLoader(room / "templates") for room in ROOMS}
ASSETS = {
    path.relative_to(room / "assets").as_posix(): room / "assets"
    for room in ROOMS
    for path in (room / "assets").rglob("*.*")
}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings | None = None, now: Callable[[], datetime] = utc_now) -> Flask:
    """The application. A table of contents: each part brings its own set-up."""
    settings = settings or Settings.from_env()
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Flask(
        "consent_server",
        instance_path=str(settings.instance),
        static_folder=None,
    )
    app.jinja_env.loader = PrefixLoader(TEMPLATES)
    app.add_url_rule("/assets/<path:filename>", "assets", _asset)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        MAX_CONTENT_LENGTH=64 * BODY_LIMIT,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        app.extensions["consent"] = Services.make(settings, db.engine, now)
        rate_limit.init_app(app)
    visitors = (
        api.bp,
        choice.bp,
        declaration.bp,
        notices.bp,
        embed.bp,
        receipts.bp,
        rights.bp,
        verify.bp,
        docs.bp,
        health.bp,
    )
    for blueprint in (*visitors, *LEDGER, *ACCESS, *MARKETING):
        app.register_blueprint(blueprint)
    problems.register(app)
    cli.register(app)
    app.after_request(_harden)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]
    return app


def _asset(filename: str) -> Response:
    return send_from_directory(ASSETS.get(filename, ROOMS[0]), filename, max_age=3600)


def _engine_options(settings: Settings) -> dict[str, object]:
    if settings.database_url.startswith("sqlite"):
        return {"connect_args": {"timeout": 5}, "pool_use_lifo": True}
    # As many connections as a worker has threads; PostgreSQL shares commits among connections.
    return {"pool_size": 8, "max_overflow": 8, "connect_args": {"connect_timeout": 5}}


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def start() -> Flask:
    """The application of a program. Settings that cannot be used end the program, with words that name them."""
    try:
        return create_app()
    except InvalidSettings as refusal:
        sys.exit(str(refusal))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}. See whose it is, and what docs/settings.md says of it.")


def main() -> None:
    """The `consent` command: the same as `flask --app wsgi`."""
    FlaskGroup(create_app=start, add_default_commands=True)()
