"""What a browser keeps of its visitor: the identifier, and a keyed tag that shows that this server gave it to them."""

import hmac
from collections.abc import Callable
from uuid import UUID

from consent_server.core.keys import LinkSigner

PURPOSE = "visitor"
# Of base64url: 132 bits.
TAG_LENGTH = 22


class VisitorTags:
    """The identifier alone stands in receipts, evidence packs and auditors' answers; with its tag it acts.

    The tag is of one site and stands in no record, so that nobody who reads of a visitor can decide in their name.
    """

    def __init__(self, signer: Callable[[str], LinkSigner]) -> None:
        self._signer = signer(PURPOSE)

    def give(self, site: str, visitor: UUID | str) -> str:
        """What the visitor's browser keeps and sends: `UUID.TAG`."""
        return f"{visitor}.{self._signer.digest(f'{site}/{visitor}')[:TAG_LENGTH].decode()}"

    def read(self, site: str, kept: str | None) -> UUID | None:
        """The identifier of what a browser sent back; None for what this server did not give it on this site."""
        try:
            visitor = UUID((kept or "").partition(".")[0])
        except ValueError:
            return None
        # Compared as text, not as decoded bytes: one identifier, one spelling.
        given = self.give(site, visitor).encode()
        return visitor if hmac.compare_digest(given, (kept or "").encode(errors="replace")) else None
