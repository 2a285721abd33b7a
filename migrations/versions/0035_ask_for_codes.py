"""codes beside passwords, providers, and passwords that are asked for by mail"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# Milliseconds since 1970, as all times here.
Milliseconds = sa.BigInteger()


def upgrade() -> None:
    op.add_column("sessions", sa.Column("awaits", sa.String(8), nullable=True))
    op.add_column("users", sa.Column("subject", sa.String(64), nullable=True))
    op.create_index("ix_users_subject", "users", ["subject"], unique=True)
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(64), nullable=False),
        sa.Column("confirmed_at", Milliseconds, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_second_factors_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factors"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code_hash", sa.String(43), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
    )
    op.create_table(
        "password_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("asked_at", Milliseconds, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_password_requests"),
    )


def downgrade() -> None:
    for table in ("password_requests", "recovery_codes", "second_factors"):
        op.drop_table(table)
    # Earlier versions would take a session that still waits for its code for one that stands for its user.
    op.execute("DELETE FROM sessions WHERE awaits IS NOT NULL")
    op.drop_index("ix_users_subject", "users")
    op.drop_column("users", "subject")
    op.drop_column("sessions", "awaits")
