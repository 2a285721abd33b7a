"""Passwords that whoever guesses tries first (NIST SP 800-63B, 3.1.1.2)."""

from zxcvbn import zxcvbn

# Fewer guesses than this (as a power of ten) are a matter of hours against the hash, and of weeks through the door.
FEWEST_GUESSES = 8
# All that is looked at: the work grows with the square of the length.
LOOKED_AT = 72
OWN_WORDS = ("consent", "console")


def is_easy_to_guess(password: str, email: str) -> bool:
    """Whether it is on the lists of common passwords, or made of one, of rows of keys, of dates or of the address."""
    words = [email, *email.replace("@", ".").split("."), *OWN_WORDS]
    found = zxcvbn(password[:LOOKED_AT], user_inputs=words)
    return float(found["guesses_log10"]) < FEWEST_GUESSES
