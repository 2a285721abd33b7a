"""What a backup says of itself, so that a restore elsewhere can say what is missing."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from consent_server.core.errors import InvalidProof

SCHEMA = "1"


@dataclass(frozen=True, slots=True)
class HeldLedger:
    """A site's ledger as the copy has it: its newest checkpoint, None before the first."""

    site: str
    size: int
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """When and of what a copy was made. `jwks` are the public keys; `keys` the secrets, only where they were asked for.

    `secret` tells the secret key from another, and gives nothing of it away.
    """

    made_at: str
    version: str
    migration: str
    ledgers: tuple[HeldLedger, ...]
    jwks: Mapping[str, Any]
    secret: str
    keys: Mapping[str, str] | None = None

    def text(self) -> str:
        """As it is written."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1)

    @property
    def key_ids(self) -> list[str]:
        """The ids of the signing keys, oldest first."""
        return [str(key["kid"]) for key in self.jwks["keys"]]


def read_manifest(text: str) -> Manifest:
    """Raises InvalidProof."""
    try:
        said = json.loads(text)
        if said.pop("schema") != SCHEMA:
            raise ValueError("it is of a later version")
        ledgers = tuple(HeldLedger(**held) for held in said.pop("ledgers"))
        manifest = Manifest(ledgers=ledgers, **said)
        if not manifest.key_ids:
            raise ValueError("it names no key")
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise InvalidProof(f"The backup's manifest cannot be read: {error}") from error
    return manifest


def secret_mark(secret_key: str) -> str:
    """Tells a secret key from another. Such keys are too long to be guessed, so this gives none away."""
    return sha256(b"consent backup\n" + secret_key.encode()).hexdigest()[:16]
