"""`consent backup` and `consent restore`."""

import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from consent_server.backup.back_up import back_up, database_file
from consent_server.backup.restore import Examined, open_backup, require_stopped
from consent_server.backup.restore import restore as put_back
from consent_server.core.context import Context, context
from consent_server.core.errors import InvalidSettings
from consent_server.core.migrations import known_migrations
from consent_server.core.terminal import confirm, progress, refusing
from consent_server.ledger.recover import recover_ledger
from consent_server.ledger.remark import Remarker
from consent_server.sites.find import list_sites


class BackupFile(click.Path):
    """A file by its name: SQLite cannot write to a pipe, and what is to be restored is copied first."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Fails for -, which other commands read as standard input or output."""
        if value == "-":
            self.fail("A backup is a file: name one, and pipe that.", param, ctx)
        return super().convert(value, param, ctx)


FILE = BackupFile(dir_okay=False, path_type=Path)
PG_RESTORE = (
    "The database is PostgreSQL: restore it with pg_restore into an empty database, with every server stopped, then run"
    " consent ledger recover SITE for each site. docs/deploy.md, section 9, has the whole of it."
)


@click.command("backup")
@click.argument("file", type=FILE)
@click.option("--with-keys", is_flag=True, help="Put the signing keys and the secret key in too.")
@with_appcontext
@refusing
def backup(file: Path, with_keys: bool) -> None:
    """Copy the database to FILE, a new file, while the server runs. Keys are not in it unless you ask."""
    ctx = context()
    manifest = back_up(ctx.settings, ctx.keys, ctx.now(), file, with_keys, progress("% copied"))
    click.echo(f"{file}: {file.stat().st_size:,} bytes, migration {manifest.migration}, mode 0600")
    for held in manifest.ledgers:
        click.echo(f"  {held.site}: {held.size} leaves sealed")
    if with_keys:
        click.echo("It holds the signing keys and the secret key. Keep it as you keep them.")
    else:
        click.echo(f"Not in it: the signing keys ({', '.join(manifest.key_ids)}) and the secret key. Keep these apart.")


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only look into it, and say what would be.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--without-keys", is_flag=True, help="Restore though keys are missing.")
@with_appcontext
@refusing
def restore(file: Path, dry_run: bool, yes: bool, without_keys: bool) -> None:
    """Put a backup in place of the database, once it is found whole. The server must be stopped."""
    ctx = context()
    if not ctx.database.embedded:
        raise InvalidSettings(PG_RESTORE)
    if not dry_run:
        # Said at once, and seen to again before anything is replaced.
        require_stopped(ctx.settings)
    migrations = known_migrations()
    with open_backup(ctx.settings, ctx.keys, migrations, file, _say) as examined:
        _tell(file, examined)
        if examined.missing and not without_keys:
            click.echo("Nothing was restored. With --without-keys it is restored all the same.", err=True)
            sys.exit(1)
        if dry_run:
            return
        database = database_file(ctx.settings)
        if database.exists():
            confirm(f"{database} is there already ({database.stat().st_size:,} bytes). Replace it?", yes)
        put_back(ctx.settings, ctx.keys, examined, ctx.now())
        click.echo(f"{database} is restored.")
        _go_on(ctx, examined.migration == migrations[0])


def _say(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"{step} …", err=True)


def _tell(file: Path, examined: Examined) -> None:
    manifest = examined.manifest
    if manifest is None:
        click.echo(f"{file} is whole, migration {examined.migration}. It has no manifest: another program made it.")
    else:
        click.echo(f"{file} is whole, migration {examined.migration}, made {manifest.made_at} by {manifest.version}")
        for held in manifest.ledgers:
            click.echo(f"  {held.site}: {held.size} leaves sealed")
    for one in examined.missing:
        click.echo(f"MISSING {one}", err=True)


def _go_on(ctx: Context, is_migrated: bool) -> None:
    """Open a new ledger where what was signed is not in the backup, or say how."""
    if not is_migrated:
        click.echo("It is of an earlier version. Run: consent migrate, then consent ledger recover SITE")
        return
    remarker = Remarker(ctx.keys.ring, ctx.settings.public_url, ctx.random)
    for stored in list_sites(ctx.database):
        for gap in recover_ledger(ctx.database, remarker, ctx.keys.guard, ctx.now, stored.site.key):
            click.echo(f"{gap.ledger}: {gap.size} leaves were signed, {gap.restored} are here, {gap.lost} are lost.")
            click.echo("  The ledger goes on under a new name, which says so.")
