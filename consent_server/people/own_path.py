"""Where a person may be sent after signing in: the consoles, and nowhere outside this server."""

import re

# A browser takes `..`, `%2e%2e` and `\` for steps, so that a step is letters and digits of ours or none.
_OWN_PATH = re.compile(r"/console(?:/[A-Za-z0-9_-]+)*(?:\?[^\x00-\x20\x7f\\#]*)?")


def own_path(path: str) -> str:
    """The path if it is one of the consoles, else their front page."""
    return path if _OWN_PATH.fullmatch(path) else "/console"
