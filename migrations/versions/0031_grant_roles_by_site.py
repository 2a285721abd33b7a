"""grant roles by site, keep one-time links as hashes, and a log of sign-ins"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# Milliseconds since 1970, as all times here.
Milliseconds = sa.BigInteger()
users = sa.table(
    "users",
    sa.column("id", sa.Integer),
    sa.column("role", sa.String),
    sa.column("sites", sa.JSON(none_as_null=True)),
    sa.column("grants", sa.JSON),
)


def upgrade() -> None:
    op.add_column("users", sa.Column("grants", sa.JSON(), nullable=True))
    # Links that nobody used yet end here: they hold a day, and an operator makes others.
    op.add_column("users", sa.Column("link_hash", sa.LargeBinary(32), nullable=True))
    op.add_column("sessions", sa.Column("browser", sa.String(16), nullable=True))
    connection = op.get_bind()
    for row in connection.execute(sa.select(users.c.id, users.c.role, users.c.sites)).all():
        grants = [[row.role, site] for site in (row.sites if row.sites is not None else [None])]
        connection.execute(users.update().where(users.c.id == row.id).values(grants=grants))
    for column in ("role", "sites", "nonce"):
        op.drop_column("users", column)
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("at", Milliseconds, nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("browser", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sign_ins_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_user_id_id", "sign_ins", ["user_id", "id"])
    op.create_index("ix_sign_ins_at", "sign_ins", ["at"])


def downgrade() -> None:
    op.drop_table("sign_ins")
    op.drop_column("sessions", "browser")
    # Earlier versions know one role a person: the one that is named first, on the sites that it is for.
    op.add_column("users", sa.Column("role", sa.String(16), nullable=False, server_default="auditor"))
    op.add_column("users", sa.Column("sites", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("users", sa.Column("nonce", sa.LargeBinary(16), nullable=False, server_default=""))
    connection = op.get_bind()
    for row in connection.execute(sa.select(users.c.id, users.c.grants)).all():
        grants = row.grants or []
        role = grants[0][0] if grants else "auditor"
        keys = [site for given, site in grants if given == role]
        sites = sa.null() if None in keys else keys
        connection.execute(users.update().where(users.c.id == row.id).values(role=role, sites=sites))
    op.drop_column("users", "link_hash")
    op.drop_column("users", "grants")
