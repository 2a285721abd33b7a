"""Give people roles on sites, and take them back."""

from collections.abc import Callable, Sequence

from consent_server.access.rules import Access, Grant, Role, grants_of
from consent_server.core.database import Database
from consent_server.core.errors import UnknownUser
from consent_server.people import store as users
from consent_server.people.invite import an_operator_remains, granted, keep_grants, known_sites, require_may_give


def give_roles(database: Database, user_id: int, role: Role, sites: Sequence[str] | None, by: Access) -> None:
    """Let a user have a role on these sites, or on all. Raises UnknownUser, UnknownSite, Forbidden."""
    _change(database, user_id, role, sites, by, lambda had, given: had | given)


def take_roles(database: Database, user_id: int, role: Role, sites: Sequence[str] | None, by: Access) -> None:
    """Take a role on these sites, or the one on all, from a user. Raises UnknownUser, Forbidden, LastOperator."""
    _change(database, user_id, role, sites, by, lambda had, taken: had - taken)


def _change(
    database: Database, user_id: int, role: Role, sites: Sequence[str] | None, by: Access,
    change: Callable[[frozenset[Grant], frozenset[Grant]], frozenset[Grant]],
) -> None:  # fmt: skip
    with database.transaction() as session:
        users.hold(session)
        grants = grants_of(role, known_sites(session, sites))
        require_may_give(by, grants)
        user = users.by_id(session, user_id)
        if user is None:
            raise UnknownUser("There is no such user any more.")
        with an_operator_remains(session):
            keep_grants(user, change(granted(user), grants))
