"""Who may do what: three roles, each for all sites or for some."""

from dataclasses import dataclass
from enum import StrEnum

from consent_server.core.errors import Forbidden


class Role(StrEnum):
    """What somebody is here for. An operator may do everything that the others may."""

    OPERATOR = "operator"
    MARKETER = "marketer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in person or a program with a token. `sites` None means all, later ones included."""

    name: str
    role: Role
    sites: frozenset[str] | None

    def has(self, role: Role) -> bool:
        """Whether the role covers what `role` may do."""
        return self.role in (role, Role.OPERATOR)

    def sees(self, site: str) -> bool:
        """Whether this site is among theirs."""
        return self.sites is None or site in self.sites

    def require(self, role: Role | None, site: str | None) -> None:
        """Raises Forbidden, in the same words whether the site is another's or is not there at all."""
        if role is not None and not self.has(role):
            raise Forbidden(f"This needs the role {role}; yours is {self.role}.")
        if site is not None and not self.sees(site):
            raise Forbidden("You do not have access to this site. An operator can grant it.")

    def require_all_sites(self) -> None:
        """Raises Forbidden for who is here for some sites only."""
        if self.sites is not None:
            raise Forbidden("This covers all sites, and you have access to only some of them.")
