"""One spelling of an e-mail address, at every door."""

import re
import unicodedata

from consent_server.core.rules_address import read_host

# Loose on purpose: whether an address takes mail is not asked here. One line, one @, no blanks.
_LOCAL_PART = re.compile(r"[^@\s\x00-\x1f\x7f]+")
LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3


def normal_email(given: str) -> str:
    """An address in the one spelling that is kept: what a person takes for the same is the same.

    In lower case, without what nobody sees, letters of any width and composition alike (NFKC), the domain as it is sent
    (IDNA). Raises ValueError.
    """
    # Cf: zero-width characters, a byte order mark, a soft hyphen: they come along with what is pasted.
    seen = "".join(character for character in given if unicodedata.category(character) != "Cf")
    email = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).strip().lower())
    local, _, domain = email.rpartition("@")
    if not _LOCAL_PART.fullmatch(local):
        raise ValueError("must be one address, such as ada@example.org")
    email = f"{local}@{read_host(domain)}"
    if len(email) > LONGEST_EMAIL:
        raise ValueError(f"has more than {LONGEST_EMAIL} characters")
    return email


def email_or_as_given(given: str) -> str:
    """The same, and of what cannot be read what was given: for who looks for an address that may be kept already."""
    try:
        return normal_email(given)
    except ValueError:
        return given.strip().lower()
