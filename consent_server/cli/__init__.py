"""Commands: `flask --app wsgi …`, in the venv also `consent …`. They call use cases and say what these did."""

from flask import Flask

from consent_server.cli.access import token, user
from consent_server.cli.evidence import evidence
from consent_server.cli.keys import key
from consent_server.cli.notices import notice
from consent_server.cli.records import ledger, receipt, retention, visitor
from consent_server.cli.sites import site
from consent_server.cli.welcome import welcome


def register(app: Flask) -> None:
    """Add the commands to the application."""
    for command in (site, notice, receipt, key, ledger, retention, visitor, user, token, evidence, welcome):
        app.cli.add_command(command)
