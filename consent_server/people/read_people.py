"""Who is here, as far as an operator may see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_server.access.rows import UserRow
from consent_server.access.rules import Access, Grant, Role, in_order
from consent_server.core.database import Database
from consent_server.core.errors import Forbidden, UnknownUser
from consent_server.people import store as users
from consent_server.people import store_sign_ins as sign_ins
from consent_server.people.invite import OTHERS, granted, manages


@dataclass(frozen=True, slots=True)
class Person:
    """A user as an operator sees them: with the roles that the operator could give or take, and no others.

    `managed`: the operator is over all that they have, and may do with the account as they please.
    """

    number: int
    email: str
    grants: Sequence[Grant]
    has_password: bool
    elsewhere: bool
    invited: bool
    last_seen: datetime | None
    managed: bool
    created_at: datetime

    @property
    def state(self) -> str:
        """How they sign in, in words."""
        if self.elsewhere:
            return "signs in with the provider"
        if self.has_password:
            return "password set"
        return "invited, link not used yet" if self.invited else "no password"


def read_people(database: Database, by: Access) -> list[Person]:
    """Everybody with a role on a site that this person operates, by address."""
    with database.reading() as session:
        seen = sign_ins.last_seen(session)
        return [person for row in users.every(session) if (person := _person(row, by, seen.get(row.id)))]


def read_person(database: Database, number: int, by: Access) -> Person:
    """One of them. Raises Forbidden, in the same words whether there is nobody or they belong to other sites."""
    with database.reading() as session:
        row = users.by_id(session, number)
        person = _person(row, by, sign_ins.last_seen(session).get(number)) if row else None
    if row is None and by.has_on(Role.OPERATOR, None):
        raise UnknownUser("There is no such user any more.")
    if person is None:
        raise Forbidden(OTHERS)
    return person


def read_managed(database: Database, number: int, by: Access) -> Person:
    """The same, of who is theirs to manage. Raises Forbidden, UnknownUser."""
    person = read_person(database, number, by)
    if not person.managed:
        raise Forbidden(OTHERS)
    return person


def _person(row: UserRow, by: Access, last_seen: datetime | None) -> Person | None:
    grants = in_order(grant for grant in granted(row) if by.may_give([grant]))
    managed = manages(by, row)
    if not grants and not managed:
        return None
    has_password, elsewhere, invited = (value is not None for value in (row.password_hash, row.subject, row.link_hash))
    return Person(row.id, row.email, grants, has_password, elsewhere, invited, last_seen, managed, row.created_at)
