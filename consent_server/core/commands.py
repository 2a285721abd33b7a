"""Signing keys.

`key` is also a plugin of Flask's command line (pyproject.toml): `key new` has to work before there is any setting.
"""

import click
from flask.cli import AppGroup

from consent_server.core.context import context
from consent_server.core.keys import new_key_set
from consent_server.core.terminal import confirm, destructive, refusing

key = AppGroup("key", help="Signing keys.")


@key.command("new", with_appcontext=False)
def new_keys() -> None:
    """Print a new key set, for CONSENT_SIGNING_KEYS or a file of mode 0600."""
    click.echo(new_key_set())


@key.command("rotate")
@destructive
@refusing
def rotate(dry_run: bool, yes: bool) -> None:
    """Sign with a new key from now on; old public keys stay published, each with the time of its end.

    For a key that others may know: consent key revoke.
    """
    keys = context().keys
    if dry_run:
        click.echo(f"a new key would sign; {keys.ring.kid} would sign no more")
        return
    confirm(f"Sign with a new key, and with {keys.ring.kid} no more? That cannot be taken back.", yes, scheduled=True)
    click.echo(f"new key {keys.rotate(context().now())}")


@key.command("revoke")
@click.argument("kid")
@destructive
@refusing
def revoke(kid: str, dry_run: bool, yes: bool) -> None:
    """Say that others may know the key KID: nothing that it signed is believed for its signature alone.

    Its receipts hold with their proof from the ledger, its state tokens no more. If it is the one that signs, a new
    one takes its place.
    """
    keys = context().keys
    keys.ring.key(kid)
    if dry_run:
        click.echo(f"{kid} would be revoked; {'a new key' if kid == keys.ring.kid else keys.ring.kid} would sign")
        return
    confirm(f"Revoke {kid}? That cannot be taken back.", yes)
    signing = keys.revoke(kid, context().now())
    click.echo(f"{kid} is revoked; {signing} signs")
