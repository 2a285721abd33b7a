"""What keeps a release from being made, in words for whoever makes it."""

import sys
from collections.abc import Callable
from functools import wraps


class Refused(Exception):
    """Something is not as a release asks; the message says what, and what to do."""


def refusing(command: Callable[[list[str]], None]) -> Callable[[list[str]], None]:
    """A command that ends with these words in place of a traceback."""

    @wraps(command)
    def ended(arguments: list[str]) -> None:
        try:
            command(arguments)
        except Refused as refused:
            sys.exit(str(refused))

    return ended
