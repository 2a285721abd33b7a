"""The OpenID provider that the operator named, if any."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """Where people may sign in instead of here."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """As people are told where they will be asked."""
        return urlsplit(self.issuer).netloc
