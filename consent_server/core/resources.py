"""Where the files are that stand beside the package: migrations, widget, documentation, examples.

In a checkout they stand at its top. A wheel has one folder, the package, and holds them in `_bundled`, each under the
same path (pyproject.toml). Nobody else needs to know which of the two it is.
"""

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("consent_server")))
_BUNDLED = _PACKAGE / "_bundled"

INSTALLED = _BUNDLED.is_dir()
ROOT = _BUNDLED if INSTALLED else _PACKAGE.parent


def default_instance() -> Path:
    """Where records and keys are kept unless a setting says where: nothing is ever written beside installed code."""
    return Path("consent-instance") if INSTALLED else ROOT / "instance"
