"""Who may do what: three roles, each for all sites or for one."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from consent_server.core.errors import Forbidden


class Role(StrEnum):
    """What somebody is here for. An operator may do everything that the others may."""

    OPERATOR = "operator"
    MARKETER = "marketer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on one site; None means all, later ones included."""

    role: Role
    site: str | None

    def covers(self, role: Role, site: str | None) -> bool:
        """Whether who has this may do what the role may, there; None asks for all sites."""
        return self.role in (role, Role.OPERATOR) and self.site in (None, site)


def grants_of(role: Role, sites: Iterable[str] | None) -> frozenset[Grant]:
    """The same role on each of these sites, or on all."""
    return frozenset({Grant(role, None)} if sites is None else {Grant(role, site) for site in sites})


def in_order(grants: Iterable[Grant]) -> list[Grant]:
    """Those on all sites first, then by site."""
    return sorted(grants, key=lambda grant: (grant.site or "", grant.role))


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in person, or a program with a token, which is nobody: `person` is None."""

    name: str
    grants: frozenset[Grant]
    person: int | None = None

    @property
    def title(self) -> str:
        """Their roles in words: "auditor, marketer"."""
        return ", ".join(sorted({grant.role for grant in self.grants})) or "without a role"

    def has(self, role: Role) -> bool:
        """Whether they may do what `role` may on some site, or on all."""
        return any(grant.covers(role, grant.site) for grant in self.grants)

    def has_on(self, role: Role, site: str | None) -> bool:
        """The same, on this site; None asks for all sites."""
        return any(grant.covers(role, site) for grant in self.grants)

    def sees(self, site: str) -> bool:
        """Whether this site is among theirs."""
        return any(grant.site in (None, site) for grant in self.grants)

    def sites_as(self, role: Role) -> frozenset[str] | None:
        """The sites on which they may do what `role` may; None means all."""
        found = {grant.site for grant in self.grants if grant.covers(role, grant.site)}
        return None if None in found else frozenset(site for site in found if site is not None)

    def may_give(self, grants: Iterable[Grant]) -> bool:
        """Whether they may give, and take, all of these: nobody more than an operator has there."""
        return all(self.has_on(Role.OPERATOR, grant.site) for grant in grants)

    def require(self, role: Role | None, site: str | None) -> None:
        """Raises Forbidden, in the same words whether the site is another's or is not there at all."""
        if role is not None and not self.has(role):
            raise Forbidden(f"This needs the role {role}; yours is {self.title}.")
        if site is not None and not (self.sees(site) if role is None else self.has_on(role, site)):
            raise Forbidden("You do not have access to this site. An operator can grant it.")

    def require_all_sites(self) -> None:
        """Raises Forbidden for who does not operate all sites."""
        if not self.has_on(Role.OPERATOR, None):
            raise Forbidden("This covers all sites, and you have access to only some of them.")
