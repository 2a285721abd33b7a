"""Which passwords are taken."""

from consent_server.access.credentials import password_matches
from consent_server.core.errors import Fault, InvalidUser
from consent_server.core.rules_text import normal_password
from consent_server.people.weak_passwords import is_easy_to_guess

# NIST SP 800-63B, 3.1.1.2: long enough, no rules of composition. The upper bound keeps hashing cheap.
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
EASY = (
    "Is among the first that anybody would try: a common word, a row of keys, a date, your address, or such a thing "
    "repeated or counted up. Take a few words that have nothing to do with each other."
)


def new_password(given: str, email: str) -> str:
    """The password as it is hashed. Raises InvalidUser for one that is not taken."""
    password = normal_password(given)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise _refusal(f"Must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if is_easy_to_guess(password, email):
        raise _refusal(EASY)
    return password


def password_fits(encoded: str | None, given: str) -> bool:
    """Whether it is the password of this hash, in either spelling. As much work without a hash."""
    return any(password_matches(encoded, spelt) for spelt in spellings(given))


def spellings(given: str) -> list[str]:
    """A password as it is kept, and as it was kept before passwords had one form."""
    return [spelt[:LONGEST_PASSWORD] for spelt in dict.fromkeys([normal_password(given), given])]


def _refusal(detail: str) -> InvalidUser:
    return InvalidUser("This password cannot be used.", [Fault("#/password", detail)])
