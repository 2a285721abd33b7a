"""What the forms about people and tokens send."""

from collections.abc import Sequence

from werkzeug.datastructures import MultiDict

from consent_server.access import console
from consent_server.access import guard as auth
from consent_server.access.list_sites import ListedSite
from consent_server.access.rules import Role
from consent_server.core.errors import Fault, InvalidUser, UnknownUser
from consent_server.http.fields import row_number

# In place of a site's key, which has no star.
ALL = "*"
Form = MultiDict[str, str]


def role_of(form: Form) -> Role:
    """The role that was chosen. Raises InvalidUser."""
    try:
        return Role(form.get("role", ""))
    except ValueError:
        raise InvalidUser("Choose a role.", [Fault("#/role", "Choose a role.")]) from None


def sites_of(form: Form) -> Sequence[str] | None:
    """The sites that were chosen, None for all. Raises InvalidUser."""
    chosen = form.getlist("site")
    if not chosen:
        raise InvalidUser("Choose a site.", [Fault("#/site", "Choose at least one site.")])
    return None if ALL in chosen else chosen


def number_of(text: str) -> int:
    """A number in an address. Raises UnknownUser."""
    number = row_number(text)
    if number is None:
        raise UnknownUser("A person is named by their number.")
    return number


def faults_of(refusal: InvalidUser) -> dict[str, str]:
    """What is wrong, by the name of the field."""
    return {fault.pointer.removeprefix("#/").removeprefix("--"): fault.detail for fault in refusal.faults}


def choices() -> dict[str, object]:
    """What an operator may choose from: roles, the sites that they operate, and all of them if they operate all."""
    sites: list[ListedSite] = console.sites_of_caller(Role.OPERATOR)
    return {
        "roles": list(Role), "choices": sites, "may_all": auth.caller().has_on(Role.OPERATOR, None), "all": ALL,
        "names": {site.key: site.name for site in sites},
    }  # fmt: skip
