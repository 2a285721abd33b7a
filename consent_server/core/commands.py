"""Signing keys.

`key` is also a plugin of Flask's command line (pyproject.toml): `key new` has to work before there is any setting.
"""

import click
from flask.cli import AppGroup

from consent_server.core.context import context
from consent_server.core.keys import new_key_set
from consent_server.core.terminal import refusing

key = AppGroup("key", help="Signing keys.")


@key.command("new", with_appcontext=False)
def new_keys() -> None:
    """Print a new key set, for CONSENT_SIGNING_KEYS or a file of mode 0600."""
    click.echo(new_key_set())


@key.command("rotate")
@refusing
def rotate() -> None:
    """Sign with a new key from now on; old public keys stay published."""
    click.echo(f"new key {context().keys.rotate()}")
