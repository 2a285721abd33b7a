"""Users' addresses have one spelling: what is the same to the eye is one user."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

users = sa.table("users", sa.column("id", sa.Integer), sa.column("email", sa.String))


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(users.c.id, users.c.email).order_by(users.c.id)).all()
    # Whoever has the spelling keeps it: so far nobody else could sign in by it.
    taken = {row.email for row in rows}
    for row in rows:
        spelt = spell(row.email)
        if spelt == row.email:
            continue
        if spelt in taken:
            # A second user who looked like another. Kept to be seen, and removed by an operator.
            local, _, domain = spelt.rpartition("@")
            spelt = next(
                other for number in range(2, len(rows) + 3) if (other := f"{local}+{number}@{domain}") not in taken
            )
        taken = taken - {row.email} | {spelt}
        connection.execute(users.update().where(users.c.id == row.id).values(email=spelt))


def downgrade() -> None:
    """Earlier versions read these addresses too."""


def spell(given: str) -> str:
    seen = "".join(character for character in given if unicodedata.category(character) != "Cf")
    email = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).strip().lower())
    local, at, domain = email.rpartition("@")
    # Letters that IDNA 2003 writes in another way than browsers do stay for an operator to see.
    if domain.isascii() or set(domain) & set("ßς"):
        return email.removesuffix(".") if re.fullmatch(r"[a-z0-9.-]+", domain) else email
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii').lower().removesuffix('.')}"
    except UnicodeError:
        return email
