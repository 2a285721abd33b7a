"""Commands: `flask --app wsgi …`, in the venv also `consent …`. They call use cases and say what these did."""

from flask import Flask

from consent_server.access.commands import token, user
from consent_server.audit.commands import evidence
from consent_server.core.commands import key
from consent_server.receipts.commands import ledger, receipt, retention, visitor
from consent_server.sites.commands import site
from consent_server.welcome import welcome
from consent_server.widget.commands import notice


def register(app: Flask) -> None:
    """Add the commands to the application."""
    for command in (site, notice, receipt, key, ledger, retention, visitor, user, token, evidence, welcome):
        app.cli.add_command(command)
