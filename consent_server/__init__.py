"""A self-hosted consent manager: one tag, signed receipts, an auditable ledger."""

import sys

__version__ = "0.2.0"

if sys.version_info < (3, 11):  # noqa: UP036  pip sees to it, other ways of installing do not
    sys.exit(f"consent-server needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
