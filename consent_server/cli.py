"""Commands: `consent …`. They call use cases and say what these did."""

import click
from flask import Flask

from consent_server import __version__
from consent_server.audit.commands import evidence
from consent_server.backup.commands import backup, restore
from consent_server.core.commands import key
from consent_server.core.settings import say_unknown_settings
from consent_server.core.terminal import say
from consent_server.health.commands import doctor
from consent_server.ledger.commands import ledger
from consent_server.people.commands import token, user
from consent_server.rates.commands import annotation, report
from consent_server.receipts.commands import receipt, retention, visitor
from consent_server.scans.commands import scan
from consent_server.serving.commands import demo, migrate, serve, welcome
from consent_server.sites.commands import csp, init, place, site, vendor
from consent_server.widget.commands import notice

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "To begin": (demo, init, serve, welcome),
    "Sites": (site, vendor, place, notice, csp),
    "Records": (receipt, visitor, retention, evidence, ledger),
    "People and programs": (user, token, report, annotation),
    "Upkeep": (doctor, scan, migrate, key, backup, restore),
}
COMMANDS = [command for section in SECTIONS.values() for command in section]
# Settings are read before Flask's own commands are known. These choose or need others.
NOT_IN_FLASK = (demo, init, scan, serve)


class Sections(click.Group):
    """A group whose help tells its commands by what they are for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a paragraph for each section; of a group, its commands too."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(command.name or "", _told(command)) for command in commands])


def _told(command: click.Command) -> str:
    sentence = (command.help or "").partition("\n\n")[0].replace("\n", " ").strip()
    if not isinstance(command, click.Group):
        return sentence
    return f"{sentence.removesuffix('.')} ({', '.join(sorted(command.commands))})."


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="consent %(version)s")
@click.pass_context
def consent(ctx: click.Context) -> None:
    """A self-hosted consent manager: asks visitors, keeps what they answered, and proves it.

    Settings are read from the environment. `consent COMMAND --help` says more of each.
    """
    # The server says it in its log.
    if ctx.invoked_subcommand != "serve":
        for sentence in say_unknown_settings():
            say(sentence, err=True)


for _command in COMMANDS:
    consent.add_command(_command)


def register(app: Flask) -> None:
    """Add the commands to the application, for `flask --app wsgi`."""
    for command in COMMANDS:
        if command not in NOT_IN_FLASK:
            app.cli.add_command(command)
