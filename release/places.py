"""Where the version stands, and how it is set everywhere: `make version V=0.3.0`."""

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from release import changelog
from release.refused import Refused, refusing

ROOT = Path(__file__).parents[1]
PLUGIN = "integrations/wordpress/consent-server"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# Each stands there once, alone in its group.
PLACES = (
    ("pyproject.toml", r'^version = "(.+)"$'),
    ("consent_server/__init__.py", r'^__version__ = "(.+)"$'),
    ("docs/openapi.json", r'^    "version": "(.+)"$'),
    ("packages/embed/package.json", r'^  "version": "(.+)",$'),
    (f"{PLUGIN}/consent-server.php", r"^ \* Version: (.+)$"),
    (f"{PLUGIN}/consent-server.php", r"^const CONSENT_SERVER_VERSION = '(.+)';$"),
    (f"{PLUGIN}/readme.txt", r"^Stable tag: (.+)$"),
)


def agreed(root: Path) -> str:
    """The version of a tree. Raises Refused where two places differ."""
    found = [(name, _place(root, name, pattern)[1]) for name, pattern in PLACES]
    if len({version for _, version in found}) > 1:
        said = "\n".join(f"  {version:10} {name}" for name, version in found)
        raise Refused(f"The version is not the same everywhere. `make version V=…` sets it.\n{said}")
    return found[0][1]


def set_version(root: Path, version: str, today: date) -> None:
    """Write a version wherever one stands, and put what is unreleased under it. Writes nothing where it is refused."""
    if not VERSION.fullmatch(version):
        raise Refused(f"{version!r} is no version: three numbers, as in 0.3.0.")
    before = agreed(root)
    if _numbers(version) <= _numbers(before):
        raise Refused(f"{version} does not come after {before}.")
    log = root / "CHANGELOG.md"
    cut = changelog.cut(log.read_text("utf-8"), version, today)
    for name, pattern in PLACES:
        found, _ = _place(root, name, pattern)
        start, end = found.span(1)
        (root / name).write_text(found.string[:start] + version + found.string[end:], "utf-8")
    log.write_text(cut, "utf-8")


def _place(root: Path, name: str, pattern: str) -> tuple[re.Match[str], str]:
    found = list(re.finditer(pattern, (root / name).read_text("utf-8"), re.MULTILINE))
    if len(found) != 1:
        raise Refused(f"{name} has the version {len(found)} times, not once: {pattern}")
    return found[0], found[0][1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


@refusing
def main(arguments: list[str]) -> None:
    """Set the version that is given."""
    if len(arguments) != 1 or not arguments[0]:
        raise Refused("Which version? `make version V=0.3.0`")
    set_version(ROOT, arguments[0], datetime.now(UTC).date())
    print(f"{arguments[0]} everywhere. Read what `git diff` shows, run `make test-slow`, commit, then `make release`.")


if __name__ == "__main__":
    main(sys.argv[1:])
