"""How commands say what they did: refusals in words, progress on a terminal only."""

import errno
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar
from unicodedata import category

import click

from consent_server.core.context import context
from consent_server.core.errors import Refusal

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def plain(text: object) -> str:
    """A line as it may stand on a terminal or in a log, whoever wrote it: it ends no line, draws nothing and turns
    no text around. Letters of all languages stay what they are.
    """
    return "".join(one if _is_shown(one) else one.encode("unicode_escape").decode() for one in str(text))


def _is_shown(character: str) -> bool:
    return character.isprintable() or character == "\t" or category(character) == "Zs"


def say(line: object, err: bool = False) -> None:
    """Print a line that may hold what a stranger wrote."""
    click.echo(plain(line), err=err)


def refusing(command: Callable[P, R]) -> Callable[P, R]:
    """Tell a refusal, or what is wrong with a file, in words on stderr, and exit with 1."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Refusal as refusal:
            _say_refusal(refusal)
            sys.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            say(f"{where}{error.strerror or error}", err=True)
            sys.exit(1)

    return wrapper


def _say_refusal(refusal: Refusal) -> None:
    say(refusal.detail, err=True)
    for fault in refusal.faults:
        say(f"  {fault.pointer}: {fault.detail}", err=True)
    # Visitors are not told what a database says. Whoever runs a command has to know.
    if original := getattr(refusal.__cause__, "orig", None):
        say(f"  The database says: {' '.join(str(original).split())}", err=True)


def destructive(command: Callable[P, R]) -> Callable[P, R]:
    """The options of a command that removes or replaces: `dry_run`, and `yes`, which `confirm` is told."""
    yes = click.option("--yes", is_flag=True, help="Do not ask.")
    dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
    return dry_run(yes(command))


def confirm(question: str, yes: bool, scheduled: bool = False) -> None:
    """Ask on a terminal, unless `--yes` answered. Without a terminal nothing is taken for granted: exit with 1.

    What schedules have always run (`scheduled`) goes on where nobody can be asked.
    """
    asked = sys.stdin.isatty()
    if yes or (scheduled and not asked):
        return
    if not asked:
        click.echo(f"{question} Nobody can be asked here: say --yes.", err=True)
        sys.exit(1)
    click.confirm(question, abort=True)


def all_or_none(act: Callable[[T], R], given: Iterable[T]) -> list[R]:
    """What `act` makes of each. Where it refuses some, stderr has every refusal, and the command exits with 1."""
    made, refused = [], False
    for one in given:
        try:
            made.append(act(one))
        except Refusal as refusal:
            _say_refusal(refusal)
            refused = True
    if refused:
        sys.exit(1)
    return made


def progress(what: str) -> Callable[[int], None]:
    """Shows a growing number on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda number: click.echo(f"\r{number} {what}", nl=False, err=True)


def counting(what: str) -> Callable[[int], None]:
    """The same for who is told of each part how many it was."""
    show, total = progress(what), 0

    def add(number: int) -> None:
        nonlocal total
        total += number
        show(total)

    return add


def site_tag(site_key: str) -> str:
    """The one line that a site pastes."""
    return f'<script async src="{context().settings.public_url}/widget/{site_key}.js"></script>'


def link_url(link: str) -> str:
    """A one-time link in full. It stands in the query, which no access log keeps."""
    return f"{context().settings.sign_in_url}/sign-in/link?t={link}"
